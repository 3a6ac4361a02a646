import type { PullRequest } from '#clients/forge/forge.ts'
import { Failure } from '#lib/failure.ts'
import { addressesOf } from '#model/principal.ts'
import type { Parts } from './parts.ts'

/** Some files changed, as a commit on a branch of Plumbline's own; or (`deployed`) on the branch that is followed. */
export type Proposed = {
  readonly repository: string
  readonly branch: string
  readonly to: 'branch' | 'deployed'
  /** What the change was proven on: the branch's tip where it exists, else the head that is followed. */
  readonly onto: string
  /** The branch's tip when that was found out; undefined where there was none. */
  readonly tip: string | undefined
  readonly changes: ReadonlyMap<string, Buffer | undefined>
  readonly message: string
  readonly at: number
  readonly author: { readonly name: string; readonly email: string }
}

/** Who commits, and who is the author where nobody asked. */
export const plumblineAuthor = { name: 'Plumbline', email: 'plumbline@plumbline.invalid' }

/** Commits and pushes: with the old value, so that nothing of anybody's is lost. Answers the commit. Failures: those of `propose.ts` in source. */
export async function pushProposal(parts: Parts, proposed: Proposed, signal: AbortSignal): Promise<string> {
  const mirror = parts.repositories.mirror(proposed.repository)
  const { onto, changes, message, at, author } = proposed
  const commit = await mirror.draft({ onto, changes, message, at, author, committer: plumblineAuthor }, signal)
  await mirror.propose(proposed.to === 'deployed' ? 'deployed' : { branch: proposed.branch }, commit, proposed.to === 'deployed' ? onto : proposed.tip, signal)
  return commit
}

/** What would be committed, as `git apply` takes it. */
export async function patchOf(parts: Parts, repository: string, onto: string, changes: Proposed['changes'], signal: AbortSignal): Promise<string> {
  const mirror = parts.repositories.mirror(repository)
  return mirror.patch(onto, await mirror.draft({ onto, changes, message: 'A draft', at: 0, author: plumblineAuthor, committer: plumblineAuthor }, signal))
}

/** The pull request for a branch, where the repository has a forge. Failures: those of the forge and of its token. */
export async function pullRequestOf(parts: Parts, repository: string, request: { readonly branch: string; readonly title: string; readonly body: string }, signal: AbortSignal): Promise<PullRequest | undefined> {
  const forge = parts.repositories.config(repository)?.forge
  if (forge === undefined) return undefined
  const token = (await parts.resolveSecret(forge.token.secretRef, signal)).value
  return parts.pullRequest({ kind: forge.kind, url: forge.url, project: forge.project, token }, { ...request, into: parts.repositories.mirror(repository).branch }, signal)
}

/** Who a principal is to Git. */
export function authorOf(principal: { readonly name: string; readonly emails: readonly string[] }): { name: string; email: string } {
  return { name: principal.name, email: addressesOf(principal)[0] }
}

/** The head that is followed. Failure `repository-unreachable` where nothing was ever fetched. */
export async function headOf(parts: Parts, repository: string): Promise<string> {
  const head = await parts.repositories.mirror(repository).head()
  if (head !== undefined) return head
  throw new Failure({ code: 'repository-unreachable', subject: `repository ${repository}`, message: 'nothing of it was fetched yet', hint: 'plumb status tells what is in the way.', retry: 'later' })
}
