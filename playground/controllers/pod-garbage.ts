import { controllerOf, type ControllerContext } from './controller.ts'
import { events, pods, type Stored } from './kinds.ts'
import { isFinished, isLeaving } from './pods-of.ts'

const keptFinishedPods = 200
const keptEventsMs = 3_600_000 // Kubernetes' own: an hour

/** Deletes pods that have ended, beyond 200 of them; pods that were deleted before they had a node; and Events that are an hour old. */
export const podGarbageController = controllerOf('pod-garbage', (context) => ({
  reconcile: (key) => (key === 'pods' ? sweepPods(context) : sweepEvents(context)),
  watches: (queue) => [
    context.objects.watch(pods, ({ object }) => {
      if (isFinished(object) || isLeaving(object)) queue.add('pods')
    }),
    context.objects.watch(events, ({ type }) => {
      if (type === 'ADDED') queue.addAfter('events', keptEventsMs)
    }),
  ],
}))

function sweepPods({ objects }: ControllerContext): undefined {
  const list = objects.list(pods)
  for (const pod of list) if (isLeaving(pod) && pod.spec.nodeName === undefined) objects.delete(pods, pod.metadata, 0)
  const finished = list.filter((pod) => isFinished(pod) && !isLeaving(pod)).sort((a, b) => (a.metadata.creationTimestamp ?? '').localeCompare(b.metadata.creationTimestamp ?? ''))
  for (const pod of finished.slice(0, Math.max(0, finished.length - keptFinishedPods))) objects.delete(pods, pod.metadata)
}

function sweepEvents({ objects, clock }: ControllerContext): number | undefined {
  const lastOf = (event: Stored): number => Date.parse(String((event as { lastTimestamp?: string }).lastTimestamp ?? event.metadata.creationTimestamp))
  let next: number | undefined
  for (const event of objects.list(events)) {
    const left = lastOf(event) + keptEventsMs - clock.now()
    if (left <= 0) objects.delete(events, event.metadata)
    else next = Math.min(next ?? Infinity, left)
  }
  return next
}

