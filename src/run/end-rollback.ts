import type { Pin } from '#model/pin.ts'
import type { RunState } from '#model/run.ts'
import { pinType, statementOf } from '#record/statement.ts'
import { savePin } from '#store/pins.ts'
import { markRolledBack } from '#store/runs.ts'
import type { RunRow } from '#store/runs.ts'
import type { Sql } from '#store/sql.ts'
import { saveStatus, statuses } from '#store/statuses.ts'
import type { KnownStatus } from '#store/statuses.ts'
import { appendToChain } from './chain.ts'
import type { Parts } from './parts.ts'

type Books = Pick<Parts, 'clock' | 'signer' | 'redactor'>

/**
 * What the end of a rollback settles, in its transaction. One that succeeded ends the story of the run whose verdict asked for it. One that ended before its
 * effects began leaves everything as it was: nothing is held where nothing was brought.
 */
export async function endRollback(tx: Sql, books: Books, run: RunRow, state: RunState, now: number): Promise<void> {
  const { rollback } = run
  if (state === 'succeeded' && rollback?.by === 'verdict' && rollback.of !== null) await markRolledBack(tx, rollback.of, now)
  if (run.state !== 'planning' && run.state !== 'waiting') return
  for (const row of await statuses(tx, run.environment)) if (row.pinned?.run === run.id) await undoPin(tx, books, row, row.pinned, now)
}

/** Takes a pin back whose run did nothing: the module stands as it stood before. What was decided on since then stays decided. */
export async function undoPin(tx: Sql, books: Books, row: KnownStatus, pin: Pin, now: number): Promise<void> {
  const { intent, delivery, failure } = pin.before
  if (row.intent === pin.intent) await saveStatus(tx, { ...row, intent, delivery, failure: failure ?? row.failure, updatedAt: now })
  await savePin(tx, row.environment, row.module, null, now)
  await recordPin(tx, books, row, pin, { decision: 'lifted', actor: 'plumbline', reason: `${pin.run ?? 'its run'} ended before its effects began`, ticket: null }, now)
}

/** A decision on a pin, on the environment's chain. */
export async function recordPin(tx: Sql, books: Books, { environment, module }: Pick<KnownStatus, 'environment' | 'module'>, pin: Pin, said: { decision: 'pinned' | 'lifted'; actor: string; reason: string; ticket: string | null }, now: number): Promise<void> {
  const { by, snapshot, run } = pin
  await appendToChain(tx, books, environment, (chain) => statementOf(pinType, { chain, module, by, snapshot, run, ...said, at: now }, { name: `module:${environment}/${module}` }), now)
}
