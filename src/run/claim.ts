import { assertLease } from '#store/queue.ts'
import type { Sql } from '#store/sql.ts'
import type { WorkContext } from '#store/worker.ts'

/** The right to work on a run: while it stands, nobody else does. */
export type Claim = {
  /** Aborted when the lease is lost or the process stops. */
  readonly signal: AbortSignal
  /** Fails with `lease-lost` unless the claim stands; in a transaction it stands until the commit. */
  readonly fence: (tx: Sql) => Promise<void>
  /** The same, outside a transaction: the last look before an effect elsewhere. */
  readonly assertLease: () => Promise<void>
}

export function claimOf(sql: Sql, context: WorkContext): Claim {
  return {
    signal: context.signal,
    fence: (tx) => assertLease(tx, context.claim),
    assertLease: () => assertLease(sql, context.claim),
  }
}
