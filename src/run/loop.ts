import { Worker, type WorkContext, type WorkerEvent } from '#store/worker.ts'
import { forgetAudit } from '#store/audit.ts'
import { forgetEvents } from '#store/events.ts'
import { forgetNotifications } from '#store/notifications.ts'
import { adoptionsUnderWay } from '#store/adoptions.ts'
import { enqueue } from '#store/queue.ts'
import { chains } from '#store/records.ts'
import { openRuns } from '#store/runs.ts'
import { forgetSamples, LookLog } from '#store/samples.ts'
import { newestSnapshot } from '#store/snapshots.ts'
import type { Store } from '#store/sql.ts'
import { statuses } from '#store/statuses.ts'
import { adoptKey } from './adopt/ask.ts'
import { carryOutAdoption } from './adopt/carry-out.ts'
import { catchUp } from './catch-up.ts'
import { claimOf } from './claim.ts'
import { tellDrift } from './drift/tell.ts'
import { considerEnvironment } from './environment.ts'
import { follow, isUnread } from './follow.ts'
import { wakeLooks } from './look-again.ts'
import { handOutNotifications } from './notify/hand-out.ts'
import { sendMessages } from './notify/send.ts'
import { noteCommits } from './note-commits.ts'
import { beginScheduled, wakeSchedules } from './operation/schedule.ts'
import type { Parts } from './parts.ts'
import { pruneRecords } from './prune-records.ts'
import { publishChain } from './publish-chain.ts'
import { releaseCommits } from './release-commits.ts'
import { retries } from './retries.ts'
import { run } from './run.ts'
import { summarizeDays } from './summarize-days.ts'
import { traced } from './telemetry/in-span.ts'
import { Turns } from './turns.ts'
import { verifyModule } from './verify-module.ts'
import type { Looks } from './verify-module.ts'

/** The loop that keeps the path going: work items, one at a time a key. Every handler may be called twice, or after a crash: the key says what, the store says how far. */
export async function startLoop(parts: Parts, store: Store, concurrency: number, leaseMs?: number): Promise<{ stop: () => Promise<void> }> {
  const subject = (key: string): string => key.slice(key.indexOf('/') + 1)
  const report = (event: WorkerEvent): void => {
    if (event.event === 'failed') parts.log(`${event.key}: ${event.failure.code}: ${event.failure.message} (attempt ${event.attempts})`)
    else if (event.event === 'store-failed') parts.log(`store: ${event.failure.code}: ${event.failure.message}`)
    else parts.log(`worker: ${event.event}`)
  }
  const worker = new Worker({
    store,
    clock: parts.clock,
    concurrency,
    ...(leaseMs === undefined ? {} : { leaseMs }),
    handlers: {
      'repository/': async (key, context) => {
        // A repository is looked at also where what is known cannot be read: that look is what mends it.
        await catchUp(parts, context.signal).catch((error: unknown) => (isUnread(error) ? undefined : Promise.reject(error)))
        return follow(parts, subject(key), context.signal)
      },
      'environment/': async (key, context: WorkContext) => {
        await catchUp(parts, context.signal)
        await considerEnvironment(parts, subject(key), context.signal)
        await wakeSchedules(parts, subject(key))
        // What failed and may pass by itself is looked at again when its time has come.
        const due = [...(await retries(parts.sql, subject(key))).values()]
        if (due.length > 0) return { again: Math.min(...due) }
      },
      'chain/': async (key, context) => {
        const published = await publishChain(parts, subject(key))
        return (await noteCommits(parts, subject(key), context.signal)) ?? published
      },
      'adopt/': async (key, context) => {
        await catchUp(parts, context.signal)
        return carryOutAdoption(parts, subject(key), claimOf(parts.sql, context))
      },
      'drift/': async (key, context) => {
        await catchUp(parts, context.signal)
        return tellDrift(parts, subject(key))
      },
      'notify/': async (key, context) => {
        await catchUp(parts, context.signal)
        await handOutNotifications(parts, subject(key))
      },
      'operation/': async (key, context) => {
        const [, environment = '', name = ''] = key.split('/')
        await catchUp(parts, context.signal)
        return beginScheduled(parts, environment, name)
      },
      'tidy/': (_, context) => tidy(parts, context.signal),
      'run/': async (key, context) => {
        await catchUp(parts, context.signal)
        await traced(parts, subject(key), () => run(parts, subject(key), claimOf(parts.sql, context)))
      },
    },
    report,
  })
  // Looks wait for what they ask: on hands of their own, so that no delivery waits for them.
  const looks: Looks = { turns: new Turns(), log: new LookLog(parts.sql) }
  const looker = new Worker({
    store,
    clock: parts.clock,
    concurrency: lookingAtOnce,
    ...(leaseMs === undefined ? {} : { leaseMs }),
    handlers: {
      'send/': async (key, context) => {
        const [environment = '', ...channel] = subject(key).split('/')
        await catchUp(parts, context.signal)
        await sendMessages(parts, environment, channel.join('/'), context.signal)
      },
      'verify/': async (key, context) => {
        const [, environment = '', module = ''] = key.split('/')
        await catchUp(parts, context.signal)
        return verifyModule(parts, looks, environment, module, claimOf(parts.sql, context))
      },
    },
    report,
  })
  worker.start()
  looker.start()
  for (const name of parts.repositories.names()) await enqueue(parts.sql, parts.clock, `repository/${name}`)
  await enqueue(parts.sql, parts.clock, 'tidy/everything', { due: parts.clock.now() + hour })
  for (const environment of await chains(parts.sql)) await enqueue(parts.sql, parts.clock, `chain/${environment}`)
  for (const finding of await adoptionsUnderWay(parts.sql)) await enqueue(parts.sql, parts.clock, adoptKey(finding))
  for (const open of await openRuns(parts.sql)) await enqueue(parts.sql, parts.clock, `run/${open.id}`)
  for (const [environment, rows] of Map.groupBy(await statuses(parts.sql), (row) => row.environment)) await wakeLooks(parts.sql, parts, environment, rows.map(({ module }) => module))
  return { stop: async () => void (await Promise.all([worker.stop(), looker.stop()])) }
}

/** So many modules are looked at side by side. */
const lookingAtOnce = 16

const hour = 3_600_000

/** What nobody needs any more goes when there is time: events that were heard long ago, samples and records that are older than the workspace keeps them, commits that mirrors hold and nobody will ask for, loose objects of theirs. */
async function tidy(parts: Parts, signal: AbortSignal): Promise<{ again: number }> {
  await forgetEvents(parts.sql, parts.clock.now() - 24 * hour)
  await forgetAudit(parts.sql, parts.clock.now() - 24 * hour)
  const newest = await newestSnapshot(parts.sql)
  if (newest !== undefined) {
    const { keepSamples, records } = (await parts.configurations.of(newest)).workspace.spec
    // First: what they are made of is forgotten next.
    for (const environment of await chains(parts.sql)) await summarizeDays(parts, environment)
    await forgetSamples(parts.sql, parts.clock.now() - keepSamples)
    await forgetNotifications(parts.sql, parts.clock.now() - keepSamples)
    if (records.keep !== undefined) await pruneRecords(parts, records.keep)
  }
  await releaseCommits(parts)
  for (const name of parts.repositories.names()) await parts.repositories.mirror(name).tidy(signal)
  return { again: parts.clock.now() + hour }
}
