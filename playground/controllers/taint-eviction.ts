import { withCondition } from './conditions.ts'
import { controllerOf, keyOf, manager, placeOf, timestamp, type ControllerContext } from './controller.ts'
import { nodes, pods, type Pod } from './kinds.ts'
import { tolerates } from './node-fit.ts'
import { isLeaving } from './pods-of.ts'
import { recordEvent } from './record-event.ts'

/** Deletes what does not bear a `NoExecute` taint of its node, or bears it only for a time. Source: kubernetes `pkg/controller/tainteviction`. */
export const taintEvictionController = controllerOf('taint-eviction', (context) => {
  const { objects } = context
  const since = new Map<string, number>() // by a pod's uid: since when it waits to be deleted
  return {
    reconcile: (key) => reconcile(context, since, key),
    watches: (queue) => [
      objects.watch(nodes, ({ object }) => {
        for (const { spec, metadata } of objects.list(pods)) if (spec.nodeName === object.metadata.name) queue.add(keyOf(metadata))
      }),
      objects.watch(pods, ({ type, object }) => {
        if (type === 'DELETED') since.delete(object.metadata.uid)
        else if (object.spec.nodeName !== undefined) queue.add(keyOf(object.metadata))
      }),
    ],
  }
})

function reconcile(context: ControllerContext, since: Map<string, number>, key: string): number | undefined {
  const { objects, clock } = context
  const { namespace, name } = placeOf(key)
  const pod = objects.get(pods, namespace, name)
  if (pod === undefined || isLeaving(pod)) return undefined
  const tell = (what: string): void => recordEvent(context, { about: pod, type: 'Normal', reason: 'TaintManagerEviction', message: `${what} Pod ${key}`, component: 'taint-eviction-controller' })
  const seconds = secondsLeft(context, pod)
  if (seconds === Number.POSITIVE_INFINITY) {
    if (since.delete(pod.metadata.uid)) tell('Cancelling deletion of')
    return undefined
  }
  const start = since.get(pod.metadata.uid) ?? clock.now()
  since.set(pod.metadata.uid, start)
  const left = start + seconds * 1000 - clock.now()
  if (left > 0) return left
  tell('Marking for deletion')
  const time = timestamp(clock.now())
  objects.edit(pods, pod.metadata, 'status', manager, (object) => {
    const why = { type: 'DisruptionTarget', status: 'True', reason: 'DeletionByTaintManager', message: 'Taint manager: deleting due to NoExecute taint', lastProbeTime: null } as const
    object.status = { ...object.status, conditions: withCondition(object.status?.conditions, why, time) }
  })
  objects.delete(pods, pod.metadata)
  return undefined
}

/** How long a pod bears its node: for ever, for the shortest time that one of its tolerations gives, or not at all. */
function secondsLeft({ objects }: ControllerContext, { spec }: Pod): number {
  const taints = (objects.get(nodes, '', spec.nodeName ?? '')?.spec.taints ?? []).filter(({ effect }) => effect === 'NoExecute')
  const times = taints.map((taint) => {
    const used = spec.tolerations?.find((toleration) => tolerates(toleration, taint))
    return used === undefined ? 0 : (used.tolerationSeconds ?? Number.POSITIVE_INFINITY)
  })
  return Math.max(0, Math.min(Number.POSITIVE_INFINITY, ...times))
}
