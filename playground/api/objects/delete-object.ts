import { isObject } from '#lib/json.ts'
import type { KubernetesObject } from '#playground/contract.ts'
import { type Backend, find, store, timeNow } from '../backend.ts'
import type { Kind } from '../kinds.ts'
import type { User } from '../request.ts'
import { conflict, forbidden, modifiedMeanwhile } from '../status.ts'
import { isNamespace } from './create-object.ts'
import { atOnce, Moved, type Steps } from './steps.ts'
import { isReleased } from './update-object.ts'

export type Deletion = {
  readonly propagation: 'Background' | 'Foreground' | 'Orphan' | undefined
  readonly graceSeconds: number | undefined
  readonly dryRun: boolean
  readonly user: User
}

/** `gone`: the object as it was; else it waits, as `object`, for its finalizers (or, a Pod, for its kubelet). */
export type Deleted = { readonly gone: boolean; readonly object: KubernetesObject; readonly warnings: readonly string[] }

/** Deletes at once. */
export function deleteObject(backend: Backend, kind: Kind, live: KubernetesObject, deletion: Deletion): Deleted {
  return atOnce(deleteSteps(backend, kind, live, deletion))
}

/** Throws `Moved` where `live` is no more what is there. */
export function* deleteSteps(backend: Backend, kind: Kind, live: KubernetesObject, deletion: Deletion): Steps<Deleted> {
  const { name = '', namespace = '' } = live.metadata
  if (kind.group === '' && kind.plural === 'namespaces' && ['default', 'kube-system', 'kube-public'].includes(name)) {
    throw forbidden(kind, name, 'this namespace may not be deleted')
  }
  const warnings: string[] = []
  const { dryRun, user } = deletion
  const none = (): undefined => undefined
  const attributes = { operation: 'DELETE' as const, kind, subresource: '', namespace: isNamespace(kind) ? name : namespace, name, object: none, oldObject: live, user, dryRun, manager: '', warnings }
  yield* backend.admission.mutate(attributes)
  yield* backend.admission.validate(attributes)
  if (find(backend, kind, namespace, name)?.metadata.resourceVersion !== live.metadata.resourceVersion) throw new Moved(conflict(kind, name, modifiedMeanwhile))
  const marked = mark(backend, kind, live, deletion)
  if (isReleased(kind, marked)) {
    if (!deletion.dryRun) store(backend, kind, 'DELETED', live)
    return { gone: true, object: live, warnings }
  }
  const first = live.metadata.deletionTimestamp === undefined
  const same = !first && sameFinalizers(live, marked) && live.metadata.deletionGracePeriodSeconds === marked.metadata.deletionGracePeriodSeconds
  if (same) return { gone: false, object: live, warnings }
  if (first && kind.generation !== 'none') marked.metadata.generation = (live.metadata.generation ?? 0) + 1
  return { gone: false, warnings, object: deletion.dryRun ? marked : store(backend, kind, 'MODIFIED', marked) }
}

/** The object as a delete leaves it where something still holds it. */
function mark(backend: Backend, kind: Kind, live: KubernetesObject, deletion: Deletion): KubernetesObject {
  const metadata = { ...live.metadata }
  const grace = gracePeriod(kind, live, deletion)
  if (metadata.deletionTimestamp === undefined) {
    metadata.deletionTimestamp = timeNow({ clock: { ...backend.clock, now: () => backend.clock.now() + grace * 1000 } })
    metadata.deletionGracePeriodSeconds = grace
  } else if (grace < Number(metadata.deletionGracePeriodSeconds ?? 0)) metadata.deletionGracePeriodSeconds = grace
  const finalizers = new Set(Array.isArray(metadata.finalizers) ? metadata.finalizers : [])
  if (deletion.propagation === 'Orphan') {
    finalizers.delete('foregroundDeletion')
    finalizers.add('orphan')
  } else if (deletion.propagation === 'Foreground') {
    finalizers.delete('orphan')
    finalizers.add('foregroundDeletion')
  } else if (deletion.propagation === 'Background') {
    finalizers.delete('orphan')
    finalizers.delete('foregroundDeletion')
  }
  if (finalizers.size > 0) metadata.finalizers = [...finalizers]
  else delete metadata.finalizers
  const marked: KubernetesObject = { ...live, metadata }
  if (kind.group === '' && kind.plural === 'namespaces') marked.status = { ...(isObject(live.status) ? live.status : {}), phase: 'Terminating' }
  return marked
}

/** Only a Pod that runs on a node ends gracefully. */
function gracePeriod(kind: Kind, live: KubernetesObject, deletion: Deletion): number {
  if (kind.group !== '' || kind.plural !== 'pods') return 0
  const spec = isObject(live.spec) ? live.spec : {}
  const phase = isObject(live.status) ? live.status.phase : undefined
  if (typeof spec.nodeName !== 'string' || spec.nodeName === '' || phase === 'Succeeded' || phase === 'Failed') return 0
  if (deletion.graceSeconds !== undefined) return deletion.graceSeconds
  return typeof spec.terminationGracePeriodSeconds === 'number' ? spec.terminationGracePeriodSeconds : 30
}

function sameFinalizers(a: KubernetesObject, b: KubernetesObject): boolean {
  return JSON.stringify(a.metadata.finalizers ?? []) === JSON.stringify(b.metadata.finalizers ?? [])
}
