import { autoscalerController } from './horizontal-pod-autoscaler.ts'
import type { Controller, ControllerContext } from './controller.ts'
import { cronJobController } from './cron-job.ts'
import { daemonSetController } from './daemon-set.ts'
import { deploymentController } from './deployment.ts'
import { endpointSliceController } from './endpoint-slice.ts'
import { garbageCollector } from './garbage.ts'
import { jobController } from './job.ts'
import { namespaceContentsController } from './namespace-contents.ts'
import { namespaceController } from './namespace.ts'
import { nodeTaintsController } from './node-taints.ts'
import { persistentVolumeClaimController } from './persistent-volume-claim.ts'
import { podDisruptionBudgetController } from './pod-disruption-budget.ts'
import { podGarbageController } from './pod-garbage.ts'
import { replicaSetController } from './replica-set.ts'
import { statefulSetController } from './stateful-set.ts'
import { taintEvictionController } from './taint-eviction.ts'

const controllers = [
  deploymentController,
  replicaSetController,
  statefulSetController,
  daemonSetController,
  jobController,
  cronJobController,
  endpointSliceController,
  autoscalerController,
  persistentVolumeClaimController,
  namespaceController,
  garbageCollector,
  podGarbageController,
  podDisruptionBudgetController,
  nodeTaintsController,
  taintEvictionController,
] as const satisfies readonly Controller[]

/** Starts them all; what it returns ends them all. `authority` is the API server's certificate authority, PEM. */
export function startControllers(context: ControllerContext, authority: string): () => void {
  const stops = [...controllers, namespaceContentsController(authority)].map((start) => start(context))
  return () => {
    for (const stop of stops) stop()
  }
}
