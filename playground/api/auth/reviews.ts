import { isObject, type JsonObject } from '#lib/json.ts'
import type { User } from '../request.ts'
import { badRequest } from '../status.ts'
import type { Authenticator } from './authenticator.ts'

/** The status of a TokenReview. */
export function tokenReview(spec: JsonObject, authenticator: Authenticator): JsonObject {
  if (typeof spec.token !== 'string' || spec.token === '') throw badRequest('token is required for TokenReview in authentication')
  const audiences = Array.isArray(spec.audiences) ? spec.audiences.map(String) : []
  const reading = authenticator.review(spec.token, audiences)
  if (reading === undefined) return { user: {}, error: 'invalid bearer token' }
  if ('refused' in reading) return { user: {}, error: `[invalid bearer token, ${reading.refused}]` }
  return { authenticated: true, user: userInfo(reading.user), audiences: [...reading.audiences] }
}

/** A user as reviews and admission tell of one. */
export function userInfo({ name, uid, groups, extra }: User): JsonObject {
  return {
    username: name,
    ...(uid === undefined ? {} : { uid }),
    groups: [...groups],
    ...(extra === undefined ? {} : { extra: Object.fromEntries(Object.entries(extra).map(([key, values]) => [key, [...values]])) }),
  }
}

/** A user as a review's `spec` or an admission request tells of one. */
export function userOf(info: JsonObject, nameField: 'user' | 'username'): User {
  const extra = isObject(info.extra) ? Object.entries(info.extra).map(([key, values]): [string, string[]] => [key, Array.isArray(values) ? values.map(String) : []]) : []
  return {
    name: typeof info[nameField] === 'string' ? info[nameField] : '',
    groups: Array.isArray(info.groups) ? info.groups.map(String) : [],
    ...(typeof info.uid === 'string' ? { uid: info.uid } : {}),
    ...(extra.length === 0 ? {} : { extra: Object.fromEntries(extra) }),
  }
}
