import { conditionOf, withCondition } from './conditions.ts'
import { manager, timestamp, type ControllerContext } from './controller.ts'
import { sameTemplate } from './deployment-revision.ts'
import { replicasOf, rolloutLimits } from './deployment-rollout.ts'
import { deployments, type Condition, type Deployment, type DeploymentStatus, type ReplicaSet } from './kinds.ts'
import { positive } from './replica-set.ts'

/**
 * Writes what kstatus and `kubectl rollout status` read. Answers in how many milliseconds the progress deadline passes, where it is running.
 */
export function writeDeploymentStatus(context: ControllerContext, deployment: Deployment, sets: readonly ReplicaSet[]): number | undefined {
  const now = context.clock.now()
  let again: number | undefined
  context.objects.edit(deployments, deployment.metadata, 'status', manager, (object) => {
    const counts = countsOf(deployment, sets)
    const before = object.status
    const progress = progressOf(deployment, sets, counts, before, now)
    again = progress.again
    let conditions = withUpdate(before?.conditions, availability(deployment, counts), now)
    if (progress.condition !== undefined) conditions = withUpdate(conditions, progress.condition, now)
    conditions = conditions.filter((condition) => condition.type !== 'ReplicaFailure')
    const failure = sets.flatMap((set) => set.status?.conditions ?? []).find((condition) => condition.type === 'ReplicaFailure')
    if (failure !== undefined) conditions = withUpdate(conditions, failure, now)
    const observed = deployment.metadata.generation
    object.status = { ...(observed === undefined ? {} : { observedGeneration: observed }), ...counts, conditions }
  })
  return again
}

type Counts = Required<Pick<DeploymentStatus, never>> & {
  replicas?: number
  updatedReplicas?: number
  readyReplicas?: number
  availableReplicas?: number
  unavailableReplicas?: number
}

function countsOf(deployment: Deployment, sets: readonly ReplicaSet[]): Counts {
  const sum = (count: (set: ReplicaSet) => number | undefined): number => sets.reduce((total, set) => total + (count(set) ?? 0), 0)
  const replicas = sum((set) => set.status?.replicas)
  const available = sum((set) => set.status?.availableReplicas)
  const newest = sets.find((set) => sameTemplate(set, deployment))
  return {
    ...positive('replicas', replicas),
    ...positive('updatedReplicas', newest?.status?.replicas ?? 0),
    ...positive('readyReplicas', sum((set) => set.status?.readyReplicas)),
    ...positive('availableReplicas', available),
    ...positive('unavailableReplicas', Math.max(0, sum((set) => set.spec.replicas) - available)),
  }
}

function availability(deployment: Deployment, counts: Counts): Condition {
  const enough = (counts.availableReplicas ?? 0) >= replicasOf(deployment) - rolloutLimits(deployment).maxUnavailable
  return enough
    ? { type: 'Available', status: 'True', reason: 'MinimumReplicasAvailable', message: 'Deployment has minimum availability.' }
    : { type: 'Available', status: 'False', reason: 'MinimumReplicasUnavailable', message: 'Deployment does not have minimum availability.' }
}

function progressOf(
  deployment: Deployment,
  sets: readonly ReplicaSet[],
  counts: Counts,
  before: DeploymentStatus | undefined,
  now: number,
): { condition?: Condition; again?: number } {
  const known = conditionOf(before?.conditions, 'Progressing')
  if (deployment.spec.paused === true) {
    return { condition: { type: 'Progressing', status: 'Unknown', reason: 'DeploymentPaused', message: 'Deployment is paused' } }
  }
  const deadlineSeconds = deployment.spec.progressDeadlineSeconds ?? 600
  const newest = sets.find((set) => sameTemplate(set, deployment))
  const named = newest === undefined ? `Deployment "${deployment.metadata.name}"` : `ReplicaSet "${newest.metadata.name}"`
  const replicas = replicasOf(deployment)
  const complete =
    newest !== undefined &&
    (counts.updatedReplicas ?? 0) === replicas &&
    (counts.replicas ?? 0) === replicas &&
    (counts.availableReplicas ?? 0) >= replicas
  if (complete) {
    return { condition: { type: 'Progressing', status: 'True', reason: 'NewReplicaSetAvailable', message: `${named} has successfully progressed.` } }
  }
  const moved =
    known === undefined ||
    known.reason === 'DeploymentPaused' ||
    (before?.observedGeneration ?? 0) !== (deployment.metadata.generation ?? 0) ||
    (counts.updatedReplicas ?? 0) > (before?.updatedReplicas ?? 0) ||
    (counts.readyReplicas ?? 0) > (before?.readyReplicas ?? 0) ||
    (counts.availableReplicas ?? 0) > (before?.availableReplicas ?? 0) ||
    (counts.replicas ?? 0) - (counts.updatedReplicas ?? 0) < (before?.replicas ?? 0) - (before?.updatedReplicas ?? 0)
  const since = moved ? now : Date.parse(known.lastUpdateTime ?? known.lastTransitionTime ?? '')
  if (!moved && known.reason === 'ProgressDeadlineExceeded') return {}
  // A finished rollout that lost a pod later is no rollout: its deadline does not run.
  if (!moved && known.reason === 'NewReplicaSetAvailable') return {}
  const left = since + deadlineSeconds * 1000 - now
  if (left <= 0) {
    const message = `${named} has timed out progressing.`
    return { condition: { type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded', message } }
  }
  const fresh: Condition = { type: 'Progressing', status: 'True', reason: 'ReplicaSetUpdated', message: `${named} is progressing.` }
  return { condition: moved ? { ...fresh, lastUpdateTime: timestamp(now) } : known, again: left }
}

/** Deployment conditions also say when they were last looked at with news: `lastUpdateTime`. */
function withUpdate(conditions: readonly Condition[] | undefined, next: Condition, now: number): Condition[] {
  const before = conditionOf(conditions, next.type)
  const same = before !== undefined && before.status === next.status && before.reason === next.reason && before.message === next.message
  const lastUpdateTime = next.lastUpdateTime ?? (same ? before.lastUpdateTime : undefined) ?? timestamp(now)
  return withCondition(conditions, { ...next, lastUpdateTime }, timestamp(now))
}
