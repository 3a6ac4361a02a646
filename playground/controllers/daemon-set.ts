import { StillAsking } from '#playground/contract.ts'
import { adopt, ownersOf } from './adopt.ts'
import { controllerOf, keyOf, manager, placeOf, type ControllerContext } from './controller.ts'
import { presentRevision, trimRevisions } from './controller-revision.ts'
import { controllerRevisions, daemonSets, nodes, pods, type ControllerRevision, type DaemonSet, type NodeObject, type Pod, type PodSpec, type Toleration } from './kinds.ts'
import { isAskedFor, nodeOf, pinnedTo, repels } from './node-fit.ts'
import { countPods, createPod, isActive, isFinished, isLeaving, isReady, podsOf } from './pods-of.ts'
import { recordEvent } from './record-event.ts'

const revisionLabel = 'controller-revision-hash'

/** One pod for each node that takes it. An update deletes an old pod, then makes the new one (`maxUnavailable` 1). Source: kubernetes `pkg/controller/daemon`. */
export const daemonSetController = controllerOf('daemonset', (context) => ({
  reconcile: (key) => reconcile(context, key),
  watches: (queue) => [
    context.objects.watch(daemonSets, ({ object }) => queue.add(keyOf(object.metadata))),
    context.objects.watch(pods, ({ object }) => {
      for (const owner of ownersOf(context, daemonSets, object)) queue.add(owner)
    }),
    context.objects.watch(nodes, () => {
      for (const { metadata } of context.objects.list(daemonSets)) queue.add(keyOf(metadata))
    }),
  ],
}))

function reconcile(context: ControllerContext, key: string): number | undefined {
  const { namespace, name } = placeOf(key)
  const set = context.objects.get(daemonSets, namespace, name)
  if (set === undefined || set.metadata.deletionTimestamp !== undefined) return undefined
  adopt(context, set, pods, isActive)
  adopt(context, set, controllerRevisions, () => true)
  const present = presentRevision(context, set, revisionLabel)
  step(context, set, hashOf(present))
  const own = podsOf(context, set)
  const hashes = new Set([hashOf(present), ...own.map(({ metadata }) => metadata.labels?.[revisionLabel])])
  trimRevisions(context, set, (revision) => hashes.has(hashOf(revision)))
  return writeStatus(context, set, own.filter(isActive), hashOf(present))
}

const hashOf = (revision: ControllerRevision): string => revision.metadata.labels?.[revisionLabel] ?? ''

/** What its pods bear beside what their template says. */
const borne: readonly Toleration[] = [
  ...['not-ready', 'unreachable'].map((name) => ({ name, effect: 'NoExecute' as const })),
  ...['disk-pressure', 'memory-pressure', 'pid-pressure', 'unschedulable'].map((name) => ({ name, effect: 'NoSchedule' as const })),
].map(({ name, effect }) => ({ key: `node.kubernetes.io/${name}`, operator: 'Exists', effect }))

function templateSpec({ spec: { template } }: DaemonSet): PodSpec {
  const given = template.spec.tolerations ?? []
  return { ...template.spec, tolerations: [...given.filter(({ key, effect }) => !borne.some((each) => each.key === key && each.effect === effect)), ...borne] }
}

/** Whether a node is to have a pod, may keep the one that it has, or must not. */
function placing(set: DaemonSet, node: NodeObject): 'run' | 'stay' | 'leave' {
  const spec = templateSpec(set)
  if ((spec.nodeName ?? node.metadata.name) !== node.metadata.name || !isAskedFor(spec, node) || repels(node, spec, ['NoExecute'])) return 'leave'
  return repels(node, spec, ['NoSchedule']) ? 'stay' : 'run'
}

function step(context: ControllerContext, set: DaemonSet, hash: string): void {
  const own = podsOf(context, set)
  const kept: Pod[] = []
  let lacking = 0
  for (const node of context.objects.list(nodes)) {
    const here = own.filter((pod) => nodeOf(pod) === node.metadata.name)
    const [active, ...surplus] = here.filter(isActive)
    for (const pod of [...here.filter((candidate) => isFinished(candidate) && !isLeaving(candidate)), ...surplus]) context.objects.delete(pods, pod.metadata)
    const place = placing(set, node)
    if (active !== undefined && place === 'leave') remove(context, set, active)
    else if (active !== undefined) kept.push(active)
    else if (place === 'run') {
      lacking += 1
      // One after the other: what leaves may hold what the next one needs.
      if (!here.some(isLeaving)) create(context, set, hash, node.metadata.name)
    }
  }
  if (set.spec.updateStrategy?.type === 'OnDelete') return
  const old = kept.filter(({ metadata }) => metadata.labels?.[revisionLabel] !== hash)
  const broken = old.filter((pod) => !isReady(pod))
  const whole = lacking === 0 && kept.every(isReady)
  for (const pod of whole ? old.slice(0, 1) : broken) remove(context, set, pod)
}

function remove(context: ControllerContext, set: DaemonSet, pod: Pod): void {
  context.objects.delete(pods, pod.metadata)
  tell(context, set, 'Normal', 'SuccessfulDelete', `Deleted pod: ${pod.metadata.name}`)
}

function create(context: ControllerContext, set: DaemonSet, hash: string, node: string): void {
  const { name, annotations } = set.metadata
  const generation = annotations?.['deprecated.daemonset.template.generation']
  const labels = { [revisionLabel]: hash, ...(generation === undefined ? {} : { 'pod-template-generation': generation }) }
  const spec = templateSpec(set)
  const template = { ...set.spec.template, spec: { ...spec, affinity: { ...spec.affinity, nodeAffinity: { ...spec.affinity?.nodeAffinity, ...pinnedTo(node) } } } }
  try {
    const pod = createPod(context, { owner: set, template, name: { generated: `${name}-` }, labels })
    tell(context, set, 'Normal', 'SuccessfulCreate', `Created pod: ${pod.metadata.name}`)
  } catch (error) {
    if (!(error instanceof StillAsking)) tell(context, set, 'Warning', 'FailedCreate', `Error creating: ${(error as Error).message}`)
    throw error
  }
}

function writeStatus(context: ControllerContext, set: DaemonSet, all: Pod[], hash: string): number | undefined {
  const running = new Set(context.objects.list(nodes).filter((node) => placing(set, node) === 'run').map(({ metadata }) => metadata.name))
  const active = all.filter((pod) => running.has(nodeOf(pod) ?? ''))
  const { ready, available, again } = countPods(active, set.spec.minReadySeconds, context.clock.now())
  const desired = running.size
  const updated = active.filter((pod) => pod.metadata.labels?.[revisionLabel] === hash).length
  context.objects.edit(daemonSets, set.metadata, 'status', manager, (object) => {
    object.status = {
      ...(set.metadata.generation === undefined ? {} : { observedGeneration: set.metadata.generation }),
      currentNumberScheduled: active.length,
      desiredNumberScheduled: desired,
      numberMisscheduled: all.length - active.length,
      numberReady: ready,
      ...(updated > 0 ? { updatedNumberScheduled: updated } : {}),
      ...(available > 0 ? { numberAvailable: available } : {}),
      ...(desired > available ? { numberUnavailable: desired - available } : {}),
    }
  })
  return again
}

function tell(context: ControllerContext, about: DaemonSet, type: 'Normal' | 'Warning', reason: string, message: string): void {
  recordEvent(context, { about, type, reason, message, component: 'daemonset-controller' })
}
