import { isObject, type JsonObject } from '#lib/json.ts'
import { readOptionsBody } from './body.ts'
import { type Answer, type ApiRequest, json, type User } from './request.ts'
import type { Tokens } from './tokens.ts'

/** Questions about who one is and what one may do. Whoever has a token may do everything, until roles are enforced. */
export function answerReview(request: ApiRequest, tokens: Tokens): Answer | undefined {
  if (request.method !== 'POST') return undefined
  const plural = /^\/apis\/(authentication|authorization)\.k8s\.io\/v1\/([a-z]+)$/.exec(request.path)
  if (plural === null) return undefined
  const body = readOptionsBody(request)
  const spec = isObject(body.spec) ? body.spec : {}
  const group = `${plural[1] ?? ''}.k8s.io/v1`
  const answer = (kind: string, status: JsonObject): Answer =>
    json(201, { kind, apiVersion: group, metadata: isObject(body.metadata) ? body.metadata : {}, ...(Object.keys(spec).length > 0 ? { spec } : {}), status })
  switch (plural[2]) {
    case 'selfsubjectreviews':
      return answer('SelfSubjectReview', { userInfo: userInfo(request.user) })
    case 'tokenreviews': {
      const user = typeof spec.token === 'string' ? tokens.userOf(spec.token) : undefined
      return answer('TokenReview', user === undefined ? { authenticated: false, user: {}, error: 'the token is not known' } : { authenticated: true, user: userInfo(user) })
    }
    case 'selfsubjectaccessreviews':
      return answer('SelfSubjectAccessReview', { allowed: true, reason: 'every token of this server may do everything' })
    case 'subjectaccessreviews':
      return answer('SubjectAccessReview', { allowed: true, reason: 'roles are not enforced by this server yet' })
    case 'selfsubjectrulesreviews':
      return answer('SelfSubjectRulesReview', {
        resourceRules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }],
        nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }],
        incomplete: false,
      })
    default:
      return undefined
  }
}

function userInfo(user: User): JsonObject {
  return { username: user.name, groups: [...user.groups] }
}
