import { Worker } from '#store/worker.ts'
import type { Store } from '#store/sql.ts'
import { asFailure } from '#lib/failure.ts'
import { claimOf } from '../claim.ts'
import type { Parts } from '../parts.ts'
import { EventFeed } from './event-feed.ts'
import { targetOfKey, watchAll } from './targets.ts'
import { watchTarget } from './watch-target.ts'

/** As many targets as one process watches: whoever watches holds its key for good, so that it takes no turn from the rest of the work. */
const mostTargets = 200
const relistMs = 600_000

/** Watches what was delivered: one watcher a target among all processes on one store, taken over by another when its process dies. */
export async function startWatching(parts: Parts, store: Store, leaseMs?: number): Promise<{ stop: () => Promise<void> }> {
  const feed = new EventFeed(store, parts.clock, parts.log)
  await feed.start()
  const worker = new Worker({
    store,
    clock: parts.clock,
    concurrency: mostTargets,
    ...(leaseMs === undefined ? {} : { leaseMs }),
    handlers: { 'watch/': (key, context) => watchTarget(parts, feed, targetOfKey(key), claimOf(parts.sql, context), { relistMs }) },
    report: (event) => {
      if (event.event === 'failed') parts.log(`${event.key}: ${event.failure.code}: ${event.failure.message} (attempt ${event.attempts})`)
      else if (event.event === 'lease-lost') parts.log(`${event.key}: another process watches it now`)
    },
  })
  worker.start()
  const all = (): void => void watchAll(parts).catch((error: unknown) => parts.log(`watches: ${asFailure(error, 'watches').message}`))
  // Another snapshot may have other targets; and a module’s first status names its target.
  const unsubscribe = feed.subscribe(({ kind }) => (kind === 'snapshot' ? all() : undefined))
  all()
  return {
    stop: async () => {
      unsubscribe()
      await worker.stop()
      await feed.stop()
    },
  }
}
