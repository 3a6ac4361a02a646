import type { JsonObject } from '#lib/json.ts'
import type { Cause } from '#playground/contract.ts'
import { invalidValue, notSupported } from '../causes.ts'
import { listAt, missing, objectAt, oneOf, textAt, type Rule } from './look.ts'

const group = 'rbac.authorization.k8s.io'

/** Source: kubernetes `pkg/apis/rbac/validation/validation.go`. */
export const role: Rule = (object) => ruleErrors(object).concat(listAt(object, 'rules').flatMap(({ nonResourceURLs }, i) => (nonResourceURLs === undefined ? [] : [invalidValue(`rules[${i}].nonResourceURLs`, nonResourceURLs, 'namespaced rules cannot apply to non-resource URLs')])))

export const clusterRole: Rule = (object) => ruleErrors(object)

function ruleErrors(object: JsonObject): Cause[] {
  return listAt(object, 'rules').flatMap((rule, i) => {
    const errors = missing(rule, 'verbs', `rules[${i}]`, 'verbs must contain at least one value')
    if (rule.nonResourceURLs !== undefined) return errors
    return [
      ...errors,
      ...missing(rule, 'apiGroups', `rules[${i}]`, 'resource rules must supply at least one api group'),
      ...missing(rule, 'resources', `rules[${i}]`, 'resource rules must supply at least one resource'),
    ]
  })
}

export const roleBinding: Rule = (object) => [...referenceErrors(objectAt(object, 'roleRef'), ['Role', 'ClusterRole']), ...listAt(object, 'subjects').flatMap((subject, i) => subjectErrors(subject, `subjects[${i}]`))]

export const clusterRoleBinding: Rule = (object) => [
  ...referenceErrors(objectAt(object, 'roleRef'), ['ClusterRole']),
  ...listAt(object, 'subjects').flatMap((subject, i) => [...subjectErrors(subject, `subjects[${i}]`), ...(subject.kind === 'ServiceAccount' ? missing(subject, 'namespace', `subjects[${i}]`) : [])]),
]

function referenceErrors(ref: JsonObject, kinds: readonly string[]): Cause[] {
  return [...oneOf(ref.apiGroup, 'roleRef.apiGroup', [group]), ...oneOf(ref.kind, 'roleRef.kind', kinds), ...missing(ref, 'name', 'roleRef')]
}

function subjectErrors(subject: JsonObject, field: string): Cause[] {
  const errors = missing(subject, 'name', field)
  const apiGroup = textAt(subject, 'apiGroup')
  if (subject.kind === 'ServiceAccount') return [...errors, ...(apiGroup === '' ? [] : [notSupported(`${field}.apiGroup`, apiGroup, [''])])]
  if (subject.kind === 'User' || subject.kind === 'Group') return [...errors, ...oneOf(apiGroup, `${field}.apiGroup`, [group])]
  return [...errors, ...oneOf(subject.kind, `${field}.kind`, ['ServiceAccount', 'User', 'Group'])]
}
