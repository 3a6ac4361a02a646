import { digestOf } from '#lib/digest.ts'
import { asFailure, Failure } from '#lib/failure.ts'
import type { FailureJson } from '#lib/failure.ts'
import { snapshotOf } from '#model/snapshot.ts'
import type { Snapshot } from '#model/snapshot.ts'
import { enqueue, enqueueAll, tryAgain } from '#store/queue.ts'
import { forgetRepository, lockSnapshots, newestSnapshot, policyEnvironments, repositories as knownRepositories, saveProblems, saveRepository, saveSnapshot } from '#store/snapshots.ts'
import type { RepositoryRow, SnapshotRow } from '#store/snapshots.ts'
import type { Parts } from './parts.ts'

const defaultPoll = 60_000
/** A repository that could not be read is looked at again sooner: nobody sends a webhook for its coming back. */
const failedPoll = 10_000

/**
 * Looks at one repository. A new head makes a new snapshot of all heads, and every environment is asked what that means for it.
 * A repository that cannot be reached keeps its last head, and its row says why.
 */
export async function follow(parts: Parts, name: string, signal: AbortSignal): Promise<{ again: number } | undefined> {
  const { sql, clock, repositories } = parts
  if (!repositories.names().includes(name)) return undefined
  const mirror = repositories.mirror(name)
  const row = { name, url: mirror.url, branch: mirror.branch, checkedAt: clock.now() }
  const before = (await knownRepositories(sql)).find((one) => one.name === name)
  let poll = repositories.config(name)?.poll ?? defaultPoll
  let failed = false
  try {
    const { head, forced } = await mirror.fetch(signal)
    if (forced) parts.log(`repository ${name}: its branch was rewritten; following ${head.slice(0, 8)}`)
    await saveRepository(sql, { ...row, head, commit: await mirror.commit(head), failure: null })
  } catch (error) {
    signal.throwIfAborted()
    const failure = asFailure(error, `repository ${name}`)
    parts.log(`${failure.code}: ${failure.subject}: ${failure.message}`)
    await saveRepository(sql, { ...row, head: null, commit: null, failure: failure.toJSON() })
    poll = Math.min(poll, failedPoll)
    failed = true
  }
  // Where its mirror is lost as well there is nothing to take a snapshot of: it is said above, and looked for again soon.
  await snapshot(parts).catch((error: unknown) => (failed && isUnread(error) ? undefined : Promise.reject(error)))
  // Whatever failed may have failed for want of it.
  if (!failed && before?.failure !== undefined && before.failure !== null) await tryAgain(sql, clock)
  return { again: clock.now() + poll }
}

/** Whether what a snapshot says is not at hand here. */
export function isUnread(error: unknown): boolean {
  return error instanceof Failure && error.code === 'snapshot-unread'
}

/**
 * Takes every repository's head together. Where the configuration of that does not load, the workspace's own repository stays at the commit that did, and
 * the others go on: a broken workspace or environment is said, and freezes nobody. What could not be read is thrown, to be tried again.
 */
export async function snapshot(parts: Parts): Promise<void> {
  const { sql, repositories } = parts
  for (;;) {
    const rows = await knownRepositories(sql)
    const followed = rows.filter((row) => repositories.names().includes(row.name))
    // One that is followed and was not looked at yet is about to be: a snapshot without it would say less than there is.
    if (followed.length < repositories.names().length) return
    const heads = headsOf(followed)
    const choice = await choose(parts, heads)
    // Where there are repositories to follow that were not known, their own look takes the snapshot.
    if (choice === undefined || (await keep(parts, heads, choice))) return
  }
}

/** What was known before a restart is followed at once, also while no repository can be reached. */
export async function resume(parts: Parts, newest: SnapshotRow): Promise<void> {
  const { sql, repositories } = parts
  const { url } = repositories.mirror(repositories.workspaceName())
  const own = (await knownRepositories(sql)).find((row) => row.url === url && row.name in newest.commits)
  if (own !== undefined) repositories.nameWorkspace(own.name)
  // A mirror that is gone is made anew by the first look at its repository.
  await read(parts, newest).catch((error: unknown) => parts.log(`snapshot ${newest.id}: ${asFailure(error, 'the configuration').message}`))
}

type Choice = { readonly taken: Snapshot; readonly problems: readonly FailureJson[]; readonly environments: readonly string[] }

/** The newest snapshot that loads, of these heads. */
async function choose(parts: Parts, heads: Readonly<Record<string, string>>): Promise<Choice | undefined> {
  const own = parts.repositories.workspaceName()
  const standing = (await newestSnapshot(parts.sql))?.commits[own]
  const taken = snapshotOf(heads)
  const found = await read(parts, taken)
  if (!('refused' in found)) return found.added ? undefined : { taken, ...found }
  const { refused } = found
  const stays = standing === undefined || standing === heads[own] ? undefined : snapshotOf({ ...heads, [own]: standing })
  const before = stays === undefined ? undefined : await read(parts, stays)
  // Where nothing that loads was ever seen, what there is, is kept: to say what is wrong with it.
  if (stays === undefined || before === undefined || 'refused' in before) return { taken, problems: refused, environments: [] }
  return before.added ? undefined : { ...before, taken: stays, problems: [...refused, ...before.problems] }
}

type Found = { readonly refused: readonly FailureJson[] } | { readonly added: boolean; readonly problems: readonly FailureJson[]; readonly environments: readonly string[] }

/** Reads the configuration of a snapshot, and follows what its workspace document says from now on. What is wrong with it where it does not load is answered. */
async function read(parts: Parts, taken: Snapshot): Promise<Found> {
  const { sql, clock, repositories } = parts
  try {
    const { workspace, problems, environments } = await parts.configurations.of(taken)
    const added = repositories.follow(workspace)
    for (const row of await knownRepositories(sql)) if (!repositories.names().includes(row.name)) await forgetRepository(sql, row.name)
    for (const name of added) await enqueue(sql, clock, `repository/${name}`)
    return { added: added.length > 0, problems, environments: [...environments.keys()] }
  } catch (error) {
    const failure = asFailure(error, 'the configuration')
    if (failure.code !== 'configuration-invalid') throw failure
    parts.log(`${failure.code}: ${failure.subject}: ${failure.message}`)
    const { problems } = failure.fields
    return { refused: Array.isArray(problems) ? (problems as unknown as FailureJson[]) : [failure.toJSON()] }
  }
}

/** The snapshot, what is wrong with it and who has to look at it become known together. Tells whether they did: not when somebody saw a newer head meanwhile. */
async function keep(parts: Parts, heads: Readonly<Record<string, string>>, { taken, problems, environments }: Choice): Promise<boolean> {
  const { clock, repositories } = parts
  return parts.sql.transaction(async (tx) => {
    await lockSnapshots(tx)
    const now = headsOf((await knownRepositories(tx)).filter((row) => repositories.names().includes(row.name)))
    if (snapshotOf(now).id !== snapshotOf(heads).id) return false
    const newest = await newestSnapshot(tx)
    const isNew = newest?.id !== taken.id
    if (isNew) await saveSnapshot(tx, taken, clock.now())
    if (isNew || digestOf(newest.problems) !== digestOf([...problems])) await saveProblems(tx, taken.id, problems, clock.now())
    if (isNew) await enqueueAll(tx, clock, [...new Set([...environments, ...(await policyEnvironments(tx))])].map((name) => `environment/${name}`))
    return true
  })
}

function headsOf(rows: readonly RepositoryRow[]): Record<string, string> {
  return Object.fromEntries(rows.flatMap((row) => (row.head === null ? [] : [[row.name, row.head]])))
}
