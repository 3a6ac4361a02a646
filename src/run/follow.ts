import { asFailure } from '#lib/failure.ts'
import { snapshotOf } from '#model/snapshot.ts'
import { enqueue } from '#store/queue.ts'
import { forgetRepository, newestSnapshot, repositories as knownRepositories, saveProblems, saveRepository, saveSnapshot } from '#store/snapshots.ts'
import type { SnapshotRow } from '#store/snapshots.ts'
import type { Parts } from './parts.ts'

const defaultPoll = 60_000

/**
 * Looks at one repository. A new head makes a new snapshot of all heads, and every environment is asked what that means for it.
 * A repository that cannot be reached keeps its last head, and its row says why.
 */
export async function follow(parts: Parts, name: string, signal: AbortSignal): Promise<{ again: number } | undefined> {
  const { sql, clock, repositories } = parts
  if (!repositories.names().includes(name)) return undefined
  const mirror = repositories.mirror(name)
  const row = { name, url: mirror.url, branch: mirror.branch, checkedAt: clock.now() }
  try {
    const { head, forced } = await mirror.fetch(signal)
    if (forced) parts.log(`repository ${name}: its branch was rewritten; following ${head.slice(0, 8)}`)
    await saveRepository(sql, { ...row, head, commit: await mirror.commit(head), failure: null })
  } catch (error) {
    signal.throwIfAborted()
    const failure = asFailure(error, `repository ${name}`)
    parts.log(`${failure.code}: ${failure.subject}: ${failure.message}`)
    await saveRepository(sql, { ...row, head: null, commit: null, failure: failure.toJSON() })
  }
  await snapshot(parts)
  return { again: clock.now() + (repositories.config(name)?.poll ?? defaultPoll) }
}

/** Takes every repository's head together; when that is new, follows what its workspace document says and wakes the environments. */
export async function snapshot(parts: Parts): Promise<void> {
  const { sql, clock, repositories } = parts
  const rows = await knownRepositories(sql)
  const followed = rows.filter((row) => repositories.names().includes(row.name))
  // One that is followed and was not looked at yet is about to be: a snapshot without it would say less than there is.
  if (followed.length < repositories.names().length) return
  const taken = snapshotOf(Object.fromEntries(followed.flatMap((row) => (row.head === null ? [] : [[row.name, row.head]]))))
  if ((await newestSnapshot(sql))?.id === taken.id) return
  await saveSnapshot(sql, taken, clock.now())
  const saved = await newestSnapshot(sql)
  if (saved !== undefined) await accept(parts, saved)
}

/** Reads a snapshot's configuration. A broken one is said, and the configuration before it goes on standing. */
export async function accept(parts: Parts, newest: SnapshotRow): Promise<void> {
  const { sql, clock, repositories } = parts
  try {
    const configuration = await parts.configurations.of(newest)
    await saveProblems(sql, newest.id, configuration.problems)
    const added = repositories.follow(configuration.workspace)
    for (const row of await knownRepositories(sql)) if (!repositories.names().includes(row.name)) await forgetRepository(sql, row.name)
    for (const name of added) await enqueue(sql, clock, `repository/${name}`)
    if (added.length > 0) return // their own look takes the next snapshot
    for (const environment of configuration.environments.keys()) await enqueue(sql, clock, `environment/${environment}`)
  } catch (error) {
    const failure = asFailure(error, `snapshot ${newest.id}`)
    parts.log(`${failure.code}: ${failure.subject}: ${failure.message}`)
    await saveProblems(sql, newest.id, [failure.toJSON()])
  }
}
