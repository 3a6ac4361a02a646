import { StillAsking } from '#playground/contract.ts'
import { adopt, ownersOf } from './adopt.ts'
import { controllerOf, keyOf, manager, placeOf, type ControllerContext } from './controller.ts'
import { presentRevision, trimRevisions } from './controller-revision.ts'
import { controllerRevisions, daemonSets, nodes, pods, type ControllerRevision, type DaemonSet, type Pod } from './kinds.ts'
import { countPods, createPod, isActive, isFinished, isLeaving, podsOf } from './pods-of.ts'
import { recordEvent } from './record-event.ts'

const revisionLabel = 'controller-revision-hash'

/** One pod for each node: the playground has one. An update deletes the old pod, then makes the new one (`maxUnavailable` 1). */
export const daemonSetController = controllerOf('daemonset', (context) => ({
  reconcile: (key) => reconcile(context, key),
  watches: (queue) => [
    context.objects.watch(daemonSets, ({ object }) => queue.add(keyOf(object.metadata))),
    context.objects.watch(pods, ({ object }) => {
      for (const owner of ownersOf(context, daemonSets, object)) queue.add(owner)
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

function step(context: ControllerContext, set: DaemonSet, hash: string): void {
  const own = podsOf(context, set)
  const [active, ...surplus] = own.filter(isActive)
  for (const pod of [...own.filter((candidate) => isFinished(candidate) && !isLeaving(candidate)), ...surplus]) context.objects.delete(pods, pod.metadata)
  if (active === undefined) {
    if (own.some(isLeaving)) return // one after the other: it may hold what the next one needs
    create(context, set, hash)
  } else if (set.spec.updateStrategy?.type !== 'OnDelete' && active.metadata.labels?.[revisionLabel] !== hash) {
    context.objects.delete(pods, active.metadata)
    tell(context, set, 'Normal', 'SuccessfulDelete', `Deleted pod: ${active.metadata.name}`)
  }
}

function create(context: ControllerContext, set: DaemonSet, hash: string): void {
  const { name, annotations } = set.metadata
  const generation = annotations?.['deprecated.daemonset.template.generation']
  const labels = { [revisionLabel]: hash, ...(generation === undefined ? {} : { 'pod-template-generation': generation }) }
  try {
    const pod = createPod(context, { owner: set, template: set.spec.template, name: { generated: `${name}-` }, labels })
    tell(context, set, 'Normal', 'SuccessfulCreate', `Created pod: ${pod.metadata.name}`)
  } catch (error) {
    if (!(error instanceof StillAsking)) tell(context, set, 'Warning', 'FailedCreate', `Error creating: ${(error as Error).message}`)
    throw error
  }
}

function writeStatus(context: ControllerContext, set: DaemonSet, active: Pod[], hash: string): number | undefined {
  const { ready, available, again } = countPods(active, set.spec.minReadySeconds, context.clock.now())
  const desired = context.objects.list(nodes).length
  const updated = active.filter((pod) => pod.metadata.labels?.[revisionLabel] === hash).length
  context.objects.edit(daemonSets, set.metadata, 'status', manager, (object) => {
    object.status = {
      ...(set.metadata.generation === undefined ? {} : { observedGeneration: set.metadata.generation }),
      currentNumberScheduled: active.length,
      desiredNumberScheduled: desired,
      numberMisscheduled: 0,
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
