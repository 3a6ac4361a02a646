import { equalJson, isObject, type Json } from '#lib/json.ts'
import type { KubernetesObject, Objects } from '#playground/contract.ts'
import { selectorMatches } from '../admission/label-selector.ts'
import type { Storage } from '../storage.ts'

const clusterRoles = { group: 'rbac.authorization.k8s.io', version: 'v1', plural: 'clusterroles' }
const resource = 'rbac.authorization.k8s.io/clusterroles'

/** Keeps the rules of each ClusterRole with an aggregation rule: those of the roles that it selects, in the order of their names. */
export function aggregateRoles(storage: Storage, objects: Objects): void {
  const all = (): void => {
    // Roles collect from roles that collect: at most as many rounds as there are roles, and two or three in truth.
    for (let round = 0, changed = true; changed && round < 10; round += 1) changed = storage.list(resource).filter((role) => collect(storage, objects, role)).length > 0
  }
  all()
  storage.subscribe((change) => {
    if (change.resource === resource) all()
  })
}

function collect(storage: Storage, objects: Objects, role: KubernetesObject): boolean {
  const rule = isObject(role.aggregationRule) ? role.aggregationRule : undefined
  const selectors = Array.isArray(rule?.clusterRoleSelectors) ? rule.clusterRoleSelectors.filter(isObject) : []
  if (selectors.length === 0 || role.metadata.deletionTimestamp !== undefined) return false
  const rules: Json[] = []
  for (const other of storage.list(resource)) {
    if (other.metadata.name === role.metadata.name || !selectors.some((selector) => selectorMatches(selector, other.metadata.labels))) continue
    for (const each of Array.isArray(other.rules) ? other.rules : []) if (!rules.some((known) => equalJson(known, each))) rules.push(each)
  }
  if (equalJson(role.rules ?? [], rules)) return false
  objects.edit(clusterRoles, '', role.metadata.name ?? '', 'object', 'clusterrole-aggregation-controller', (next) => {
    next.rules = rules
  })
  return true
}
