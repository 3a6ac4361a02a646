import { Failure } from '#lib/failure.ts'
import { forgeCaller } from './call.ts'
import type { Forge, ForgeKind, NewPullRequest, PullRequest } from './forge.ts'
import { gitea } from './gitea.ts'
import { github } from './github.ts'
import { gitlab } from './gitlab.ts'

const forges: Readonly<Record<ForgeKind, Forge>> = { github, gitlab, gitea, forgejo: gitea }

/** A repository's forge, with the token for one call. */
export type ForgeAccess = { readonly kind: ForgeKind; readonly url: string | undefined; readonly project: string; readonly token: string }

export type EnsurePullRequest = (access: ForgeAccess, request: NewPullRequest, signal: AbortSignal) => Promise<PullRequest>

/**
 * The open (or merged) request for a branch, opened if there is none: one that was closed without a merge is not the one that is asked for, unless
 * the forge keeps it from being opened anew. Failures: `forge-url-refused`, `forge-unreachable`, `forge-refused`.
 */
export async function ensurePullRequest(access: ForgeAccess, request: NewPullRequest, signal: AbortSignal): Promise<PullRequest> {
  const forge = forges[access.kind]
  const url = access.url ?? forge.url
  if (url === undefined) throw new Failure({ code: 'forge-url-refused', subject: access.project, message: `a forge of kind ${access.kind} has no URL of its own`, hint: 'Name it in spec.repositories.<name>.forge.url.' })
  const call = forgeCaller({ url, headers: forge.headers(access.token), token: access.token, signal })
  const found = await forge.find(call, access.project, request)
  if (found !== undefined && found.state !== 'closed') return found
  const opened = (await forge.open(call, access.project, request)) ?? (await forge.find(call, access.project, request))
  if (opened !== undefined) return opened
  throw new Failure({ code: 'forge-refused', subject: access.project, message: `the forge says that a request for ${request.branch} is there, and shows none`, retry: 'later' })
}
