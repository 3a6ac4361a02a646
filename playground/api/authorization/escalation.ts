import { equalJson, isObject } from '#lib/json.ts'
import type { KubernetesObject } from '#playground/contract.ts'
import type { Kind } from '../kinds.ts'
import type { User } from '../request.ts'
import { forbidden, notFound } from '../status.ts'
import type { Authorizer } from './authorizer.ts'
import { resourceMatches, type Rule, rulesOf, urlMatches } from './rule.ts'

const group = 'rbac.authorization.k8s.io'

/**
 * Nobody gives away by a role or a binding what he does not have himself, unless he may `escalate` the role or `bind` it. Throws 403, or 404 for a
 * binding to a role that is not there. Source: kubernetes `pkg/registry/rbac/…/policybased`, `component-helpers/auth/rbac/validation`.
 */
export function checkEscalation(authorizer: Authorizer, user: User, kind: Kind, object: KubernetesObject, live: KubernetesObject | undefined): void {
  if (kind.group !== group || authorizer.isMaster(user)) return
  const namespace = kind.namespaced ? (object.metadata.namespace ?? '') : ''
  const name = object.metadata.name ?? ''
  const may = (verb: string, resource: string, named: string): boolean =>
    authorizer.check(user, { resourceRequest: true, verb, path: '', group, version: 'v1', resource, subresource: '', namespace, name: named }).allowed
  let given: readonly Rule[]
  if (kind.kind === 'Role' || kind.kind === 'ClusterRole') {
    if (live !== undefined && equalJson(live.rules, object.rules) && equalJson(live.aggregationRule, object.aggregationRule)) return
    if (may('escalate', kind.plural, name)) return
    const everything = { verbs: ['*'], apiGroups: ['*'], resources: ['*'], resourceNames: [], nonResourceURLs: [] }
    const paths = { verbs: ['*'], apiGroups: [], resources: [], resourceNames: [], nonResourceURLs: ['*'] }
    // Whoever collects other roles' rules may come to hold any.
    given = object.aggregationRule === undefined ? rulesOf(object.rules) : [...rulesOf(object.rules), everything, paths]
  } else {
    if (live !== undefined && equalJson(live.subjects, object.subjects) && equalJson(live.roleRef, object.roleRef)) return
    const ref = isObject(object.roleRef) ? object.roleRef : {}
    const [refKind, refName] = [String(ref.kind), String(ref.name)]
    const plural = refKind === 'ClusterRole' ? 'clusterroles' : 'roles'
    if (may('bind', plural, refName)) return
    const found = authorizer.index.rulesOfRole(refKind, namespace, refName)
    if (found === undefined) throw notFound({ group, plural, kind: refKind }, refName)
    given = found
  }
  const missing = uncovered(authorizer.rules(user, namespace).rules, given)
  if (missing.length === 0) return
  const groups = `[${user.groups.map((each) => JSON.stringify(each)).join(' ')}]`
  throw forbidden(kind, name, `user ${JSON.stringify(user.name)} (groups=${groups}) is attempting to grant RBAC permissions not currently held:\n${missing.join('\n')}`)
}

/** What `held` does not cover of `wanted`, each as Kubernetes writes it, in order; verbs on the same resource together. */
function uncovered(held: readonly Rule[], wanted: readonly Rule[]): string[] {
  const verbs = new Map<string, string[]>()
  for (const rule of wanted) {
    for (const verb of rule.verbs) {
      for (const url of rule.nonResourceURLs) {
        if (!held.some((own) => includes(own.verbs, verb) && own.nonResourceURLs.some((pattern) => urlMatches(pattern, url)))) add(verbs, `NonResourceURLs:${list([url])}`, verb)
      }
      for (const [apiGroup, resource] of rule.apiGroups.flatMap((one) => rule.resources.map((other) => [one, other] as const))) {
        for (const name of rule.resourceNames.length === 0 ? [undefined] : rule.resourceNames) {
          if (held.some((own) => covers(own, verb, apiGroup, resource, name))) continue
          add(verbs, `APIGroups:${list([apiGroup])}, Resources:${list([resource])}${name === undefined ? '' : `, ResourceNames:${list([name])}`}`, verb)
        }
      }
    }
  }
  return [...verbs].map(([what, of]) => `{${what}, Verbs:${list(of)}}`).sort()
}

function covers(own: Rule, verb: string, apiGroup: string, resource: string, name: string | undefined): boolean {
  const [plural = '', subresource = ''] = resource.split('/')
  return (
    includes(own.verbs, verb) &&
    includes(own.apiGroups, apiGroup) &&
    (own.resources.includes(resource) || (plural === '*' ? own.resources.includes('*') : resourceMatches(own.resources, plural, subresource))) &&
    (own.resourceNames.length === 0 || (name !== undefined && own.resourceNames.includes(name)))
  )
}

const includes = (values: readonly string[], wanted: string): boolean => values.includes(wanted) || values.includes('*')
const list = (values: readonly string[]): string => `[${values.map((value) => JSON.stringify(value)).join(' ')}]`

function add(verbs: Map<string, string[]>, key: string, verb: string): void {
  const known = verbs.get(key) ?? []
  if (!known.includes(verb)) verbs.set(key, [...known, verb])
}
