import { adopt, ownersOf } from './adopt.ts'
import { controllerKey, controllerOf, isControlledBy, keyOf, manager, placeOf, type ControllerContext } from './controller.ts'
import { isLeaving, podsOf } from './pods-of.ts'
import { writeDeploymentStatus } from './deployment-status.ts'
import { findOrCreateNewSet, revisionOf, sameTemplate, trimHistory } from './deployment-revision.ts'
import { planRollingUpdate, planScaling, replicasOf, type Scaling } from './deployment-rollout.ts'
import { deployments, pods, replicaSets, type Deployment, type ReplicaSet } from './kinds.ts'
import { recordEvent } from './record-event.ts'

/** Deployment -> ReplicaSets: one per template, the newest grown and the others shrunk within `maxSurge` and `maxUnavailable`. */
export const deploymentController = controllerOf('deployment', (context) => ({
  reconcile: (key) => reconcile(context, key),
  watches: (queue) => [
    context.objects.watch(deployments, ({ object }) => queue.add(keyOf(object.metadata))),
    context.objects.watch(replicaSets, ({ object }) => {
      for (const owner of ownersOf(context, deployments, object)) queue.add(owner)
    }),
    // A pod that has gone at last changes no ReplicaSet, but it is what Recreate waits for.
    context.objects.watch(pods, ({ type, object }) => {
      const set = type === 'DELETED' ? controllerKey(object.metadata, 'ReplicaSet') : undefined
      if (set === undefined) return
      const { namespace, name } = placeOf(set)
      const found = context.objects.get(replicaSets, namespace, name)
      const owner = found === undefined ? undefined : controllerKey(found.metadata, 'Deployment')
      if (owner !== undefined) queue.add(owner)
    }),
  ],
}))

function reconcile(context: ControllerContext, key: string): number | undefined {
  const { namespace, name } = placeOf(key)
  const deployment = context.objects.get(deployments, namespace, name)
  if (deployment === undefined) return undefined
  if (deployment.metadata.deletionTimestamp !== undefined) return writeDeploymentStatus(context, deployment, setsOf(context, deployment))
  adopt(context, deployment, replicaSets, () => true)
  const before = setsOf(context, deployment)
  const current = deployment.spec.paused === true ? before.find((set) => sameTemplate(set, deployment)) : undefined
  if (deployment.spec.paused === true) {
    apply(context, deployment, planScaling(deployment, before, current?.metadata.uid))
  } else {
    rollOut(context, deployment, before)
  }
  const sets = setsOf(context, deployment)
  const again = writeDeploymentStatus(context, deployment, sets)
  trimHistory(context, deployment, sets)
  return again
}

function rollOut(context: ControllerContext, deployment: Deployment, before: ReplicaSet[]): void {
  // A changed replica count is first spread over what runs, so that a rollout under way keeps its proportions.
  const scaled = before.some((set) => set.spec.replicas !== 0 && desiredAnnotation(set) !== replicasOf(deployment))
  const known = before.find((set) => sameTemplate(set, deployment))
  if (scaled && before.filter((set) => (set.spec.replicas ?? 0) > 0).length > 0) {
    apply(context, deployment, planScaling(deployment, before, known?.metadata.uid))
  }
  if (deployment.spec.strategy?.type === 'Recreate') return recreate(context, deployment, before)
  const newest = findOrCreateNewSet(context, deployment, setsOf(context, deployment))
  apply(context, deployment, planRollingUpdate(deployment, setsOf(context, deployment), newest.metadata.uid))
}

/** All old pods end before the first new one starts. */
function recreate(context: ControllerContext, deployment: Deployment, before: ReplicaSet[]): void {
  const old = before.filter((set) => !sameTemplate(set, deployment))
  apply(context, deployment, old.map((set) => ({ set, replicas: 0 })))
  if (old.some((set) => podsOf(context, set).some((pod) => isLeaving(pod) || pod.status?.phase === 'Running' || pod.status?.phase === 'Pending'))) return
  const set = findOrCreateNewSet(context, deployment, setsOf(context, deployment))
  apply(context, deployment, [{ set, replicas: replicasOf(deployment) }])
}

/** Oldest revision first. */
function setsOf({ objects }: ControllerContext, deployment: Deployment): ReplicaSet[] {
  return objects
    .list(replicaSets, deployment.metadata.namespace)
    .filter((set) => isControlledBy(set.metadata, deployment.metadata.uid) && set.metadata.deletionTimestamp === undefined)
    .sort((a, b) => revisionOf(a) - revisionOf(b))
}

const desiredAnnotation = (set: ReplicaSet): number => Number(set.metadata.annotations?.['deployment.kubernetes.io/desired-replicas'] ?? -1)

function apply(context: ControllerContext, deployment: Deployment, scalings: readonly Scaling[]): void {
  const desired = String(replicasOf(deployment))
  for (const { set, replicas } of scalings) {
    const from = set.spec.replicas ?? 0
    context.objects.edit(replicaSets, set.metadata, 'object', manager, (object) => {
      object.spec.replicas = replicas
      object.metadata.annotations = { ...object.metadata.annotations, 'deployment.kubernetes.io/desired-replicas': desired }
    })
    if (from === replicas) continue
    const message = `Scaled ${from < replicas ? 'up' : 'down'} replica set ${set.metadata.name} from ${from} to ${replicas}`
    recordEvent(context, { about: deployment, type: 'Normal', reason: 'ScalingReplicaSet', message, component: 'deployment-controller' })
  }
}
