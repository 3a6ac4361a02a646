import { isObject, type Json, type JsonObject } from '#lib/json.ts'
import type { Cause } from '#playground/contract.ts'
import { forbidden, invalidText, invalidValue, required } from '../causes.ts'
import { quantityNanos } from '../quantity.ts'
import { atMostAll, countOrShare, listAt, missing, notNegative, objectAt, oneOf, textAt, type Rule } from './look.ts'
import { podSpecErrors, selectorErrors, templateErrors } from './pod-template.ts'
import { scheduleErrors, timeZoneErrors } from './schedule.ts'

export const pod: Rule = (object) => {
  const spec = objectAt(object, 'spec')
  const isEarly = listAt(spec, 'schedulingGates').length > 0 && textAt(spec, 'nodeName') !== ''
  return [...podSpecErrors(spec, 'spec'), ...(isEarly ? [forbidden('spec.nodeName', 'cannot be set until all schedulingGates have been cleared')] : [])]
}

export const deployment: Rule = (object) => {
  const spec = objectAt(object, 'spec')
  const { minReadySeconds = 0, progressDeadlineSeconds: deadline } = spec
  const isLate = typeof deadline === 'number' && deadline >= 0 && deadline <= (minReadySeconds as number)
  return [
    ...notNegative(spec, ['replicas'], 'spec'),
    ...templateErrors(spec, 'deployment', ['Always']),
    ...rolloutErrors(objectAt(spec, 'strategy')),
    ...notNegative(spec, ['minReadySeconds', 'revisionHistoryLimit', 'progressDeadlineSeconds'], 'spec'),
    ...(isLate ? [invalidValue('spec.progressDeadlineSeconds', deadline, 'must be greater than minReadySeconds')] : []),
  ]
}

function rolloutErrors({ type, rollingUpdate }: JsonObject): Cause[] {
  const field = 'spec.strategy.rollingUpdate'
  if (type === 'Recreate') return isObject(rollingUpdate) ? [forbidden(field, "may not be specified when strategy `type` is 'Recreate'")] : []
  const { maxSurge = 0, maxUnavailable = 0 } = isObject(rollingUpdate) ? rollingUpdate : {}
  if (type !== 'RollingUpdate') {
    const shown = JSON.stringify({ Type: type, RollingUpdate: isObject(rollingUpdate) ? { MaxUnavailable: maxUnavailable, MaxSurge: maxSurge } : null })
    return [{ reason: 'FieldValueNotSupported', message: `Unsupported value: ${shown}: supported values: "Recreate", "RollingUpdate"`, field: 'spec.strategy' }]
  }
  const none: readonly Json[] = [0, '0%']
  return [
    ...countOrShare(maxUnavailable, `${field}.maxUnavailable`),
    ...countOrShare(maxSurge, `${field}.maxSurge`),
    ...(none.includes(maxSurge) && none.includes(maxUnavailable) ? [invalidValue(`${field}.maxUnavailable`, maxUnavailable, 'may not be 0 when `maxSurge` is 0')] : []),
    ...atMostAll(maxUnavailable, `${field}.maxUnavailable`),
  ]
}

export const replicaSet: Rule = (object) => {
  const spec = objectAt(object, 'spec')
  return [...notNegative(spec, ['replicas', 'minReadySeconds'], 'spec'), ...templateErrors(spec, 'ReplicaSet', ['Always'])]
}

export const statefulSet: Rule = (object) => {
  const spec = objectAt(object, 'spec')
  const { podManagementPolicy: management } = spec
  return [
    ...(management === 'OrderedReady' || management === 'Parallel' ? [] : [invalidValue('spec.podManagementPolicy', management, "must be 'OrderedReady' or 'Parallel'")]),
    ...strategyErrors(objectAt(spec, 'updateStrategy')),
    ...notNegative(spec, ['replicas', 'minReadySeconds', 'revisionHistoryLimit'], 'spec'),
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
  const { partition = null, maxUnavailable = null } = isObject(rollingUpdate) ? rollingUpdate : {}
  const shown = isObject(rollingUpdate) ? { Partition: partition, MaxUnavailable: maxUnavailable } : null
  if (type === 'RollingUpdate') return []
  if (type !== 'OnDelete') return [invalidText(field, JSON.stringify({ Type: type, RollingUpdate: shown }), "must be 'RollingUpdate' or 'OnDelete'")]
  return shown === null ? [] : [invalidText(`${field}.rollingUpdate`, JSON.stringify(shown), "only allowed for updateStrategy 'RollingUpdate'")]
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
    ...timeZoneErrors(spec.timeZone === undefined ? undefined : textAt(spec, 'timeZone')),
    ...oneOf(spec.concurrencyPolicy, 'spec.concurrencyPolicy', ['Allow', 'Forbid', 'Replace']),
    ...notNegative(spec, ['startingDeadlineSeconds', 'successfulJobsHistoryLimit', 'failedJobsHistoryLimit'], 'spec'),
    ...notNegative(jobSpec, jobCounts, 'spec.jobTemplate.spec'),
    ...podSpecErrors(objectAt(objectAt(jobSpec, 'template'), 'spec'), 'spec.jobTemplate.spec.template.spec', ['OnFailure', 'Never']),
  ]
}

export const disruptionBudget: Rule = (object) => {
  const spec = objectAt(object, 'spec')
  const { minAvailable = null, maxUnavailable = null, selector = null, unhealthyPodEvictionPolicy = null } = spec
  if (minAvailable !== null && maxUnavailable !== null) {
    const shown = JSON.stringify({ MinAvailable: minAvailable, Selector: selector, MaxUnavailable: maxUnavailable, UnhealthyPodEvictionPolicy: unhealthyPodEvictionPolicy })
    return [invalidText('spec', shown, 'minAvailable and maxUnavailable cannot be both set')]
  }
  return ['minAvailable', 'maxUnavailable'].flatMap((name) => [...countOrShare(spec[name], `spec.${name}`), ...atMostAll(spec[name], `spec.${name}`)])
}

export const volumeClaim: Rule = (object) => {
  const spec = objectAt(object, 'spec')
  const errors = missing(spec, 'accessModes', 'spec', 'at least 1 access mode is required')
  const modes = ['ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOnce', 'ReadWriteOncePod']
  if (Array.isArray(spec.accessModes)) errors.push(...spec.accessModes.flatMap((mode) => oneOf(mode, 'spec.accessModes', modes)))
  const { storage } = objectAt(objectAt(spec, 'resources'), 'requests')
  if (storage === undefined) errors.push(required('spec.resources[storage]'))
  else if ((quantityNanos(storage as string) ?? 1n) <= 0n) errors.push(invalidValue('spec.resources[storage]', storage, 'must be greater than zero'))
  return [...errors, ...oneOf(spec.volumeMode, 'spec.volumeMode', ['Block', 'Filesystem'])]
}
