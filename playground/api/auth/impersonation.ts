import type { Authorizer } from '../authorization/authorizer.ts'
import type { Attributes } from '../authorization/attributes.ts'
import type { User } from '../request.ts'
import { badRequest } from '../status.ts'
import { serviceAccountUser } from './service-account-tokens.ts'

const extraPrefix = 'impersonate-extra-'

/**
 * Whom a request's `Impersonate-*` headers make of its user; the user himself where there are none. Each header is authorised by itself.
 * `headers` are name and value in turn, as they came: a header may be there many times. Errors: 400 without a user, 403.
 * Source: apiserver `pkg/endpoints/filters/impersonation`.
 */
export function impersonated(user: User, headers: readonly string[], authorizer: Authorizer): User {
  const wished = wishes(headers)
  if (wished === undefined) return user
  if (wished.name === '') throw badRequest(`requested [${wished.others.join(' ')}] without impersonating a user`)
  const ask = (resource: string, name: string, more: Partial<Attributes> = {}): void => {
    authorizer.require(user, { resourceRequest: true, verb: 'impersonate', path: '', group: '', version: '', resource, subresource: '', namespace: '', name, ...more })
  }
  const account = /^system:serviceaccount:([a-z0-9-]+):([a-z0-9.-]+)$/.exec(wished.name)
  if (account === null) ask('users', wished.name)
  else ask('serviceaccounts', account[2] ?? '', { namespace: account[1] ?? '' })
  for (const group of wished.groups) ask('groups', group)
  for (const [key, values] of wished.extra) {
    for (const value of values) ask('userextras', value, { group: 'authentication.k8s.io', version: 'v1', subresource: key })
  }
  if (wished.uid !== '') ask('uids', wished.uid, { group: 'authentication.k8s.io', version: 'v1' })
  return {
    name: wished.name,
    groups: groupsOf(wished.name, wished.groups, account),
    ...(wished.uid === '' ? {} : { uid: wished.uid }),
    ...(wished.extra.size === 0 ? {} : { extra: Object.fromEntries(wished.extra) }),
  }
}

type Wishes = { name: string; uid: string; readonly groups: string[]; readonly extra: Map<string, string[]>; readonly others: string[] }

function wishes(headers: readonly string[]): Wishes | undefined {
  let found: Wishes | undefined
  for (let index = 0; index + 1 < headers.length; index += 2) {
    const name = (headers[index] ?? '').toLowerCase()
    if (!name.startsWith('impersonate-')) continue
    found ??= { name: '', uid: '', groups: [], extra: new Map(), others: [] }
    const value = headers[index + 1] ?? ''
    if (name === 'impersonate-user') found.name = value
    else if (name === 'impersonate-uid') found.uid = value
    else if (name === 'impersonate-group') found.groups.push(value)
    else if (name.startsWith(extraPrefix)) {
      const key = unescaped(name.slice(extraPrefix.length))
      found.extra.set(key, [...(found.extra.get(key) ?? []), value])
    } else continue
    if (name !== 'impersonate-user' && value !== '') found.others.push(`{${name === 'impersonate-uid' ? 'UID' : name === 'impersonate-group' ? 'Group' : 'UserExtra'}  ${value}    }`)
  }
  if (found === undefined || (found.name === '' && found.others.length === 0)) return undefined
  return found
}

function unescaped(key: string): string {
  try {
    return decodeURIComponent(key)
  } catch {
    return key
  }
}

/** Groups that are given are all that there are, but for the one that says whether somebody is known. */
function groupsOf(name: string, given: readonly string[], account: RegExpExecArray | null): string[] {
  if (given.length === 0 && account !== null) return [...serviceAccountUser(account[1] ?? '', account[2] ?? '').groups]
  if (name === 'system:anonymous') return given.includes('system:unauthenticated') ? [...given] : [...given, 'system:unauthenticated']
  const told = given.includes('system:authenticated') || given.includes('system:unauthenticated')
  return told ? [...given] : [...given, 'system:authenticated']
}
