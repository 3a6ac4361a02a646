import type { ProbeState } from '#model/probe-state.ts'
import { textArray } from './sql.ts'
import type { Sql } from './sql.ts'

export type ProbeStateRow = ProbeState & { readonly environment: string; readonly module: string }

const columns = 'environment, module, probe, kind, verdict, onset, asked_at as "askedAt", last_before as "lastBefore", causes, flips, sample'

/** Of one module, or of all of an environment, or of everything; by name. */
export async function probeStates(sql: Sql, environment?: string, module?: string): Promise<ProbeStateRow[]> {
  return sql.query<ProbeStateRow>(
    `select ${columns} from probe_state where ($1::text is null or environment = $1) and ($2::text is null or module = $2) order by environment, module, probe`,
    [environment ?? null, module ?? null],
  )
}

export async function saveProbeStates(sql: Sql, rows: readonly ProbeStateRow[]): Promise<void> {
  if (rows.length === 0) return
  await sql.query(
    `insert into probe_state (environment, module, probe, kind, verdict, onset, asked_at, last_before, causes, flips, sample)
     select environment, module, probe, kind, verdict, onset, "askedAt", "lastBefore", causes, flips, sample
     from jsonb_to_recordset($1) as given (environment text, module text, probe text, kind text, verdict text, onset bigint, "askedAt" bigint, "lastBefore" bigint, causes jsonb, flips jsonb, sample jsonb)
     on conflict (environment, module, probe) do update set kind = excluded.kind, verdict = excluded.verdict, onset = excluded.onset, asked_at = excluded.asked_at,
       last_before = excluded.last_before, causes = excluded.causes, flips = excluded.flips, sample = excluded.sample`,
    [rows],
  )
}

/** What a module no longer asks says nothing of it any more. */
export async function forgetOtherProbes(sql: Sql, environment: string, module: string, probes: readonly string[]): Promise<void> {
  await sql.query('delete from probe_state where environment = $1 and module = $2 and not probe = any($3::text[])', [environment, module, textArray(probes)])
}
