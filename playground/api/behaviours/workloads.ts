import { equalJson, isObject, type Json, type JsonObject } from '#lib/json.ts'
import type { Cause, KubernetesObject } from '#playground/contract.ts'
import { valueAt } from '../paths.ts'
import { labelSelector } from '../selectors.ts'
import type { Behaviour } from './behaviours.ts'
import { forbiddenChange, invalidValue, unchangeable } from './immutable.ts'

/** A selector that its own template does not match would make pods without end. */
function selectorMatchesTemplate(object: KubernetesObject): Cause[] {
  const selector = valueAt(object, 'spec.selector')
  const labels = valueAt(object, 'spec.template.metadata.labels')
  if (!isObject(selector)) return []
  const wanted = isObject(selector.matchLabels) ? selector.matchLabels : {}
  const has = isObject(labels) ? labels : {}
  const expressions = Array.isArray(selector.matchExpressions) ? selector.matchExpressions.filter(isObject) : []
  if (Object.keys(wanted).length === 0 && expressions.length === 0) {
    return [invalidValue('spec.selector', selector, 'empty selector is invalid for deployment')]
  }
  const asObject = { metadata: { labels: has } } as unknown as KubernetesObject
  const holds =
    Object.entries(wanted).every(([key, value]) => has[key] === value) && expressions.every((expression) => labelSelector(textOf(expression))(asObject))
  return holds ? [] : [invalidValue('spec.template.metadata.labels', labels, '`selector` does not match template `labels`')]
}

function textOf(expression: JsonObject): string {
  const values = Array.isArray(expression.values) ? expression.values.join(',') : ''
  const key = String(expression.key)
  if (expression.operator === 'Exists') return key
  if (expression.operator === 'DoesNotExist') return `!${key}`
  return `${key} ${expression.operator === 'NotIn' ? 'notin' : 'in'} (${values})`
}

const fixedSelector: Behaviour['check'] = (object, live) => [...unchangeable(object, live, ['spec.selector']), ...selectorMatchesTemplate(object)]

export const deployment: Behaviour = { check: fixedSelector }
export const replicaSet: Behaviour = { check: fixedSelector }
export const daemonSet: Behaviour = { check: fixedSelector }

const statefulSetChangeable = ['replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy', 'minReadySeconds']

export const statefulSet: Behaviour = {
  check: (object, live) => {
    const causes = selectorMatchesTemplate(object)
    if (live === undefined) return causes
    const fixed = (set: KubernetesObject): JsonObject => {
      const spec = isObject(set.spec) ? { ...set.spec } : {}
      for (const name of statefulSetChangeable) delete spec[name]
      return spec
    }
    if (equalJson(fixed(object), fixed(live))) return causes
    return [
      ...causes,
      forbiddenChange(
        'spec',
        "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden",
      ),
    ]
  },
}

export const job: Behaviour = {
  create: (object) => {
    const spec: JsonObject = isObject(object.spec) ? { ...object.spec } : {}
    if (spec.manualSelector !== true && spec.selector === undefined) {
      const uid = object.metadata.uid ?? ''
      const labels = { 'batch.kubernetes.io/controller-uid': uid, 'batch.kubernetes.io/job-name': object.metadata.name ?? '', 'controller-uid': uid, 'job-name': object.metadata.name ?? '' }
      const template: JsonObject = isObject(spec.template) ? { ...spec.template } : {}
      const metadata: JsonObject = isObject(template.metadata) ? { ...template.metadata } : {}
      metadata.labels = { ...(isObject(metadata.labels) ? metadata.labels : {}), ...labels }
      spec.selector = { matchLabels: { 'batch.kubernetes.io/controller-uid': uid } }
      spec.template = { ...template, metadata }
    }
    object.spec = spec
  },
  update: (object, live) => {
    const spec: JsonObject = isObject(object.spec) ? { ...object.spec } : {}
    const before: JsonObject = isObject(live.spec) ? live.spec : {}
    spec.selector ??= before.selector as Json
    // What the server put into the template at first is not the client's to leave out.
    const [template, was] = [spec.template, before.template]
    if (isObject(template) && isObject(was)) {
      const ours = valueAt(was, 'metadata.labels')
      const metadata: JsonObject = isObject(template.metadata) ? { ...template.metadata } : {}
      const given = isObject(metadata.labels) ? metadata.labels : {}
      const kept = isObject(ours) ? Object.fromEntries(Object.entries(ours).filter(([key]) => /(?:^|\/)(?:controller-uid|job-name)$/.test(key))) : {}
      spec.template = { ...template, metadata: { ...metadata, labels: { ...given, ...kept } } }
    }
    object.spec = spec
  },
  check: (object, live) => unchangeable(object, live, ['spec.selector', 'spec.template', 'spec.completionMode', 'spec.podFailurePolicy', 'spec.backoffLimitPerIndex']),
}

export const cronJob: Behaviour = {
  check: (object) => {
    const schedule = valueAt(object, 'spec.schedule')
    if (typeof schedule === 'string' && (/^@(?:yearly|annually|monthly|weekly|daily|midnight|hourly)$|^@every /.test(schedule) || schedule.trim().split(/\s+/).length === 5)) return []
    return [invalidValue('spec.schedule', schedule, 'expected exactly 5 fields')]
  },
}
