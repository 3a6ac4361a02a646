import { withCondition } from '#playground/controllers/conditions.ts'
import type { Condition, ContainerStatus, Pod, PodStatus } from '#playground/controllers/kinds.ts'

export type Observed = {
  readonly podIp: string | undefined
  readonly nodeIp: string
  readonly time: string
  readonly initContainers: readonly ContainerStatus[]
  readonly containers: readonly ContainerStatus[]
}

/** The status that a kubelet writes for what it sees. */
export function podStatus(pod: Pod, before: PodStatus | undefined, observed: Observed): PodStatus {
  const phase = phaseOf(pod, observed)
  const { podIp, nodeIp, time, initContainers, containers } = observed
  const unready = containers.filter(({ ready }) => !ready).map(({ name }) => name)
  const initialised = initContainers.every(({ state }) => state.terminated?.exitCode === 0)
  const finished = phase === 'Succeeded' || phase === 'Failed'
  const ready: Partial<Condition> =
    unready.length === 0 && containers.length > 0
      ? { status: 'True' }
      : finished
        ? { status: 'False', reason: phase === 'Succeeded' ? 'PodCompleted' : 'PodFailed' }
        : { status: 'False', reason: 'ContainersNotReady', message: `containers with unready status: [${unready.join(' ')}]` }
  const waiting = initContainers.filter(({ state }) => state.terminated?.exitCode !== 0).map(({ name }) => name)
  const next: Partial<Condition>[] = [
    { type: 'PodReadyToStartContainers', status: podIp === undefined || finished ? 'False' : 'True' },
    initialised
      ? { type: 'Initialized', status: 'True' }
      : { type: 'Initialized', status: 'False', reason: 'ContainersNotInitialized', message: `containers with incomplete status: [${waiting.join(' ')}]` },
    { ...ready, type: 'Ready' },
    { ...ready, type: 'ContainersReady' },
    { type: 'PodScheduled', status: 'True' },
  ]
  let conditions: Condition[] = before?.conditions ?? []
  const generation = pod.metadata.generation === undefined ? {} : { observedGeneration: pod.metadata.generation }
  for (const condition of next) conditions = withCondition(conditions, { lastProbeTime: null, ...generation, ...condition } as Condition, time)
  return {
    ...before,
    ...generation,
    phase,
    conditions,
    hostIP: nodeIp,
    hostIPs: [{ ip: nodeIp }],
    ...(podIp === undefined ? {} : { podIP: podIp, podIPs: [{ ip: podIp }] }),
    startTime: before?.startTime ?? time,
    ...(initContainers.length === 0 ? {} : { initContainerStatuses: [...initContainers] }),
    containerStatuses: [...containers],
  }
}

/** After the kubelet's own rule: waiting for a first start is Pending; what ended and comes again is Running. */
function phaseOf(pod: Pod, { initContainers, containers }: Observed): NonNullable<PodStatus['phase']> {
  const policy = pod.spec.restartPolicy ?? 'Always'
  const failedInit = initContainers.some(({ state }) => state.terminated !== undefined && state.terminated.exitCode !== 0)
  if (failedInit && policy === 'Never') return 'Failed'
  if (initContainers.some(({ state }) => state.terminated?.exitCode !== 0)) return 'Pending'
  if (containers.some(({ state, lastState }) => state.waiting !== undefined && lastState.terminated === undefined)) return 'Pending'
  if (containers.some(({ state }) => state.running !== undefined)) return 'Running'
  if (policy === 'Always') return 'Running'
  const codes = containers.map(({ state, lastState }) => (state.terminated ?? lastState.terminated)?.exitCode)
  if (codes.every((code) => code === 0)) return 'Succeeded'
  return policy === 'Never' ? 'Failed' : 'Running'
}
