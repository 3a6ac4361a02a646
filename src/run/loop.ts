import { adoptionsUnderWay } from '#store/adoptions.ts'
import { enqueue, enqueueAll } from '#store/queue.ts'
import { chains } from '#store/records.ts'
import { openRuns } from '#store/runs.ts'
import type { Store } from '#store/sql.ts'
import { statuses } from '#store/statuses.ts'
import { Worker } from '#store/worker.ts'
import type { WorkerEvent } from '#store/worker.ts'
import { adoptKey } from './adopt/ask.ts'
import { lookHandlers, workHandlers } from './handlers.ts'
import { lookKey } from './look-again.ts'
import type { Parts } from './parts.ts'
import { tidyEvery } from './tidy.ts'

/** The loop that keeps the path going: work items, one at a time a key. */
export async function startLoop(parts: Parts, store: Store, concurrency: number, leaseMs?: number): Promise<{ stop: () => Promise<void> }> {
  const shared = { store, clock: parts.clock, ...(leaseMs === undefined ? {} : { leaseMs }), report: (event: WorkerEvent) => parts.log(told(event)) }
  const workers = [new Worker({ ...shared, concurrency, handlers: workHandlers(parts) }), new Worker({ ...shared, concurrency: lookingAtOnce, handlers: lookHandlers(parts) })]
  for (const worker of workers) worker.start()
  await wakeWhatIsThere(parts)
  return { stop: async () => void (await Promise.all(workers.map((worker) => worker.stop()))) }
}

/** So many modules are looked at side by side. */
const lookingAtOnce = 16

function told(event: WorkerEvent): string {
  if (event.event === 'failed') return `${event.key}: ${event.failure.code}: ${event.failure.message} (attempt ${event.attempts})`
  return event.event === 'store-failed' ? `store: ${event.failure.code}: ${event.failure.message}` : `worker: ${event.event}`
}

/** What this process may have left when it ended, or another that is no more. */
async function wakeWhatIsThere({ sql, clock, repositories }: Parts): Promise<void> {
  const keys = [
    ...repositories.names().map((name) => `repository/${name}`),
    ...(await chains(sql)).map((environment) => `chain/${environment}`),
    ...(await adoptionsUnderWay(sql)).map(adoptKey),
    ...(await openRuns(sql)).map(({ id }) => `run/${id}`),
    ...(await statuses(sql)).map(({ environment, module }) => lookKey(environment, module)),
  ]
  await enqueueAll(sql, clock, keys)
  await enqueue(sql, clock, 'tidy/everything', { due: clock.now() + tidyEvery })
}
