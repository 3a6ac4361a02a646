import type { Commit } from '#model/snapshot.ts'
import { findSnapshot } from '#store/snapshots.ts'
import type { SnapshotRow } from '#store/snapshots.ts'
import type { StatusRow } from '#store/statuses.ts'
import type { Asked } from './asked.ts'
import type { Parts } from './parts.ts'
import type { Intents } from './render-run.ts'

export type Change = Commit & { readonly repository: string }

/** As many as a run tells of. Who wrote it all, `authors.ts` asks. */
const most = 50

/** The commits that lie between what was delivered and a snapshot, in the repositories of some modules: who changed what, and why. The newest first. */
export async function changesBetween(
  parts: Parts,
  snapshot: SnapshotRow,
  modules: readonly string[],
  intents: Intents,
  known: ReadonlyMap<string, StatusRow>,
): Promise<Change[]> {
  // Of a repository's modules, the one that is the furthest behind tells from where.
  const oldest = new Map<string, StatusRow | undefined>()
  for (const module of modules) {
    const row = known.get(module)
    const repository = intents.modules.get(module)?.repository ?? row?.repository
    if (repository === undefined) continue
    const other = oldest.get(repository)
    const isOlder = row !== undefined && row.snapshotSeq !== null && (other === undefined || other.snapshotSeq === null || row.snapshotSeq < other.snapshotSeq)
    if (isOlder || !oldest.has(repository)) oldest.set(repository, row)
  }
  const from = new Map<string, string | undefined>()
  for (const [repository, row] of oldest) from.set(repository, typeof row?.snapshot === 'string' ? (await findSnapshot(parts.sql, row.snapshot))?.commits[repository] : undefined)
  return changesSince(parts, snapshot, from)
}

/** The commits of some repositories up to a snapshot, each since a commit of its own; where that is not known, the head alone. The newest first. */
export async function changesSince(parts: Parts, snapshot: SnapshotRow, from: ReadonlyMap<string, string | undefined>): Promise<Change[]> {
  const changes: Change[] = []
  for (const [repository, before] of from) {
    const head = snapshot.commits[repository]
    if (head === undefined || head === before || !parts.repositories.names().includes(repository)) continue
    const mirror = parts.repositories.mirror(repository)
    // Without a point to start from (the first delivery), the head speaks for itself.
    const commits = before === undefined ? [await mirror.commit(head)] : await mirror.log(before, head).catch(async () => [await mirror.commit(head)])
    changes.push(...commits.slice(0, most).map((commit) => ({ ...commit, repository })))
  }
  return changes.sort((a, b) => b.at - a.at).slice(0, most)
}

/** Who, why and on which ticket: a person's word first, else what the newest commit says. */
export function storyOf(changes: readonly Change[], asked: Asked | undefined): { actor: string; reason: string; ticket: string | null } {
  const [newest] = changes
  if (asked !== undefined) return { actor: asked.by, reason: asked.reason, ticket: asked.ticket }
  if (newest === undefined) return { actor: 'plumbline', reason: 'the workspace changed', ticket: null }
  return {
    actor: newest.author.email === '' ? newest.author.name : `${newest.author.name} <${newest.author.email}>`,
    reason: newest.trailers['Reason'] ?? newest.subject,
    ticket: newest.trailers['Ticket'] ?? null,
  }
}
