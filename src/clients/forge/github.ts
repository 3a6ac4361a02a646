import { isObject } from '#lib/json.ts'
import type { Json } from '#lib/json.ts'
import { unexpected } from './forge.ts'
import type { Forge, PullRequest } from './forge.ts'

/** GitHub REST API, version 2022-11-28, "Pulls". `project` is `owner/name`. */
export const github: Forge = {
  url: 'https://api.github.com',
  headers: (token) => ({ authorization: `Bearer ${token}`, accept: 'application/vnd.github+json', 'x-github-api-version': '2022-11-28' }),
  find: async (call, project, { branch, into }) => {
    const [owner = ''] = project.split('/')
    const query = new URLSearchParams({ state: 'all', head: `${owner}:${branch}`, base: into, sort: 'created', direction: 'desc', per_page: '1' })
    const answer = await call('GET', `/repos/${project}/pulls?${query}`)
    if (answer.status !== 200 || !Array.isArray(answer.json)) throw unexpected(answer, `looking for the pull request of ${branch}`)
    return answer.json.map(pullOf).find((pull) => pull !== undefined)
  },
  open: async (call, project, { branch, into, title, body }) => {
    const answer = await call('POST', `/repos/${project}/pulls`, { title, body, head: branch, base: into, maintainer_can_modify: true })
    const pull = answer.status === 201 ? pullOf(answer.json) : undefined
    if (pull !== undefined) return pull
    // The text is the only thing that tells this 422 from others; `find` then says whether it is so.
    if (answer.status === 422 && JSON.stringify(answer.json).includes('already exists')) return undefined
    throw unexpected(answer, `opening a pull request of ${branch}`)
  },
}

function pullOf(json: Json): PullRequest | undefined {
  if (!isObject(json) || typeof json['number'] !== 'number' || typeof json['html_url'] !== 'string') return undefined
  const state = json['state'] === 'open' ? 'open' : typeof json['merged_at'] === 'string' ? 'merged' : 'closed'
  return { number: json['number'], url: json['html_url'], state }
}
