import { isObject, type Json, type JsonObject } from '#lib/json.ts'
import type { KubernetesObject } from '#playground/contract.ts'
import { inVersion } from '../backend.ts'
import type { Kind } from '../kinds.ts'
import type { Registry } from '../registry.ts'
import type { Storage } from '../storage.ts'
import type { AdmissionRequest } from './admission-request.ts'
import { isEverything, selectorMatches } from './label-selector.ts'

export type Matched = { readonly kind: Kind }

export type World = { readonly storage: Storage; readonly registry: Registry }

/**
 * Whether a request is one of those that a policy, binding or webhook is about, and in which version of the kind it wants to see it. `criteria` is a
 * `MatchResources`, or a webhook with its `rules`. Source: apiserver `pkg/admission/plugin/policy/matching`, `webhook/predicates`.
 */
export function matched(request: AdmissionRequest, criteria: JsonObject, world: World): Matched | undefined {
  const rules = rulesOf(criteria.resourceRules ?? criteria.rules)
  if (rulesOf(criteria.excludeResourceRules).length > 0 && kindOf(request, rulesOf(criteria.excludeResourceRules), criteria.matchPolicy, world) !== undefined) return undefined
  const kind = rules.length === 0 && criteria.rules === undefined ? request.kind : kindOf(request, rules, criteria.matchPolicy, world)
  if (kind === undefined || !namespaceMatches(request, criteria.namespaceSelector, world.storage)) return undefined
  if (isEverything(criteria.objectSelector)) return { kind }
  const labels = (object: KubernetesObject | undefined): boolean => object !== undefined && selectorMatches(criteria.objectSelector, object.metadata.labels)
  return labels(request.object()) || labels(request.oldObject) ? { kind } : undefined
}

/** An object as the version that was matched shows it. */
export function asMatched(object: KubernetesObject | undefined, request: AdmissionRequest, kind: Kind): KubernetesObject | undefined {
  return object === undefined || request.subresource === 'scale' || request.subresource === 'eviction' ? object : inVersion(object, kind)
}

function kindOf(request: AdmissionRequest, rules: readonly JsonObject[], policy: Json | undefined, { registry }: World): Kind | undefined {
  const holds = (kind: Kind): boolean => rules.some((rule) => ruleMatches(rule, kind, request))
  if (holds(request.kind)) return request.kind
  if (policy === 'Exact' || !request.kind.custom) return undefined
  return registry.all().find((kind) => kind.group === request.kind.group && kind.plural === request.kind.plural && kind.version !== request.kind.version && holds(kind))
}

function ruleMatches(rule: JsonObject, kind: Kind, { operation, subresource, name }: AdmissionRequest): boolean {
  const scope = rule.scope ?? '*'
  if (scope !== '*' && (scope === 'Namespaced') !== kind.namespaced) return false
  const resources = (Array.isArray(rule.resources) ? rule.resources : []).map((each) => String(each).split('/'))
  const names = Array.isArray(rule.resourceNames) ? rule.resourceNames : []
  return (
    among(rule.operations, operation) &&
    among(rule.apiGroups, kind.group) &&
    among(rule.apiVersions, kind.version) &&
    resources.some(([plural = '', part = '']) => (plural === '*' || plural === kind.plural) && (part === '*' || part === subresource)) &&
    (names.length === 0 || names.includes(name))
  )
}

function namespaceMatches(request: AdmissionRequest, selector: Json | undefined, storage: Storage): boolean {
  if (request.namespace === '' || isEverything(selector)) return true
  const itself = request.kind.group === '' && request.kind.plural === 'namespaces' && request.subresource === '' && request.operation !== 'DELETE'
  const namespace = itself ? request.object() : storage.get('/namespaces', `/${request.namespace}`)
  return selectorMatches(selector, namespace?.metadata.labels)
}

function among(values: Json | undefined, wanted: string): boolean {
  return Array.isArray(values) && (values.includes('*') || values.includes(wanted))
}

function rulesOf(value: Json | undefined): JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : []
}
