import { isObject } from '#lib/json.ts'
import type { Json } from '#lib/json.ts'
import { unexpected } from './forge.ts'
import type { Forge, PullRequest } from './forge.ts'

/** Gitea and Forgejo, API v1, "repository: pull requests". `project` is `owner/name`. */
export const gitea: Forge = {
  url: undefined,
  headers: (token) => ({ authorization: `token ${token}` }),
  find: async (call, project, { branch, into }) => {
    const answer = await call('GET', `/api/v1/repos/${project}/pulls/${encodeURIComponent(into)}/${encodeURIComponent(branch)}`)
    if (answer.status === 404) return undefined
    const pull = answer.status === 200 ? pullOf(answer.json) : undefined
    if (pull === undefined) throw unexpected(answer, `looking for the pull request of ${branch}`)
    return pull
  },
  open: async (call, project, { branch, into, title, body }) => {
    const answer = await call('POST', `/api/v1/repos/${project}/pulls`, { title, body, head: branch, base: into })
    const pull = answer.status === 201 ? pullOf(answer.json) : undefined
    if (pull !== undefined) return pull
    if (answer.status === 409) return undefined
    throw unexpected(answer, `opening a pull request of ${branch}`)
  },
}

function pullOf(json: Json): PullRequest | undefined {
  if (!isObject(json) || typeof json['number'] !== 'number' || typeof json['html_url'] !== 'string') return undefined
  return { number: json['number'], url: json['html_url'], state: json['merged'] === true ? 'merged' : json['state'] === 'open' ? 'open' : 'closed' }
}
