import type { Controller, ControllerContext } from './controller.ts'
import { watchEveryResource, type AnyObject } from './every-resource.ts'
import { ReconcileQueue } from './queue.ts'
import type { Kind } from './typed-objects.ts'

type Known = { readonly kind: Kind<unknown>; readonly object: AnyObject }

const manager = 'kube-controller-manager'

/**
 * Garbage collection by ownerReferences, by UID alone. Background: what has owners and has lost them all goes. Foreground: an owner with the
 * finalizer `foregroundDeletion` waits until its dependents are gone. Orphan: with the finalizer `orphan`, dependents forget their owner first.
 */
export const garbageCollector: Controller = (context) => {
  const known = new Map<string, Known>()
  const dependents = new Map<string, Set<string>>()
  const queue = new ReconcileQueue(
    context.clock,
    (uid) => collect(context, known, dependents.get(uid) ?? new Set(), uid),
    (uid, error) => context.log(`garbage collector: ${uid}: ${String(error)}`),
  )
  const link = (object: AnyObject, change: (list: Set<string>) => void): void => {
    for (const { uid } of object.metadata.ownerReferences ?? []) {
      const list = dependents.get(uid) ?? new Set()
      change(list)
      if (list.size > 0) dependents.set(uid, list)
      else dependents.delete(uid)
    }
  }
  const everything = watchEveryResource(context, (kind, { type, object }) => {
    const { uid, ownerReferences, deletionTimestamp } = object.metadata
    const before = known.get(uid)
    if (before !== undefined) link(before.object, (list) => list.delete(uid))
    if (type === 'DELETED') {
      known.delete(uid)
      for (const dependent of dependents.get(uid) ?? []) queue.add(dependent)
    } else {
      known.set(uid, { kind, object })
      link(object, (list) => list.add(uid))
      if (ownerReferences !== undefined || deletionTimestamp !== undefined) queue.add(uid)
    }
    // An owner that waits in the foreground looks again with every change of what it owns.
    for (const owner of ownerReferences ?? []) if (known.get(owner.uid)?.object.metadata.deletionTimestamp !== undefined) queue.add(owner.uid)
  })
  return () => {
    everything.stop()
    queue.stop()
  }
}

function collect(context: ControllerContext, known: Map<string, Known>, own: ReadonlySet<string>, uid: string): undefined {
  const found = known.get(uid)
  if (found === undefined) return
  const { metadata } = found.object
  if (metadata.deletionTimestamp !== undefined) {
    const mine = [...own].map((dependent) => known.get(dependent)).filter((dependent) => dependent !== undefined)
    if (metadata.finalizers?.includes('orphan') === true) orphan(context, found, mine)
    else if (metadata.finalizers?.includes('foregroundDeletion') === true) foreground(context, found, mine)
    return
  }
  const owners = metadata.ownerReferences ?? []
  if (owners.length === 0) return
  const present = owners.map((owner) => known.get(owner.uid))
  const leaving = present.some((owner) => owner?.object.metadata.finalizers?.includes('foregroundDeletion') === true)
  const alive = present.some((owner) => owner !== undefined && owner.object.metadata.deletionTimestamp === undefined)
  const gone = present.every((owner) => owner === undefined)
  if (!gone && !(leaving && !alive)) return
  // A deletion in the foreground goes on below.
  const below = leaving ? 'Foreground' : 'Background'
  context.objects.raw.delete(found.kind, metadata.namespace ?? '', metadata.name, uid, below)
}

function foreground(context: ControllerContext, owner: Known, mine: readonly Known[]): void {
  const { uid } = owner.object.metadata
  const blocks = ({ object }: Known): boolean => object.metadata.ownerReferences?.some((reference) => reference.uid === uid && reference.blockOwnerDeletion === true) === true
  for (const { kind, object } of mine) {
    const others = object.metadata.ownerReferences?.filter((reference) => reference.uid !== uid) ?? []
    if (object.metadata.deletionTimestamp === undefined && others.length === 0) {
      context.objects.raw.delete(kind, object.metadata.namespace ?? '', object.metadata.name, object.metadata.uid, 'Foreground')
    }
  }
  const left = mine.filter((dependent) => blocks(dependent) && context.objects.raw.get(dependent.kind, dependent.object.metadata.namespace ?? '', dependent.object.metadata.name)?.metadata.uid === dependent.object.metadata.uid)
  if (left.length === 0) dropFinalizer(context, owner, 'foregroundDeletion')
}

function orphan(context: ControllerContext, owner: Known, mine: readonly Known[]): void {
  const { uid } = owner.object.metadata
  for (const { kind, object } of mine) {
    context.objects.edit(kind as Kind<AnyObject>, object.metadata, 'object', manager, (edited) => {
      const others = edited.metadata.ownerReferences?.filter((reference) => reference.uid !== uid) ?? []
      if (others.length > 0) edited.metadata.ownerReferences = others
      else delete edited.metadata.ownerReferences
    })
  }
  dropFinalizer(context, owner, 'orphan')
}

function dropFinalizer({ objects }: ControllerContext, { kind, object }: Known, finalizer: string): void {
  objects.edit(kind as Kind<AnyObject>, object.metadata, 'object', manager, (edited) => {
    if (edited.metadata.uid !== object.metadata.uid) return
    const others = edited.metadata.finalizers?.filter((name) => name !== finalizer) ?? []
    if (others.length > 0) edited.metadata.finalizers = others
    else delete edited.metadata.finalizers
  })
}
