import { secretAllowed as allowedBy } from '#model/secret-reference.ts'
import { matchesGlob } from '#model/glob.ts'
import { parseKey, type ObjectKey } from '#model/resource.ts'
import type { Limits } from './workspace.ts'

/** Whether a repository may use a secret reference (`<provider>:<path>#<key>`); the key is part of what the globs see. */
export function secretAllowed(reference: string, limits: Limits): boolean {
  return limits === 'everything' || allowedBy(reference, limits.secrets)
}

/** Whether a repository may have an object in an environment, at whatever target. */
export function objectAllowed(key: ObjectKey, environment: string, limits: Limits): boolean {
  if (limits === 'everything') return true
  const { group, kind, namespace, name } = parseKey(key)
  const isListed = (globs: readonly string[], what: string): boolean => globs.some((glob) => matchesGlob(glob, what))
  const within = namespace !== '' ? namespace : group === '' && kind === 'Namespace' ? name : undefined
  const isKind = limits.kinds === 'namespaced' ? namespace !== '' : limits.kinds.includes(group === '' ? kind : `${kind}.${group}`)
  return isKind && isListed(limits.environments, environment) && (within === undefined || isListed(limits.namespaces, within))
}
