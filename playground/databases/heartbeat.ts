import type { Clock } from '#lib/clock.ts'
import { connected } from './ask.ts'
import type { PostgresServer } from './postgres-server.ts'

const everyMs = 1_000

/**
 * Writes the time into `replication_heartbeat` every second, on one connection, so that a replica can tell how old its data is: without writes,
 * the age of the last replayed transaction grows on a replica that lacks nothing. While the primary does not answer, it tries again. Ends with what it returns.
 */
export function startHeartbeat(primary: PostgresServer, database: string, clock: Clock): () => Promise<void> {
  const ending = new AbortController()
  const { signal } = ending
  const beating = (async () => {
    while (!signal.aborted) {
      await beat().catch(() => {})
      await clock.sleep(everyMs, signal).catch(() => {})
    }
  })()
  async function beat(): Promise<void> {
    await connected({ ...primary.login, database }, async (ask) => {
      while (!signal.aborted) {
        await ask('update replication_heartbeat set at = clock_timestamp()')
        await clock.sleep(everyMs, signal)
      }
    })
  }
  return async () => {
    ending.abort(new Error('the playground stops'))
    await beating
  }
}
