import { forgetAudit } from '#store/audit.ts'
import { forgetEvents } from '#store/events.ts'
import { forgetNotifications } from '#store/notifications.ts'
import { chains } from '#store/records.ts'
import { forgetSamples } from '#store/samples.ts'
import { newestSnapshot } from '#store/snapshots.ts'
import type { Parts } from './parts.ts'
import { pruneRecords } from './prune-records.ts'
import { releaseCommits } from './release-commits.ts'
import { summarizeDays } from './summarize-days.ts'

const hour = 3_600_000

/** In milliseconds. */
export const tidyEvery = hour

/** What nobody needs any more goes when there is time: events that were heard long ago, samples and records that are older than the workspace keeps them, commits that mirrors hold and nobody will ask for, loose objects of theirs. */
export async function tidy(parts: Parts, signal: AbortSignal): Promise<{ again: number }> {
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
  return { again: parts.clock.now() + tidyEvery }
}
