import { withCondition } from '#playground/controllers/conditions.ts'
import type { Condition, Pod, PodStatus } from '#playground/controllers/kinds.ts'
import type { ClusterStatus } from './kind.ts'

export type Seen = {
  readonly cluster: string
  readonly wanted: number
  readonly image: string
  /** Every instance that there is, first the primary. */
  readonly instances: readonly { readonly name: string; readonly ip: string; readonly ready: boolean }[]
  readonly timeline: number | undefined
  readonly problem: string | undefined
  readonly secretVersion: string | undefined
  readonly time: string
}

/** The status as CloudNativePG writes it (api/v1/cluster_types.go); left out are the fields about TLS, backups, the operator's own hashes and plugins. */
export function statusOf(before: ClusterStatus | undefined, seen: Seen): ClusterStatus {
  const { instances, wanted, time, timeline } = seen
  const names = instances.map(({ name }) => name)
  const ready = instances.filter((one) => one.ready)
  const primary = instances[0]
  const healthy = ready.length === wanted && instances.length === wanted
  const bootstrapped = timeline !== undefined
  const phase = healthy ? 'Cluster in healthy state' : !bootstrapped ? 'Setting up primary' : instances.length < wanted ? 'Creating a new replica' : 'Waiting for the instances to become active'
  const reason = healthy ? {} : { phaseReason: seen.problem ?? (bootstrapped ? 'Some instances are not yet active. Please wait.' : `Creating primary instance ${seen.cluster}-1`) }
  const condition: Condition = healthy
    ? { type: 'Ready', status: 'True', reason: 'ClusterIsReady', message: 'Cluster is Ready' }
    : { type: 'Ready', status: 'False', reason: 'ClusterIsNotReady', message: 'Cluster Is Not Ready' }
  const current = bootstrapped && primary !== undefined ? { currentPrimary: primary.name, currentPrimaryTimestamp: before?.currentPrimaryTimestamp ?? time } : {}
  return {
    conditions: withCondition(before?.conditions, condition, time),
    ...current,
    targetPrimary: `${seen.cluster}-1`,
    targetPrimaryTimestamp: before?.targetPrimaryTimestamp ?? time,
    phase,
    ...reason,
    instances: instances.length,
    readyInstances: ready.length,
    instanceNames: names,
    instancesStatus: grouped(instances),
    ...(bootstrapped ? { timelineID: timeline, instancesReportedState: Object.fromEntries(ready.map(({ name, ip }) => [name, { isPrimary: name === primary?.name, timeLineID: timeline, ip }])) } : {}),
    latestGeneratedNode: Math.max(before?.latestGeneratedNode ?? 0, instances.length),
    pvcCount: instances.length,
    healthyPVC: names,
    writeService: `${seen.cluster}-rw`,
    readService: `${seen.cluster}-r`,
    image: seen.image,
    topology: { successfullyExtracted: true, nodesUsed: 1, instances: Object.fromEntries(names.map((name) => [name, {}])) },
    managedRolesStatus: {},
    switchReplicaClusterStatus: {},
    ...(seen.secretVersion === undefined ? {} : { secretsResourceVersion: { applicationSecretVersion: seen.secretVersion } }),
  } as ClusterStatus
}

function grouped(instances: Seen['instances']): Record<string, string[]> {
  const groups = { healthy: instances.filter(({ ready }) => ready), replicating: instances.filter(({ ready }) => !ready) }
  return Object.fromEntries(Object.entries(groups).flatMap(([state, some]) => (some.length === 0 ? [] : [[state, some.map(({ name }) => name)]])))
}

/** Of an instance's pod, as a kubelet would write it. */
export function instanceStatus(pod: Pod, ip: string, ready: boolean, time: string): PodStatus {
  const container = pod.spec.containers[0]
  const startTime = pod.status?.startTime ?? time
  let conditions = pod.status?.conditions
  for (const type of ['PodScheduled', 'Initialized', 'ContainersReady', 'Ready']) {
    conditions = withCondition(conditions, { type, status: ready || type === 'PodScheduled' || type === 'Initialized' ? 'True' : 'False', lastProbeTime: null }, time)
  }
  const state = { running: { startedAt: startTime } }
  const status = { name: container?.name ?? '', image: container?.image ?? '', imageID: '', ready, started: ready, restartCount: 0, state, lastState: {} }
  return { ...pod.status, phase: 'Running', startTime, podIP: ip, podIPs: [{ ip }], ...(conditions === undefined ? {} : { conditions }), containerStatuses: [status] }
}
