import { asFailure } from '#lib/failure.ts'
import { newestSnapshot, repositories as knownRepositories } from '#store/snapshots.ts'
import type { SnapshotRow } from '#store/snapshots.ts'
import type { Parts } from './parts.ts'

/**
 * Of many processes on one store, one took the newest snapshot. The others learn of it here, before they work on anything: which repositories are followed
 * by now, and (in mirrors of their own) the commits that it names. What was caught up with costs one read of the store.
 */
export async function catchUp(parts: Parts, signal: AbortSignal): Promise<void> {
  const newest = await newestSnapshot(parts.sql)
  if (newest === undefined || parts.repositories.caughtUp === newest.id) return
  const { repositories } = parts
  if (!(repositories.workspaceName() in newest.commits)) {
    const { url } = repositories.mirror(repositories.workspaceName())
    const own = (await knownRepositories(parts.sql)).find((row) => row.url === url && row.name in newest.commits)
    if (own === undefined) return
    repositories.nameWorkspace(own.name)
  }
  await fetchMissing(parts, newest, [repositories.workspaceName()], signal)
  repositories.follow((await parts.configurations.of(newest)).workspace)
  const whole = await fetchMissing(parts, newest, Object.keys(newest.commits), signal)
  if (whole) repositories.caughtUp = newest.id
}

/** Whether every commit is there by now. What cannot be fetched is told, and is tried again by whoever comes next. */
async function fetchMissing(parts: Parts, newest: SnapshotRow, names: readonly string[], signal: AbortSignal): Promise<boolean> {
  const there = await Promise.all(
    names.map(async (name) => {
      const commit = newest.commits[name]
      if (commit === undefined || !parts.repositories.names().includes(name)) return false
      const mirror = parts.repositories.mirror(name)
      try {
        await mirror.commit(commit).catch(async () => {
          await mirror.fetch(signal)
          await mirror.commit(commit)
        })
        return true
      } catch (error) {
        signal.throwIfAborted()
        parts.log(`repository ${name}: ${asFailure(error, name).message}`)
        return false
      }
    }),
  )
  return there.every(Boolean)
}
