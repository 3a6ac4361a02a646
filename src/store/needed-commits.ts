import type { Sql } from './sql.ts'

/** So many runs of an environment may be gone back to, whether or not they are on the record still. */
const newestRuns = 200

/**
 * The commits of a repository that somebody may ask for again: of the newest snapshot; of what modules are, and are pinned at; of the policies in force; of runs
 * that have not ended, whose record is kept, or that are among the newest of their environment.
 */
export async function neededCommits(sql: Sql, repository: string): Promise<Set<string>> {
  const rows = await sql.query<{ sha: string }>(
    `with needed (id) as (
       (select id from snapshot order by seq desc limit 1)
       union select snapshot from module_status
       union select pinned ->> 'snapshot' from module_status
       union select snapshot from policy
       union select snapshot from run where ended_at is null or exists (select from record where record.run = run.id and record.kind = 'run')
       union select part.value ->> 'snapshot' from run cross join lateral jsonb_each(run.modules) part where run.ended_at is null
       union select snapshot from (select snapshot, row_number() over (partition by environment order by seq desc) as place from run) newest where place <= $2)
     select distinct commits ->> $1 as sha from snapshot where id in (select id from needed) and commits ->> $1 is not null`,
    [repository, newestRuns],
  )
  return new Set(rows.map(({ sha }) => sha))
}
