import { StillAsking } from '#playground/contract.ts'
import { withCondition } from './conditions.ts'
import { adopt, ownersOf } from './adopt.ts'
import { controllerOf, keyOf, manager, placeOf, timestamp, type ControllerContext } from './controller.ts'
import { pods, replicaSets, type Condition, type Pod, type ReplicaSet } from './kinds.ts'
import { matchesLabels } from './labels.ts'
import { byWorth, countPods, createPod, isActive, podsOf } from './pods-of.ts'
import { recordEvent } from './record-event.ts'

/** Keeps as many pods as `spec.replicas` says. */
export const replicaSetController = controllerOf('replicaset', (context) => ({
  reconcile: (key) => reconcile(context, key),
  watches: (queue) => [
    context.objects.watch(replicaSets, ({ object }) => queue.add(keyOf(object.metadata))),
    context.objects.watch(pods, ({ object }) => {
      for (const owner of ownersOf(context, replicaSets, object)) queue.add(owner)
    }),
  ],
}))

function reconcile(context: ControllerContext, key: string): number | undefined {
  const { namespace, name } = placeOf(key)
  const set = context.objects.get(replicaSets, namespace, name)
  if (set === undefined) return undefined
  const isStaying = set.metadata.deletionTimestamp === undefined
  if (isStaying) adopt(context, set, pods, isActive)
  const failure = isStaying ? fit(context, set) : undefined
  return writeStatus(context, set, podsOf(context, set).filter(isActive), failure)
}

/** Creates or deletes what is too few or too many. Answers why it could not. */
function fit(context: ControllerContext, set: ReplicaSet): Condition | undefined {
  const active = podsOf(context, set).filter(isActive)
  const missing = (set.spec.replicas ?? 1) - active.length
  for (let index = 0; index < missing; index += 1) {
    try {
      const pod = createPod(context, { owner: set, template: set.spec.template, name: { generated: `${set.metadata.name}-` } })
      tell(context, set, 'Normal', 'SuccessfulCreate', `Created pod: ${pod.metadata.name}`)
    } catch (error) {
      if (error instanceof StillAsking) throw error
      // Denied by admission, or the namespace is going: what the person sees is the condition and the Event.
      const message = error instanceof Error ? error.message : String(error)
      tell(context, set, 'Warning', 'FailedCreate', `Error creating: ${message}`)
      return { type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate', message }
    }
  }
  for (const pod of active.sort(byWorth).slice(0, Math.max(0, -missing))) {
    context.objects.delete(pods, pod.metadata)
    tell(context, set, 'Normal', 'SuccessfulDelete', `Deleted pod: ${pod.metadata.name}`)
  }
  return undefined
}

function writeStatus(context: ControllerContext, set: ReplicaSet, active: Pod[], failure: Condition | undefined): number | undefined {
  const now = context.clock.now()
  const { ready, available, again } = countPods(active, set.spec.minReadySeconds, now)
  const labels = set.spec.template.metadata?.labels ?? {}
  context.objects.edit(replicaSets, set.metadata, 'status', manager, (object) => {
    const others = object.status?.conditions?.filter((condition) => condition.type !== 'ReplicaFailure') ?? []
    const conditions = failure === undefined ? others : withCondition(object.status?.conditions, failure, timestamp(now))
    object.status = {
      replicas: active.length,
      ...positive('fullyLabeledReplicas', active.filter((pod) => matchesLabels(labels, pod.metadata.labels)).length),
      ...positive('readyReplicas', ready),
      ...positive('availableReplicas', available),
      ...(set.metadata.generation === undefined ? {} : { observedGeneration: set.metadata.generation }),
      ...(conditions.length === 0 ? {} : { conditions }),
    }
  })
  return failure === undefined ? again : 1_000
}

/** Kubernetes leaves counts of zero out of statuses. */
export function positive<Name extends string>(name: Name, count: number): { [name in Name]?: number } {
  return count > 0 ? ({ [name]: count } as { [name in Name]: number }) : {}
}

function tell(context: ControllerContext, about: ReplicaSet, type: 'Normal' | 'Warning', reason: string, message: string): void {
  recordEvent(context, { about, type, reason, message, component: 'replicaset-controller' })
}
