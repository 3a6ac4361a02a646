import { controllerOf, type ControllerContext } from './controller.ts'
import { pods } from './kinds.ts'
import { isFinished, isLeaving } from './pods-of.ts'

const keptFinishedPods = 200

/** Deletes pods that have ended, beyond 200 of them, and pods that were deleted before they had a node. */
export const podGarbageController = controllerOf('pod-garbage', (context) => ({
  reconcile: () => sweep(context),
  watches: (queue) => [
    context.objects.watch(pods, ({ object }) => {
      if (isFinished(object) || isLeaving(object)) queue.add('pods')
    }),
  ],
}))

function sweep({ objects }: ControllerContext): undefined {
  const list = objects.list(pods)
  for (const pod of list) if (isLeaving(pod) && pod.spec.nodeName === undefined) objects.delete(pods, pod.metadata, 0)
  const finished = list.filter((pod) => isFinished(pod) && !isLeaving(pod)).sort((a, b) => (a.metadata.creationTimestamp ?? '').localeCompare(b.metadata.creationTimestamp ?? ''))
  for (const pod of finished.slice(0, Math.max(0, finished.length - keptFinishedPods))) objects.delete(pods, pod.metadata)
}
