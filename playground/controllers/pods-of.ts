import { conditionOf } from './conditions.ts'
import { isControlledBy, manager, type ControllerContext } from './controller.ts'
import { pods, type Metadata, type OwnerReference, type Pod, type PodTemplate } from './kinds.ts'

type Owner = { readonly apiVersion: string; readonly kind: string; readonly metadata: Metadata }

export function ownerReference({ apiVersion, kind, metadata }: Owner): OwnerReference {
  return { apiVersion, kind, name: metadata.name, uid: metadata.uid, controller: true, blockOwnerDeletion: true }
}

/** All pods that `owner` controls, whatever their state, by name. */
export function podsOf({ objects }: ControllerContext, owner: Owner): Pod[] {
  return objects
    .list(pods, owner.metadata.namespace)
    .filter((pod) => isControlledBy(pod.metadata, owner.metadata.uid))
    .sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))
}

export const isFinished = (pod: Pod): boolean => pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed'
export const isLeaving = (pod: Pod): boolean => pod.metadata.deletionTimestamp !== undefined
export const isActive = (pod: Pod): boolean => !isFinished(pod) && !isLeaving(pod)
export const isReady = (pod: Pod): boolean => conditionOf(pod.status?.conditions, 'Ready')?.status === 'True'

/** How long until a ready pod counts as available: 0 when it does, undefined when it is not ready. */
export function untilAvailable(pod: Pod, minReadySeconds: number | undefined, now: number): number | undefined {
  const ready = conditionOf(pod.status?.conditions, 'Ready')
  if (ready?.status !== 'True') return undefined
  if (minReadySeconds === undefined || minReadySeconds === 0) return 0
  return Math.max(0, Date.parse(ready.lastTransitionTime ?? '') + minReadySeconds * 1000 - now)
}

/** Counts for a status, and when to look again because a pod becomes available by time alone. */
export function countPods(list: readonly Pod[], minReadySeconds: number | undefined, now: number): { ready: number; available: number; again?: number } {
  const waits = list.map((pod) => untilAvailable(pod, minReadySeconds, now)).filter((wait) => wait !== undefined)
  const open = waits.filter((wait) => wait > 0)
  const counts = { ready: waits.length, available: waits.length - open.length }
  return open.length === 0 ? counts : { ...counts, again: Math.min(...open) }
}

export type NewPod = {
  readonly owner: Owner
  readonly template: PodTemplate
  /** A name, or the start of one. */
  readonly name: { readonly exact: string } | { readonly generated: string }
  readonly labels?: Readonly<Record<string, string>>
}

export function createPod({ objects }: ControllerContext, { owner, template, name, labels }: NewPod): Pod {
  const metadata = {
    ...('exact' in name ? { name: name.exact } : { generateName: name.generated }),
    namespace: owner.metadata.namespace,
    labels: { ...template.metadata?.labels, ...labels },
    ...(template.metadata?.annotations === undefined ? {} : { annotations: template.metadata.annotations }),
    ownerReferences: [ownerReference(owner)],
  }
  return objects.create(pods, { metadata, spec: structuredClone(template.spec) }, manager)
}

/** Which to lose first: not yet started, then not ready, then the youngest. */
export function byWorth(a: Pod, b: Pod): number {
  const worth = (pod: Pod): number =>
    (pod.spec.nodeName === undefined ? 0 : 1) + (pod.status?.phase === 'Running' ? 2 : 0) + (isReady(pod) ? 4 : 0)
  return worth(a) - worth(b) || (b.metadata.creationTimestamp ?? '').localeCompare(a.metadata.creationTimestamp ?? '')
}
