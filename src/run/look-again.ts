import { enqueueAll } from '#store/queue.ts'
import type { Sql } from '#store/sql.ts'
import { saveMoved } from '#store/statuses.ts'
import type { Parts } from './parts.ts'

/** The work item that looks at a module again when its time has come; who comes too early does nothing. */
export function lookKey(environment: string, module: string): string {
  return `verify/${environment}/${module}`
}

/** Wakes the looks at modules: each decides by itself whether it is time. */
export async function wakeLooks(sql: Sql, parts: Pick<Parts, 'clock'>, environment: string, modules: readonly string[]): Promise<void> {
  await enqueueAll(sql, parts.clock, modules.map((module) => lookKey(environment, module)))
}

/**
 * Something changed underneath modules (what they depend on was delivered, a finding was opened): until they are looked at again, at once, their
 * verification is stale. In the transaction of what changed.
 */
export async function lookAtOnce(tx: Sql, parts: Pick<Parts, 'clock'>, environment: string, modules: readonly string[], why: string): Promise<void> {
  await saveMoved(tx, environment, modules, why, parts.clock.now())
  await wakeLooks(tx, parts, environment, modules)
}
