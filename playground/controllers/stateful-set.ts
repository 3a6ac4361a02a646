import { StillAsking } from '#playground/contract.ts'
import { adopt, ownersOf } from './adopt.ts'
import { controllerOf, keyOf, manager, placeOf, type ControllerContext } from './controller.ts'
import { presentRevision, revisionsOf, templateOf, trimRevisions } from './controller-revision.ts'
import { claims, controllerRevisions, pods, statefulSets, type ControllerRevision, type Pod, type StatefulSet } from './kinds.ts'
import { countPods, createPod, isFinished, isLeaving, isReady, podsOf, untilAvailable } from './pods-of.ts'
import { recordEvent } from './record-event.ts'
import { positive } from './replica-set.ts'

const revisionLabel = 'controller-revision-hash'

/** Pods with names and claims of their own, made and replaced one after another. */
export const statefulSetController = controllerOf('statefulset', (context) => ({
  reconcile: (key) => reconcile(context, key),
  watches: (queue) => [
    context.objects.watch(statefulSets, ({ object }) => queue.add(keyOf(object.metadata))),
    context.objects.watch(pods, ({ object }) => {
      for (const owner of ownersOf(context, statefulSets, object)) queue.add(owner)
    }),
  ],
}))

/** The template that pods are to have, and the one that they had when the set was last wholly up to date: below `partition` they keep it. */
type Revisions = { readonly update: ControllerRevision; readonly current: ControllerRevision }

const revisionNameOf = (pod: Pod): string | undefined => pod.metadata.labels?.[revisionLabel]
const ordinalOf = (pod: Pod): number => Number(/-(\d+)$/.exec(pod.metadata.name)?.[1] ?? -1)

function reconcile(context: ControllerContext, key: string): number | undefined {
  const { namespace, name } = placeOf(key)
  const set = context.objects.get(statefulSets, namespace, name)
  if (set === undefined || set.metadata.deletionTimestamp !== undefined) return undefined
  adopt(context, set, pods, (pod) => pod.metadata.name === `${name}-${ordinalOf(pod)}`)
  adopt(context, set, controllerRevisions, () => true)
  const update = presentRevision(context, set, 'controller.kubernetes.io/hash')
  const current = revisionsOf(context, set).find((revision) => revision.metadata.name === set.status?.currentRevision) ?? update
  step(context, set, { update, current })
  const own = podsOf(context, set)
  const again = writeStatus(context, set, own, { update, current })
  const names = new Set([update.metadata.name, current.metadata.name, ...own.map(revisionNameOf)])
  trimRevisions(context, set, (revision) => names.has(revision.metadata.name))
  return again
}

/** At most one thing at a time, unless pods are managed in parallel: what is missing, then what is too many, then what is out of date. */
function step(context: ControllerContext, set: StatefulSet, revisions: Revisions): void {
  const now = context.clock.now()
  const parallel = set.spec.podManagementPolicy === 'Parallel'
  const replicas = set.spec.replicas ?? 1
  const byOrdinal = new Map(podsOf(context, set).map((pod) => [ordinalOf(pod), pod]))
  const settled = (pod: Pod): boolean => !isLeaving(pod) && untilAvailable(pod, set.spec.minReadySeconds, now) === 0
  for (let ordinal = 0; ordinal < replicas; ordinal += 1) {
    const pod = byOrdinal.get(ordinal)
    if (pod === undefined) create(context, set, ordinal, revisions)
    else if (isFinished(pod) && !isLeaving(pod)) context.objects.delete(pods, pod.metadata)
    else if (parallel || settled(pod)) continue
    // A pod that cannot get ready on an old template is the one thing that may be replaced out of order.
    else if (!isLeaving(pod) && !isReady(pod) && isOutdated(pod, set, revisions, ordinal)) return replace(context, set, pod)
    if (!parallel) return
  }
  const surplus = [...byOrdinal.values()].filter((pod) => ordinalOf(pod) >= replicas).sort((a, b) => ordinalOf(b) - ordinalOf(a))
  for (const pod of surplus) {
    if (!isLeaving(pod)) replace(context, set, pod)
    if (!parallel) return
  }
  for (let ordinal = replicas - 1; ordinal >= 0; ordinal -= 1) {
    const pod = byOrdinal.get(ordinal)
    if (pod === undefined || !settled(pod)) return
    if (isOutdated(pod, set, revisions, ordinal)) return replace(context, set, pod)
  }
}

function isOutdated(pod: Pod, set: StatefulSet, { update }: Revisions, ordinal: number): boolean {
  if (set.spec.updateStrategy?.type === 'OnDelete' || ordinal < partitionOf(set)) return false
  return revisionNameOf(pod) !== update.metadata.name
}

const partitionOf = (set: StatefulSet): number => set.spec.updateStrategy?.rollingUpdate?.partition ?? 0

function replace(context: ControllerContext, set: StatefulSet, pod: Pod): void {
  context.objects.delete(pods, pod.metadata)
  tell(context, set, 'Normal', 'SuccessfulDelete', `delete Pod ${pod.metadata.name} in StatefulSet ${set.metadata.name} successful`)
}

function create(context: ControllerContext, set: StatefulSet, ordinal: number, { update, current }: Revisions): void {
  const { name, namespace } = set.metadata
  const exact = `${name}-${ordinal}`
  const revision = ordinal < partitionOf(set) ? current : update
  const template = structuredClone(templateOf(revision))
  for (const claim of set.spec.volumeClaimTemplates ?? []) {
    const claimName = `${claim.metadata.name}-${exact}`
    template.spec.volumes = [...(template.spec.volumes ?? []).filter((volume) => volume.name !== claim.metadata.name), { name: claim.metadata.name, persistentVolumeClaim: { claimName } }]
    if (context.objects.get(claims, namespace, claimName) !== undefined) continue
    // Owned by nobody: its data outlives the set.
    context.objects.create(claims, { metadata: { name: claimName, namespace, labels: set.spec.selector.matchLabels ?? {} }, spec: claim.spec }, manager)
    tell(context, set, 'Normal', 'SuccessfulCreate', `create Claim ${claimName} Pod ${exact} in StatefulSet ${name} success`)
  }
  const labels = { [revisionLabel]: revision.metadata.name, 'statefulset.kubernetes.io/pod-name': exact, 'apps.kubernetes.io/pod-index': String(ordinal) }
  try {
    createPod(context, { owner: set, template, name: { exact }, labels })
  } catch (error) {
    if (!(error instanceof StillAsking)) tell(context, set, 'Warning', 'FailedCreate', `create Pod ${exact} in StatefulSet ${name} failed error: ${(error as Error).message}`)
    throw error
  }
  tell(context, set, 'Normal', 'SuccessfulCreate', `create Pod ${exact} in StatefulSet ${name} successful`)
}

function writeStatus(context: ControllerContext, set: StatefulSet, list: Pod[], { update, current }: Revisions): number | undefined {
  const own = list.filter((pod) => !isFinished(pod))
  const { ready, available, again } = countPods(own.filter((pod) => !isLeaving(pod)), set.spec.minReadySeconds, context.clock.now())
  const countOf = (revision: ControllerRevision): number => own.filter((pod) => revisionNameOf(pod) === revision.metadata.name).length
  const replicas = set.spec.replicas ?? 1
  const updated = countOf(update)
  const done = set.spec.updateStrategy?.type !== 'OnDelete' && updated === replicas && ready === replicas && own.length === replicas
  const settled = done ? update : current
  context.objects.edit(statefulSets, set.metadata, 'status', manager, (object) => {
    object.status = {
      ...(set.metadata.generation === undefined ? {} : { observedGeneration: set.metadata.generation }),
      replicas: own.length,
      ...positive('readyReplicas', ready),
      availableReplicas: available,
      ...positive('currentReplicas', countOf(settled)),
      ...positive('updatedReplicas', updated),
      currentRevision: settled.metadata.name,
      updateRevision: update.metadata.name,
      collisionCount: 0,
    }
  })
  return again
}

function tell(context: ControllerContext, about: StatefulSet, type: 'Normal' | 'Warning', reason: string, message: string): void {
  recordEvent(context, { about, type, reason, message, component: 'statefulset-controller' })
}
