import type { FailureJson } from '#lib/failure.ts'
import type { Delivery, Verification } from '#model/run.ts'
import { announce } from './events.ts'
import type { Sql } from './sql.ts'

/** How a module stands in an environment. Delivery and verification are two facts. */
export type StatusRow = {
  environment: string
  module: string
  repository: string
  track: string
  driver: string
  target: string
  delivery: Delivery
  verification: Verification
  /** Verified by readiness alone. */
  readinessOnly: boolean
  /** What was last decided on, and what was last delivered: digests of what the module renders to and how it is proven. */
  intent: string | null
  delivered: string | null
  /** The newest snapshot that this holds for. */
  snapshot: string | null
  snapshotSeq: number | null
  run: string | null
  /** Since when verification has been passed or warned without a break. */
  verifiedSince: number | null
  failure: FailureJson | null
  updatedAt: number
}

/** `since`: since when its two facts are what they are. */
export type KnownStatus = StatusRow & { readonly since: number }

const columns = `environment, module, repository, track, driver, target, delivery, verification, readiness_only as "readinessOnly", intent, delivered, snapshot,
  snapshot_seq as "snapshotSeq", run, verified_since as "verifiedSince", failure, updated_at as "updatedAt", since`

export async function statuses(sql: Sql, environment?: string): Promise<KnownStatus[]> {
  return sql.query<KnownStatus>(`select ${columns} from module_status where ($1::text is null or environment = $1) order by environment, module`, [environment ?? null])
}

export async function saveStatus(sql: Sql, row: StatusRow): Promise<void> {
  await sql.query(
    `insert into module_status (environment, module, repository, track, driver, target, delivery, verification, readiness_only, intent, delivered, snapshot,
       snapshot_seq, run, verified_since, failure, updated_at, since)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $17)
     on conflict (environment, module) do update set repository = excluded.repository, track = excluded.track, driver = excluded.driver, target = excluded.target, delivery = excluded.delivery,
       verification = excluded.verification, readiness_only = excluded.readiness_only, intent = excluded.intent, delivered = excluded.delivered,
       snapshot = excluded.snapshot, snapshot_seq = excluded.snapshot_seq, run = excluded.run, verified_since = excluded.verified_since,
       failure = excluded.failure, updated_at = excluded.updated_at,
       since = case when (module_status.delivery, module_status.verification) = (excluded.delivery, excluded.verification) then module_status.since else excluded.updated_at end`,
    [
      row.environment, row.module, row.repository, row.track, row.driver, row.target, row.delivery, row.verification, row.readinessOnly, row.intent, row.delivered, row.snapshot,
      row.snapshotSeq, row.run, row.verifiedSince, row.failure, row.updatedAt,
    ],
  )
  await announce(sql, row.updatedAt, 'status', { environment: row.environment, module: row.module, delivery: row.delivery, verification: row.verification })
}

/** A module that is gone from Git and from the environment. */
export async function forgetStatus(sql: Sql, environment: string, module: string, at: number): Promise<void> {
  await sql.query('delete from module_status where environment = $1 and module = $2', [environment, module])
  await sql.query('delete from proof where environment = $1 and module = $2', [environment, module])
  await announce(sql, at, 'status', { environment, module, delivery: 'gone' })
}
