import { isObject } from '#lib/json.ts'
import type { Json } from '#lib/json.ts'
import { unexpected } from './forge.ts'
import type { Forge, PullRequest } from './forge.ts'

/** GitLab REST API v4, "Merge requests". `project` is the full path (`group/subgroup/name`). */
export const gitlab: Forge = {
  url: 'https://gitlab.com',
  headers: (token) => ({ 'private-token': token }),
  find: async (call, project, { branch, into }) => {
    const query = new URLSearchParams({ state: 'all', source_branch: branch, target_branch: into, order_by: 'created_at', sort: 'desc', per_page: '1' })
    const answer = await call('GET', `${mergeRequests(project)}?${query}`)
    if (answer.status !== 200 || !Array.isArray(answer.json)) throw unexpected(answer, `looking for the merge request of ${branch}`)
    return answer.json.map(requestOf).find((request) => request !== undefined)
  },
  open: async (call, project, { branch, into, title, body }) => {
    const answer = await call('POST', mergeRequests(project), { source_branch: branch, target_branch: into, title, description: body, remove_source_branch: true })
    const request = answer.status === 201 ? requestOf(answer.json) : undefined
    if (request !== undefined) return request
    if (answer.status === 409) return undefined
    throw unexpected(answer, `opening a merge request of ${branch}`)
  },
}

function mergeRequests(project: string): string {
  return `/api/v4/projects/${encodeURIComponent(project)}/merge_requests`
}

function requestOf(json: Json): PullRequest | undefined {
  if (!isObject(json) || typeof json['iid'] !== 'number' || typeof json['web_url'] !== 'string') return undefined
  const { state } = json
  return { number: json['iid'], url: json['web_url'], state: state === 'merged' ? 'merged' : state === 'closed' ? 'closed' : 'open' }
}
