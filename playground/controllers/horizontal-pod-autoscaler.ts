import { withCondition } from './conditions.ts'
import { controllerOf, keyOf, manager, placeOf, timestamp, type ControllerContext } from './controller.ts'
import { autoscalers, deployments, replicaSets, statefulSets, type Autoscaler, type Condition } from './kinds.ts'
import type { Kind } from './typed-objects.ts'
import type { JsonObject } from '#lib/json.ts'

/**
 * How busy the pods would be, in percent of what they request, if `minReplicas` of them ran. A person or a test sets it on the autoscaler:
 * there is nothing here that could be measured. More replicas share the load, so that scaling comes to rest, as it does in reality.
 */
export const loadAnnotation = 'playground.plumbline.dev/load'

const idle = 10 // percent, where nobody has set a load
const tolerance = 0.1 // Kubernetes' own: smaller deviations from the target do nothing

type Scalable = { metadata: { name: string; namespace: string }; spec: { replicas?: number }; status?: { replicas?: number } }

const scalable: Readonly<Record<string, Kind<Scalable>>> = {
  Deployment: deployments as Kind<Scalable>,
  StatefulSet: statefulSets as Kind<Scalable>,
  ReplicaSet: replicaSets as Kind<Scalable>,
}

/** Scales through the scale subresource, at once: no stabilization window, no polling interval. */
export const autoscalerController = controllerOf('horizontal-pod-autoscaler', (context) => ({
  reconcile: (key) => reconcile(context, key),
  watches: (queue) => [
    context.objects.watch(autoscalers, ({ object }) => queue.add(keyOf(object.metadata))),
    ...Object.entries(scalable).map(([kind, resource]) =>
      context.objects.watch(resource, ({ object }) => {
        const { namespace, name } = object.metadata
        for (const { metadata, spec } of context.objects.list(autoscalers, namespace)) {
          if (spec.scaleTargetRef.kind === kind && spec.scaleTargetRef.name === name) queue.add(keyOf(metadata))
        }
      }),
    ),
  ],
}))

function reconcile(context: ControllerContext, key: string): undefined {
  const { namespace, name } = placeOf(key)
  const autoscaler = context.objects.get(autoscalers, namespace, name)
  if (autoscaler === undefined || autoscaler.metadata.deletionTimestamp !== undefined) return
  const { scaleTargetRef } = autoscaler.spec
  const resource = scalable[scaleTargetRef.kind]
  const target = resource === undefined ? undefined : context.objects.get(resource, namespace, scaleTargetRef.name)
  if (resource === undefined || target === undefined) {
    const message = `the HPA controller was unable to get the target's current scale: ${scaleTargetRef.kind} "${scaleTargetRef.name}" not found`
    return writeStatus(context, autoscaler, undefined, [{ type: 'AbleToScale', status: 'False', reason: 'FailedGetScale', message }])
  }
  const current = target.spec.replicas ?? 1
  const decision = decide(autoscaler, current)
  if (current !== 0 && decision.replicas !== current) {
    context.objects.edit(resource, target.metadata, 'scale', manager, (object) => {
      object.spec.replicas = decision.replicas
    })
  }
  writeStatus(context, autoscaler, { current: target.status?.replicas ?? 0, ...decision, scaled: current !== 0 && decision.replicas !== current }, decision.conditions)
}

type Decision = { readonly replicas: number; readonly utilisation: number; readonly conditions: Condition[] }

function decide({ spec, metadata }: Autoscaler, current: number): Decision {
  const min = spec.minReplicas ?? 1
  const target = spec.metrics?.find(({ type }) => type === 'Resource')?.resource?.target.averageUtilization ?? 80
  const load = Number.parseFloat(metadata.annotations?.[loadAnnotation] ?? String(idle))
  const utilisation = Math.round((Number.isFinite(load) ? load : idle) * (min / Math.max(1, current)))
  const able: Condition = { type: 'AbleToScale', status: 'True', reason: 'ReadyForNewScale', message: 'recommended size matches current size' }
  if (current === 0) {
    const message = 'scaling is disabled since the replica count of the target is zero'
    return { replicas: 0, utilisation: 0, conditions: [able, { type: 'ScalingActive', status: 'False', reason: 'ScalingDisabled', message }] }
  }
  const ratio = utilisation / target
  const wanted = Math.abs(ratio - 1) <= tolerance ? current : Math.ceil(current * ratio)
  const replicas = Math.min(spec.maxReplicas, Math.max(min, wanted))
  const limited: Condition =
    wanted > spec.maxReplicas
      ? { type: 'ScalingLimited', status: 'True', reason: 'TooManyReplicas', message: 'the desired replica count is more than the maximum replica count' }
      : wanted < min
        ? { type: 'ScalingLimited', status: 'True', reason: 'TooFewReplicas', message: 'the desired replica count is less than the minimum replica count' }
        : { type: 'ScalingLimited', status: 'False', reason: 'DesiredWithinRange', message: 'the desired count is within the acceptable range' }
  const active: Condition = {
    type: 'ScalingActive',
    status: 'True',
    reason: 'ValidMetricFound',
    message: 'the HPA was able to successfully calculate a replica count from cpu resource utilization (percentage of request)',
  }
  return { replicas, utilisation, conditions: [able, active, limited] }
}

type Scale = { readonly current: number; readonly replicas: number; readonly utilisation: number; readonly scaled: boolean }

function writeStatus(context: ControllerContext, autoscaler: Autoscaler, scale: Scale | undefined, conditions: Condition[]): undefined {
  const time = timestamp(context.clock.now())
  context.objects.edit(autoscalers, autoscaler.metadata, 'status', manager, (object) => {
    let merged = object.status?.conditions ?? []
    for (const condition of conditions) merged = withCondition(merged, condition, time)
    const metric = { type: 'Resource', resource: { name: 'cpu', current: { averageUtilization: scale?.utilisation ?? 0, averageValue: '0' } } }
    object.status = {
      ...object.status,
      ...(scale?.scaled === true ? { lastScaleTime: time } : {}),
      currentReplicas: scale?.current ?? 0,
      desiredReplicas: scale?.replicas ?? 0,
      ...(scale === undefined ? {} : { currentMetrics: [metric as JsonObject] }),
      conditions: merged,
    }
  })
}
