import type { FailureJson } from '#lib/failure.ts'
import type { Verified } from '#model/probe-state.ts'
import type { Pin } from '#model/pin.ts'
import type { Delivery } from '#model/run.ts'
import { announce } from './events.ts'
import { forgetOtherProbes } from './probe-states.ts'
import { textArray } from './sql.ts'
import type { Sql } from './sql.ts'

/** How a module stands in an environment. Delivery and verification are two facts, and are written by two functions. */
export type StatusRow = {
  environment: string
  module: string
  repository: string
  track: string
  driver: string
  target: string
  delivery: Delivery
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
} & Verified & {
    /** When it was last looked at whether it works. */
    verifiedAt: number | null
    movedWhy: string | null
  }

/** `since`: since when its two facts are what they are. `pinned`: what holds it at an older snapshot, kept by `pins.ts`. */
export type KnownStatus = StatusRow & { readonly since: number; readonly pinned: Pin | null }

const columns = `environment, module, repository, track, driver, target, delivery, verification, readiness_only as "readinessOnly", intent, delivered, snapshot,
  snapshot_seq as "snapshotSeq", run, verified_since as "verifiedSince", failure, updated_at as "updatedAt",
  verified_at as "verifiedAt", stale_at as "staleAt", moved_at as "movedAt", moved_why as "movedWhy", since, pinned`

export async function statuses(sql: Sql, environment?: string, module?: string): Promise<KnownStatus[]> {
  return sql.query<KnownStatus>(
    `select ${columns} from module_status where ($1::text is null or environment = $1) and ($2::text is null or module = $2) order by environment, module`,
    [environment ?? null, module ?? null],
  )
}

/** Of a row that is there, all but its verification: that may be another one by now than when the row was read. */
export async function saveStatus(sql: Sql, row: StatusRow): Promise<void> {
  await sql.query(
    `insert into module_status (environment, module, repository, track, driver, target, delivery, verification, readiness_only, intent, delivered, snapshot,
       snapshot_seq, run, verified_since, failure, updated_at, since)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $17)
     on conflict (environment, module) do update set repository = excluded.repository, track = excluded.track, driver = excluded.driver, target = excluded.target, delivery = excluded.delivery,
       readiness_only = excluded.readiness_only, intent = excluded.intent, delivered = excluded.delivered,
       snapshot = excluded.snapshot, snapshot_seq = excluded.snapshot_seq, run = excluded.run,
       failure = excluded.failure, updated_at = excluded.updated_at,
       since = case when module_status.delivery = excluded.delivery then module_status.since else excluded.updated_at end`,
    [
      row.environment, row.module, row.repository, row.track, row.driver, row.target, row.delivery, row.verification, row.readinessOnly, row.intent, row.delivered, row.snapshot,
      row.snapshotSeq, row.run, row.verifiedSince, row.failure, row.updatedAt,
    ],
  )
  await announce(sql, row.updatedAt, 'status', { environment: row.environment, module: row.module, delivery: row.delivery, verification: row.verification })
}

/** What was found when somebody looked whether a module works. `updated_at` stays: it tells when a delivery was last tried. What changed underneath before the look `began` is seen by it. */
export type VerificationRow = Pick<StatusRow, 'environment' | 'module' | 'verification' | 'verifiedSince' | 'verifiedAt' | 'staleAt'> & { readonly began: number }

export async function saveVerification(sql: Sql, row: VerificationRow, at: number): Promise<void> {
  const { environment, module, verification, verifiedSince, verifiedAt, staleAt, began } = row
  await sql.query(
    `update module_status set verification = $3, verified_since = $4, verified_at = $5, stale_at = $6, since = case when verification = $3 then since else $8 end,
       moved_at = case when moved_at > $7 then moved_at end, moved_why = case when moved_at > $7 then moved_why end
     where environment = $1 and module = $2`,
    [environment, module, verification, verifiedSince, verifiedAt, staleAt, began, at],
  )
  await announce(sql, at, 'status', { environment, module, verification })
}

/** Something changed underneath modules that were verified: what was found before says nothing of what is there now. */
export async function saveMoved(sql: Sql, environment: string, modules: readonly string[], why: string, at: number): Promise<void> {
  if (modules.length === 0) return
  await sql.query('update module_status set moved_at = $3, moved_why = $4 where environment = $1 and module = any($2::text[]) and delivered is not null', [environment, textArray(modules), at, why])
  for (const module of modules) await announce(sql, at, 'status', { environment, module, verification: 'stale' })
}

/** A module that is gone from Git and from the environment. */
export async function forgetStatus(sql: Sql, environment: string, module: string, at: number): Promise<void> {
  await sql.query('delete from module_status where environment = $1 and module = $2', [environment, module])
  await sql.query('delete from proof where environment = $1 and module = $2', [environment, module])
  await forgetOtherProbes(sql, environment, module, [])
  await announce(sql, at, 'status', { environment, module, delivery: 'gone' })
}
