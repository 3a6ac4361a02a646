import { isObject, type Json } from '#lib/json.ts'
import type { Attributes } from './attributes.ts'

/** A rule of a Role or ClusterRole. */
export type Rule = {
  readonly verbs: readonly string[]
  readonly apiGroups: readonly string[]
  readonly resources: readonly string[]
  readonly resourceNames: readonly string[]
  readonly nonResourceURLs: readonly string[]
}

export function rulesOf(value: Json | undefined): Rule[] {
  if (!Array.isArray(value)) return []
  return value.filter(isObject).map((rule) => ({
    verbs: strings(rule.verbs),
    apiGroups: strings(rule.apiGroups),
    resources: strings(rule.resources),
    resourceNames: strings(rule.resourceNames),
    nonResourceURLs: strings(rule.nonResourceURLs),
  }))
}

function strings(value: Json | undefined): string[] {
  return Array.isArray(value) ? value.map(String) : []
}

const among = (values: readonly string[], wanted: string): boolean => values.includes(wanted) || values.includes('*')

/** Source: kubernetes `pkg/apis/rbac/v1/evaluation_helpers.go`. */
export function ruleAllows(rule: Rule, asked: Attributes): boolean {
  if (!among(rule.verbs, asked.verb)) return false
  if (!asked.resourceRequest) return rule.nonResourceURLs.some((url) => urlMatches(url, asked.path))
  return (
    among(rule.apiGroups, asked.group) &&
    resourceMatches(rule.resources, asked.resource, asked.subresource) &&
    (rule.resourceNames.length === 0 || rule.resourceNames.includes(asked.name))
  )
}

/** `*` means every resource and subresource, `*\/scale` that subresource of every resource. */
export function resourceMatches(resources: readonly string[], resource: string, subresource: string): boolean {
  if (subresource === '') return among(resources, resource)
  return among(resources, `${resource}/${subresource}`) || resources.includes(`*/${subresource}`)
}

export function urlMatches(pattern: string, path: string): boolean {
  return pattern === '*' || pattern === path || (pattern.endsWith('*') && path.startsWith(pattern.replace(/\*+$/, '')))
}
