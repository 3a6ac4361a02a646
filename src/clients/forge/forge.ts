import { Failure } from '#lib/failure.ts'
import type { ForgeAnswer, ForgeCall } from './call.ts'

export const forgeKinds = ['github', 'gitlab', 'gitea', 'forgejo'] as const
export type ForgeKind = (typeof forgeKinds)[number]

/** A request to merge a branch; a forge of GitLab's kind calls it a merge request. */
export type PullRequest = { readonly number: number; readonly url: string; readonly state: 'open' | 'merged' | 'closed' }

export type NewPullRequest = { readonly branch: string; readonly into: string; readonly title: string; readonly body: string }

/** What one kind of forge is asked, and how its answers are read. One file a kind. */
export type Forge = {
  /** Where the forge is, if nothing else is said. */
  readonly url: string | undefined
  readonly headers: (token: string) => Readonly<Record<string, string>>
  /** The newest request for a branch, whatever became of it. */
  readonly find: (call: ForgeCall, project: string, request: Pick<NewPullRequest, 'branch' | 'into'>) => Promise<PullRequest | undefined>
  /** Opens one; undefined where the forge says that there is one already. */
  readonly open: (call: ForgeCall, project: string, request: NewPullRequest) => Promise<PullRequest | undefined>
}

/** Failure `forge-refused`: an answer that is none of those that were asked for. */
export function unexpected(answer: ForgeAnswer, what: string): Failure {
  return new Failure({
    code: 'forge-refused',
    subject: answer.subject,
    message: `${what}: the forge answered ${answer.status}${answer.message === '' ? '' : ` (${answer.message})`}`,
    hint: answer.status === 401 || answer.status === 403 ? 'Is the token valid, and may it open pull requests there?' : answer.status === 404 ? 'Is the project’s name right, and may the token see it?' : 'The branch was pushed: the pull request can be opened by hand.',
    retry: answer.status >= 500 || answer.status === 429 ? 'later' : 'never',
  })
}
