import type { Sample } from '#model/probe.ts'
import type { Sql } from './sql.ts'

/** What a probe of a module found before a run's first effect. */
export type BeforeRow = { module: string; probe: string; sample: Sample }

export async function hasBefore(sql: Sql, run: string): Promise<boolean> {
  return (await sql.query('select 1 from probe_before where run = $1 limit 1', [run])).length > 0
}

/** All of a run, at once. */
export async function saveBefore(sql: Sql, run: string, rows: readonly BeforeRow[]): Promise<void> {
  await sql.query(
    `insert into probe_before (run, module, probe, sample) select $1, module, probe, sample from jsonb_to_recordset($2) as given (module text, probe text, sample jsonb)
     on conflict do nothing`,
    [run, rows],
  )
}

/** By the probe's name. */
export async function ownBefore(sql: Sql, run: string, module: string): Promise<ReadonlyMap<string, Sample>> {
  return byProbe(await sql.query<BeforeRow>('select module, probe, sample from probe_before where run = $1 and module = $2', [run, module]))
}

/** That of the last run which asked, whatever became of it: by the probe's name. */
export async function newestBefore(sql: Sql, environment: string, module: string): Promise<ReadonlyMap<string, Sample>> {
  return byProbe(
    await sql.query<BeforeRow>(
      `select distinct on (before.probe) before.module, before.probe, before.sample from probe_before before join run on run.id = before.run
       where run.environment = $1 and before.module = $2 order by before.probe, run.seq desc`,
      [environment, module],
    ),
  )
}

function byProbe(rows: readonly BeforeRow[]): ReadonlyMap<string, Sample> {
  return new Map(rows.map(({ probe, sample }) => [probe, sample]))
}
