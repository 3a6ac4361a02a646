import { textArray } from './sql.ts'
import type { Sql } from './sql.ts'

/** Bounds (seconds) of how long runs took, waits included: they change only with a migration that begins the tallies anew. */
export const runBounds = [1, 2, 5, 10, 30, 60, 120, 300, 600, 1_800, 3_600, 14_400, 86_400] as const

/** Counts a run, and what became of the modules that it was to change, in the transaction that ends it: no scrape has to read all runs there ever were. */
export async function tallyRun(tx: Sql, id: string): Promise<void> {
  await tx.query(
    `insert into run_tally as tally (environment, kind, outcome, count, seconds, buckets)
     select environment, kind, state, 1, took, (select array_agg((took <= bound)::int::bigint order by bound) from unnest($2::float8[]) bound)
     from (select *, (ended_at - created_at) / 1000.0::float8 as took from run where id = $1) ended
     on conflict (environment, kind, outcome) do update set count = tally.count + 1, seconds = tally.seconds + excluded.seconds,
       buckets = (select array_agg(a + b order by at) from unnest(tally.buckets, excluded.buckets) with ordinality as both_of (a, b, at))`,
    [id, textArray(runBounds)],
  )
  await tx.query(
    `insert into delivery_tally as tally (environment, outcome, count)
     select run.environment, case when outcome->>'delivery' in ('delivered', 'failed', 'halted') then outcome->>'delivery' else 'unknown' end as became, count(*)
     from run join run_module on run_module.run = run.id
     where run.id = $1 and run.kind <> 'verify' and (run.modules->run_module.module->>'changed')::boolean
     group by 1, 2
     on conflict (environment, outcome) do update set count = tally.count + excluded.count`,
    [id],
  )
}

export type RunTally = { readonly environment: string; readonly kind: string; readonly outcome: string; readonly count: number; readonly seconds: number; readonly buckets: readonly number[] }

export async function runTallies(sql: Sql): Promise<RunTally[]> {
  return sql.query('select environment, kind, outcome, count, seconds, to_jsonb(buckets) as buckets from run_tally order by 1, 2, 3')
}

export async function deliveryTallies(sql: Sql): Promise<{ environment: string; outcome: string; count: number }[]> {
  return sql.query('select environment, outcome, count from delivery_tally order by 1, 2')
}

export async function openRunCounts(sql: Sql): Promise<{ environment: string; state: string; count: number }[]> {
  return sql.query('select environment, state, count(*)::int as count from run where ended_at is null group by 1, 2 order by 1, 2')
}

export async function findingCounts(sql: Sql): Promise<{ environment: string; cause: string; state: string; count: number }[]> {
  return sql.query(`select environment, cause, state, count(*)::int as count from finding where state <> 'resolved' group by 1, 2, 3 order by 1, 2, 3`)
}

/** Of each kind of work: how many keys are due and wait, how many are at work, and since when (ms) the longest due one waits. */
export async function queueCounts(sql: Sql, now: number): Promise<{ kind: string; waiting: number; running: number; oldest: number | null }[]> {
  return sql.query(
    `select split_part(key, '/', 1) as kind, count(*) filter (where owner is null and due <= $1)::int as waiting, count(owner)::int as running,
       min(due) filter (where owner is null and due <= $1) as oldest
     from work group by 1 order by 1`,
    [now],
  )
}
