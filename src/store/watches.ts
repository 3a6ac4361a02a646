import type { FailureJson } from '#lib/failure.ts'
import { announce } from './events.ts'
import type { Sql } from './sql.ts'

/** How the watch of a target stands. `down`: nothing is heard of some of it, with why. */
export type WatchRow = {
  readonly environment: string
  readonly target: string
  readonly driver: string
  readonly state: 'starting' | 'watching' | 'down'
  readonly since: number
  readonly failure: FailureJson | null
  readonly objects: number
  readonly listedAt: number | null
}

/** Says so to whoever listens only where it went down, or up again: how many kinds it begins with is nobody’s news. */
export async function saveWatch(sql: Sql, row: WatchRow, before: WatchRow | undefined, at: number): Promise<void> {
  await sql.query(
    `insert into watch (environment, target, driver, state, since, failure, objects, listed_at) values ($1, $2, $3, $4, $5, $6, $7, $8)
     on conflict (environment, target, driver) do update set state = excluded.state, since = excluded.since, failure = excluded.failure, objects = excluded.objects,
       listed_at = coalesce(excluded.listed_at, watch.listed_at)`,
    [row.environment, row.target, row.driver, row.state, row.since, row.failure, row.objects, row.listedAt],
  )
  if ((before?.state === 'down') !== (row.state === 'down')) await announce(sql, at, 'watch', { environment: row.environment, target: row.target, state: row.state })
}

export async function findWatch(sql: Sql, environment: string, target: string, driver: string): Promise<WatchRow | undefined> {
  const [row] = await sql.query<WatchRow>(`select ${columns} from watch where environment = $1 and target = $2 and driver = $3`, [environment, target, driver])
  return row
}

export async function forgetWatch(sql: Sql, environment: string, target: string, driver: string): Promise<void> {
  await sql.query('delete from watch where environment = $1 and target = $2 and driver = $3', [environment, target, driver])
}

const columns = 'environment, target, driver, state, since, failure, objects, listed_at as "listedAt"'

/** Every target that something is, or was, delivered to, and how its watch stands. One that nobody holds the lease of is not `isHeld`, whatever its row says. */
export async function watches(sql: Sql, now: number): Promise<(WatchRow & { isHeld: boolean })[]> {
  return sql.query(
    `select named.environment, named.target, named.driver, coalesce(state, 'starting') as state, coalesce(since, $1::bigint) as since, failure, coalesce(objects, 0) as objects,
       listed_at as "listedAt", coalesce(work.owner is not null and work.lease > $1, false) as "isHeld"
     from (select environment, target, driver from watch union select environment, target, driver from module_status) named
     left join watch on watch.environment = named.environment and watch.target = named.target and watch.driver = named.driver
     left join work on work.key = 'watch/' || named.environment || '/' || named.target || '/' || named.driver
     order by 1, 2, 3`,
    [now],
  )
}
