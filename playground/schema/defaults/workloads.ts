import type { JsonObject } from '#lib/json.ts'
import { at, each, fill } from './fill.ts'
import { podSpecDefaults } from './pod-spec.ts'

function templateDefaults(spec: JsonObject): void {
  const pod = at(spec, 'template', 'spec')
  if (pod !== undefined) podSpecDefaults(pod)
}

export function podDefaults(object: JsonObject): void {
  const spec = at(object, 'spec')
  if (spec === undefined) return
  podSpecDefaults(spec)
  fill(spec, { enableServiceLinks: true })
  for (const container of [...each(spec, 'containers'), ...each(spec, 'initContainers')]) {
    const { limits, requests } = at(container, 'resources') ?? {}
    if (typeof limits !== 'object' || limits === null || Array.isArray(limits)) continue
    const asked = (requests ?? {}) as JsonObject
    fill(asked, limits)
    ;(container.resources as JsonObject).requests = asked
  }
}

/** Source of the workloads: kubernetes `pkg/apis/apps/v1/defaults.go`. */
export function deploymentDefaults(object: JsonObject): void {
  const spec = at(object, 'spec')
  if (spec === undefined) return
  fill(spec, { progressDeadlineSeconds: 600, replicas: 1, revisionHistoryLimit: 10, strategy: {} })
  const strategy = at(spec, 'strategy') ?? {}
  fill(strategy, { type: 'RollingUpdate' })
  if (strategy.type === 'RollingUpdate') {
    fill(strategy, { rollingUpdate: {} })
    fill(at(strategy, 'rollingUpdate') ?? {}, { maxSurge: '25%', maxUnavailable: '25%' })
  }
  templateDefaults(spec)
}

export function replicaSetDefaults(object: JsonObject): void {
  const spec = at(object, 'spec')
  if (spec === undefined) return
  fill(spec, { replicas: 1 })
  templateDefaults(spec)
}

export function statefulSetDefaults(object: JsonObject): void {
  const spec = at(object, 'spec')
  if (spec === undefined) return
  fill(spec, { podManagementPolicy: 'OrderedReady', replicas: 1, revisionHistoryLimit: 10, updateStrategy: {}, persistentVolumeClaimRetentionPolicy: {} })
  fill(at(spec, 'persistentVolumeClaimRetentionPolicy') ?? {}, { whenDeleted: 'Retain', whenScaled: 'Retain' })
  const strategy = at(spec, 'updateStrategy') ?? {}
  fill(strategy, { type: 'RollingUpdate' })
  if (strategy.type === 'RollingUpdate') {
    fill(strategy, { rollingUpdate: {} })
    fill(at(strategy, 'rollingUpdate') ?? {}, { partition: 0 })
  }
  for (const claim of each(spec, 'volumeClaimTemplates')) {
    fill(claim, { apiVersion: 'v1', kind: 'PersistentVolumeClaim' })
    claimDefaults(claim)
  }
  templateDefaults(spec)
}

/** How often a DaemonSet's template changed: a field of a version that is served no more, and since then an annotation. */
export const templateGeneration = 'deprecated.daemonset.template.generation'

export function daemonSetDefaults(object: JsonObject): void {
  const metadata = at(object, 'metadata')
  if (metadata !== undefined) {
    fill(metadata, { annotations: {} })
    fill(at(metadata, 'annotations') ?? {}, { [templateGeneration]: '0' })
  }
  const spec = at(object, 'spec')
  if (spec === undefined) return
  fill(spec, { revisionHistoryLimit: 10, updateStrategy: {} })
  const strategy = at(spec, 'updateStrategy') ?? {}
  fill(strategy, { type: 'RollingUpdate' })
  if (strategy.type === 'RollingUpdate') {
    fill(strategy, { rollingUpdate: {} })
    fill(at(strategy, 'rollingUpdate') ?? {}, { maxSurge: 0, maxUnavailable: 1 })
  }
  const rollout = at(strategy, 'rollingUpdate')
  if (rollout !== undefined) fill(rollout, { maxSurge: 0, maxUnavailable: 0 }) // no pointers in the server's own type
  templateDefaults(spec)
}

/** Source: kubernetes `pkg/apis/batch/v1/defaults.go`. */
export function jobDefaults(object: JsonObject): void {
  const labels = at(object, 'spec', 'template', 'metadata', 'labels')
  if (labels !== undefined) fill(at(object, 'metadata') ?? {}, { labels: { ...labels } })
  const spec = at(object, 'spec')
  if (spec === undefined) return
  if (spec.completions === undefined && spec.parallelism === undefined) fill(spec, { completions: 1 })
  fill(spec, {
    backoffLimit: spec.backoffLimitPerIndex === undefined ? 6 : 2 ** 31 - 1,
    completionMode: 'NonIndexed',
    manualSelector: false,
    parallelism: 1,
    podReplacementPolicy: spec.podFailurePolicy === undefined ? 'TerminatingOrFailed' : 'Failed',
    suspend: false,
  })
  templateDefaults(spec)
}

export function cronJobDefaults(object: JsonObject): void {
  const spec = at(object, 'spec')
  if (spec === undefined) return
  fill(spec, { concurrencyPolicy: 'Allow', failedJobsHistoryLimit: 1, successfulJobsHistoryLimit: 3, suspend: false })
  templateDefaults(at(spec, 'jobTemplate', 'spec') ?? {})
}

/** Source: kubernetes `pkg/apis/autoscaling/v2/defaults.go`. */
/** What it is measured by is the newer version's to say. */
export function olderAutoscalerDefaults(object: JsonObject): void {
  fill(at(object, 'spec') ?? {}, { minReplicas: 1 })
}

export function autoscalerDefaults(object: JsonObject): void {
  const spec = at(object, 'spec')
  if (spec === undefined) return
  fill(spec, { minReplicas: 1 })
  if (each(spec, 'metrics').length === 0) {
    spec.metrics = [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } } }]
  }
  const behavior = at(spec, 'behavior')
  if (behavior === undefined) return
  fill(behavior, { scaleDown: {}, scaleUp: {} })
  const percent = { type: 'Percent', value: 100, periodSeconds: 15 }
  fill(at(behavior, 'scaleDown') ?? {}, { selectPolicy: 'Max', policies: [percent] })
  fill(at(behavior, 'scaleUp') ?? {}, { selectPolicy: 'Max', stabilizationWindowSeconds: 0, policies: [{ type: 'Pods', value: 4, periodSeconds: 15 }, { ...percent }] })
}

export function claimDefaults(object: JsonObject): void {
  fill(at(object, 'spec') ?? {}, { volumeMode: 'Filesystem' })
  fill(object, { status: {} })
  fill(at(object, 'status') ?? {}, { phase: 'Pending' })
}
