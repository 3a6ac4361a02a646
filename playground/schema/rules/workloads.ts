import { isObject, type JsonObject } from '#lib/json.ts'
import type { Cause } from '#playground/contract.ts'
import { forbidden, invalidValue, required } from '../causes.ts'
import { listAt, missing, notNegative, objectAt, oneOf, textAt, type Rule } from './look.ts'
import { podSpecErrors, selectorErrors, templateErrors } from './pod-template.ts'

export const pod: Rule = (object) => podSpecErrors(objectAt(object, 'spec'), 'spec')

export const deployment: Rule = (object) => {
  const spec = objectAt(object, 'spec')
  return [
    ...notNegative(spec, ['replicas', 'minReadySeconds', 'revisionHistoryLimit', 'progressDeadlineSeconds'], 'spec'),
    ...rolloutErrors(objectAt(spec, 'strategy')),
    ...templateErrors(spec, 'deployment', ['Always']),
  ]
}

function rolloutErrors({ type, rollingUpdate }: JsonObject): Cause[] {
  const field = 'spec.strategy.rollingUpdate'
  if (type === 'Recreate') return isObject(rollingUpdate) ? [forbidden(field, "may not be specified when strategy `type` is 'Recreate'")] : []
  if (type !== 'RollingUpdate') return oneOf(type, 'spec.strategy.type', ['Recreate', 'RollingUpdate'])
  const { maxSurge, maxUnavailable } = isObject(rollingUpdate) ? rollingUpdate : {}
  const none = [0, '0%']
  return none.includes(maxSurge as number) && none.includes(maxUnavailable as number) ? [invalidValue(`${field}.maxUnavailable`, maxUnavailable, 'may not be 0 when `maxSurge` is 0')] : []
}

export const replicaSet: Rule = (object) => {
  const spec = objectAt(object, 'spec')
  return [...notNegative(spec, ['replicas', 'minReadySeconds'], 'spec'), ...templateErrors(spec, 'ReplicaSet', ['Always'])]
}

export const statefulSet: Rule = (object) => {
  const spec = objectAt(object, 'spec')
  return [
    ...notNegative(spec, ['replicas', 'minReadySeconds', 'revisionHistoryLimit'], 'spec'),
    ...strategyErrors(objectAt(spec, 'updateStrategy')),
    ...oneOf(spec.podManagementPolicy, 'spec.podManagementPolicy', ['OrderedReady', 'Parallel']),
    ...templateErrors(withClaimVolumes(spec), 'statefulset', ['Always']),
  ]
}

/** The spec as its pods will have it: a claim template is a volume, also in place of one of that name. */
function withClaimVolumes(spec: JsonObject): JsonObject {
  const template = objectAt(spec, 'template')
  const pod = objectAt(template, 'spec')
  const claims = new Set(listAt(spec, 'volumeClaimTemplates').map((claim) => textAt(objectAt(claim, 'metadata'), 'name')))
  const made = [...claims].map((name) => ({ name, persistentVolumeClaim: { claimName: name } }))
  const volumes = [...made, ...listAt(pod, 'volumes').filter((volume) => !claims.has(textAt(volume, 'name')))]
  return { ...spec, template: { ...template, spec: { ...pod, volumes } } }
}

function strategyErrors({ type, rollingUpdate }: JsonObject): Cause[] {
  const field = 'spec.updateStrategy'
  if (type !== 'OnDelete') return type === 'RollingUpdate' ? [] : [invalidValue(field, undefined, "must be 'RollingUpdate' or 'OnDelete'")]
  if (!isObject(rollingUpdate)) return []
  const { partition = null, maxUnavailable = null } = rollingUpdate
  return [invalidValue(`${field}.rollingUpdate`, { Partition: partition, MaxUnavailable: maxUnavailable }, "only allowed for updateStrategy 'RollingUpdate'")]
}

export const daemonSet: Rule = (object) => {
  const spec = objectAt(object, 'spec')
  return [...notNegative(spec, ['minReadySeconds', 'revisionHistoryLimit'], 'spec'), ...templateErrors(spec, 'daemonset', ['Always'])]
}

const jobCounts = ['parallelism', 'completions', 'activeDeadlineSeconds', 'backoffLimit', 'ttlSecondsAfterFinished']

/** The selector of a new Job is the server's to make, so its absence is not told; later it must be said. */
export const job: Rule = (object, live) => {
  const spec = objectAt(object, 'spec')
  const labels = objectAt(objectAt(objectAt(spec, 'template'), 'metadata'), 'labels')
  return [...notNegative(spec, jobCounts, 'spec'), ...(live === undefined ? [] : selectorErrors(spec.selector, labels, 'job')), ...podSpecErrors(objectAt(objectAt(spec, 'template'), 'spec'), 'spec.template.spec', ['OnFailure', 'Never'])]
}

export const cronJob: Rule = (object) => {
  const spec = objectAt(object, 'spec')
  const jobSpec = objectAt(objectAt(spec, 'jobTemplate'), 'spec')
  const name = textAt(objectAt(object, 'metadata'), 'name')
  return [
    ...(name.length > 52 ? [invalidValue('metadata.name', name, 'must be no more than 52 characters')] : []),
    ...scheduleErrors(textAt(spec, 'schedule')),
    ...oneOf(spec.concurrencyPolicy, 'spec.concurrencyPolicy', ['Allow', 'Forbid', 'Replace']),
    ...notNegative(spec, ['startingDeadlineSeconds', 'successfulJobsHistoryLimit', 'failedJobsHistoryLimit'], 'spec'),
    ...notNegative(jobSpec, jobCounts, 'spec.jobTemplate.spec'),
    ...podSpecErrors(objectAt(objectAt(jobSpec, 'template'), 'spec'), 'spec.jobTemplate.spec.template.spec', ['OnFailure', 'Never']),
  ]
}

function scheduleErrors(schedule: string): Cause[] {
  if (schedule === '') return [required('spec.schedule')]
  if (schedule.startsWith('@')) return []
  const fields = schedule.trim().split(/\s+/)
  return fields.length === 5 ? [] : [invalidValue('spec.schedule', schedule, `expected exactly 5 fields, found ${fields.length}: [${fields.join(' ')}]`)]
}

export const autoscaler: Rule = (object, live) => {
  const spec = objectAt(object, 'spec')
  const target = objectAt(spec, 'scaleTargetRef')
  const before = live === undefined ? undefined : objectAt(objectAt(live, 'spec'), 'scaleTargetRef')
  const isNew = before?.apiVersion !== target.apiVersion || before?.kind !== target.kind
  const apiVersion = textAt(target, 'apiVersion')
  const errors = [...missing(target, 'kind', 'spec.scaleTargetRef'), ...missing(target, 'name', 'spec.scaleTargetRef')]
  if (isNew && !apiVersion.includes('/') && target.kind !== 'ReplicationController') errors.push(invalidValue('spec.scaleTargetRef.apiVersion', apiVersion, 'apiVersion must specify API group'))
  const { minReplicas: least, maxReplicas: most = 0 } = spec
  if (typeof least === 'number' && least < 1) errors.push(invalidValue('spec.minReplicas', least, 'must be greater than or equal to 1'))
  if (typeof most === 'number' && most < 1) errors.push(invalidValue('spec.maxReplicas', most, 'must be greater than 0'))
  if (typeof least === 'number' && typeof most === 'number' && most < least) errors.push(invalidValue('spec.maxReplicas', most, 'must be greater than or equal to `minReplicas`'))
  return [...errors, ...listAt(spec, 'metrics').flatMap((metric, i) => metricErrors(metric, `spec.metrics[${i}]`))]
}

const metricSources: Readonly<Record<string, string>> = { Object: 'object', Pods: 'pods', Resource: 'resource', ContainerResource: 'containerResource', External: 'external' }

/** Source: kubernetes `pkg/apis/autoscaling/validation/validation.go`; of the sources only resources are looked into. */
function metricErrors(metric: JsonObject, field: string): Cause[] {
  const { type } = metric
  if (type === undefined || type === '') return [required(`${field}.type`, 'must specify a metric source type')]
  const source = typeof type === 'string' ? metricSources[type] : undefined
  if (source === undefined) return oneOf(type, `${field}.type`, Object.keys(metricSources).sort())
  if (!isObject(metric[source])) return [required(`${field}.${source}`, 'must populate information for the given metric source')]
  const others = Object.values(metricSources).filter((name) => name !== source && metric[name] !== undefined)
  const errors = others.map((name) => forbidden(`${field}.${name}`, 'must populate the given metric source only'))
  return source === 'resource' ? [...errors, ...resourceMetricErrors(objectAt(metric, source), `${field}.${source}`)] : errors
}

function resourceMetricErrors(resource: JsonObject, field: string): Cause[] {
  const { type, averageUtilization, averageValue } = objectAt(resource, 'target')
  const errors = missing(resource, 'name', field, 'must specify a resource name')
  if (type === undefined || type === '') errors.push(required(`${field}.target.type`, 'must specify a metric target type'))
  else if (!['Utilization', 'Value', 'AverageValue'].includes(String(type))) errors.push(invalidValue(`${field}.target.type`, type, 'must be either Utilization, Value, or AverageValue'))
  if (typeof averageUtilization === 'number' && averageUtilization < 1) errors.push(invalidValue(`${field}.target.averageUtilization`, averageUtilization, 'must be greater than 0'))
  if (averageUtilization === undefined && averageValue === undefined) {
    errors.push(required(`${field}.target.averageUtilization`, 'must set either a target raw value or a target utilization'))
  }
  if (averageUtilization !== undefined && averageValue !== undefined) {
    errors.push(forbidden(`${field}.target.averageValue`, 'may not set both a target raw value and a target utilization'))
  }
  return errors
}

export const disruptionBudget: Rule = (object) => {
  const spec = objectAt(object, 'spec')
  if (spec.minAvailable !== undefined && spec.maxUnavailable !== undefined) return [invalidValue('spec', undefined, 'minAvailable and maxUnavailable cannot be both set')]
  return []
}

export const volumeClaim: Rule = (object) => {
  const spec = objectAt(object, 'spec')
  const errors = missing(spec, 'accessModes', 'spec', 'at least 1 access mode is required')
  const modes = ['ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOnce', 'ReadWriteOncePod']
  if (Array.isArray(spec.accessModes)) errors.push(...spec.accessModes.flatMap((mode) => oneOf(mode, 'spec.accessModes', modes)))
  if (objectAt(objectAt(spec, 'resources'), 'requests').storage === undefined) errors.push(required('spec.resources[storage]'))
  return errors
}

export const role: Rule = (object) =>
  listAt(object, 'rules').flatMap((rule, i) => {
    const errors = missing(rule, 'verbs', `rules[${i}]`, 'verbs must contain at least one value')
    if (rule.nonResourceURLs !== undefined) return errors
    return [
      ...errors,
      ...missing(rule, 'apiGroups', `rules[${i}]`, 'resource rules must supply at least one api group'),
      ...missing(rule, 'resources', `rules[${i}]`, 'resource rules must supply at least one resource'),
    ]
  })

export const roleBinding: Rule = (object) => {
  const ref = objectAt(object, 'roleRef')
  const subjects = listAt(object, 'subjects').flatMap((subject, i) => [
    ...missing(subject, 'name', `subjects[${i}]`),
    ...oneOf(subject.kind, `subjects[${i}].kind`, ['Group', 'ServiceAccount', 'User']),
  ])
  return [...oneOf(ref.kind, 'roleRef.kind', ['ClusterRole', 'Role']), ...missing(ref, 'name', 'roleRef'), ...subjects]
}
