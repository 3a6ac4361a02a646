import { isObject, type Json, type JsonObject } from '#lib/json.ts'
import type { Cause } from '#playground/contract.ts'
import { duplicate, invalidValue, required } from '../causes.ts'
import { labelErrors } from '../metadata-errors.ts'
import { labelNameProblems } from '#lib/object-names.ts'
import { containerErrors } from './container.ts'
import { listAt, objectAt, oneOf, textAt } from './look.ts'

/** Source of rules and words: kubernetes `pkg/apis/core/validation/validation.go`, the part that a delivery meets. */
export function podSpecErrors(spec: JsonObject, field: string, restartPolicies?: readonly string[]): Cause[] {
  const volumes = new Set(listAt(spec, 'volumes').map((volume) => textAt(volume, 'name')))
  const errors = [...volumeErrors(spec, `${field}.volumes`)]
  const containers = listAt(spec, 'containers')
  if (containers.length === 0) errors.push(required(`${field}.containers`))
  const names = new Set<string>()
  for (const list of ['containers', 'initContainers', 'ephemeralContainers']) {
    for (const [i, container] of listAt(spec, list).entries()) errors.push(...containerErrors(container, `${field}.${list}[${i}]`, volumes, names))
  }
  errors.push(...oneOf(spec.restartPolicy, `${field}.restartPolicy`, ['Always', 'OnFailure', 'Never']))
  errors.push(...oneOf(spec.dnsPolicy, `${field}.dnsPolicy`, ['ClusterFirstWithHostNet', 'ClusterFirst', 'Default', 'None']))
  const grace = spec.terminationGracePeriodSeconds
  if (typeof grace === 'number' && grace < 0) errors.push(invalidValue(`${field}.terminationGracePeriodSeconds`, grace, 'must be greater than or equal to 0'))
  return [...errors, ...(restartPolicies === undefined ? [] : restartErrors(spec.restartPolicy, `${field}.restartPolicy`, restartPolicies))]
}

/** What restarts by itself is not said of what is to end. */
function restartErrors(policy: Json | undefined, field: string, allowed: readonly string[]): Cause[] {
  if (policy === 'Always' && !allowed.includes('Always')) return [required(field, `valid values: ${allowed.map((each) => JSON.stringify(each)).join(', ')}`)]
  return oneOf(policy, field, allowed)
}

/** A template: its labels are looked at, and must be what the selector selects. */
export function templateErrors(spec: JsonObject, kind: string, restartPolicies: readonly string[]): Cause[] {
  const template = objectAt(spec, 'template')
  const labels = objectAt(objectAt(template, 'metadata'), 'labels')
  const errors = labelErrors(labels, 'spec.template.labels')
  errors.push(...selectorErrors(spec.selector, labels, kind))
  return [...errors, ...podSpecErrors(objectAt(template, 'spec'), 'spec.template.spec', restartPolicies)]
}

/** No selector selects nothing; an empty one would select everything. */
export function selectorErrors(selector: Json | undefined, labels: JsonObject, kind: string): Cause[] {
  const unmatched = invalidValue('spec.template.metadata.labels', Object.keys(labels).length === 0 ? null : labels, '`selector` does not match template `labels`')
  if (!isObject(selector)) return [required('spec.selector'), unmatched]
  const expressions = listAt(selector, 'matchExpressions')
  const wanted = objectAt(selector, 'matchLabels')
  if (expressions.length === 0 && Object.keys(wanted).length === 0) return [invalidValue('spec.selector', selector, `empty selector is invalid for ${kind}`)]
  const matches = Object.entries(wanted).every(([key, value]) => labels[key] === value) && expressions.every((expression) => holds(expression, labels))
  return matches ? [] : [unmatched]
}

function holds({ key, operator, values }: JsonObject, labels: JsonObject): boolean {
  const value = labels[key as string]
  const among = Array.isArray(values) && value !== undefined && values.includes(value)
  switch (operator) {
    case 'In':
      return among
    case 'NotIn':
      return !among
    case 'Exists':
      return value !== undefined
    default:
      return value === undefined
  }
}

function volumeErrors(spec: JsonObject, field: string): Cause[] {
  const seen = new Set<string>()
  return listAt(spec, 'volumes').flatMap((volume, i) => {
    const name = textAt(volume, 'name')
    const at = `${field}[${i}]`
    const errors = name === '' ? [required(`${at}.name`)] : labelNameProblems(name).map((problem) => invalidValue(`${at}.name`, name, problem))
    if (seen.has(name)) errors.push(duplicate(`${at}.name`, name))
    seen.add(name)
    const sources = Object.entries(volume).filter(([key, value]) => key !== 'name' && isObject(value))
    if (sources.length === 0) errors.push(required(at, 'must specify a volume type'))
    for (const [source] of sources.slice(1)) errors.push({ reason: 'FieldValueForbidden', message: 'Forbidden: may not specify more than 1 volume type', field: `${at}.${source}` })
    return errors
  })
}
