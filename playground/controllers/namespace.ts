import { withCondition } from './conditions.ts'
import { manager, timestamp, type Controller, type ControllerContext } from './controller.ts'
import { watchEveryResource, type AnyObject } from './every-resource.ts'
import { namespaces, type Condition } from './kinds.ts'
import { ReconcileQueue } from './queue.ts'
import type { Kind } from './typed-objects.ts'

/** Empties a namespace that is being deleted, says in its conditions what is left, and lets it go when nothing is. */
export const namespaceController: Controller = (context) => {
  const queue: ReconcileQueue = new ReconcileQueue(
    context.clock,
    (name) => empty(context, everything.kinds(), name),
    (name, error) => context.log(`namespace controller: ${name}: ${String(error)}`),
  )
  const everything: ReturnType<typeof watchEveryResource> = watchEveryResource(context, (kind, { object }) => {
    const name = kind.plural === 'namespaces' ? object.metadata.name : object.metadata.namespace
    if (name === undefined || name === '') return
    if (context.objects.get(namespaces, '', name)?.metadata.deletionTimestamp !== undefined) queue.add(name)
  })
  return () => {
    everything.stop()
    queue.stop()
  }
}

function empty(context: ControllerContext, kinds: readonly Kind<unknown>[], name: string): undefined {
  const { objects, clock } = context
  const namespace = objects.get(namespaces, '', name)
  if (namespace?.metadata.deletionTimestamp === undefined) return
  const left = new Map<string, AnyObject[]>()
  for (const kind of kinds.filter(({ namespaced }) => namespaced)) {
    const list = (): AnyObject[] => objects.raw.list(kind, name) as unknown as AnyObject[]
    for (const { metadata } of list()) if (metadata.deletionTimestamp === undefined) objects.delete(kind, metadata)
    const rest = list()
    if (rest.length > 0) left.set(`${kind.plural}.${kind.group}`, rest)
  }
  const time = timestamp(clock.now())
  objects.edit(namespaces, { name }, 'status', manager, (object) => {
    let conditions = object.status?.conditions ?? []
    for (const condition of conditionsOf(left)) conditions = withCondition(conditions, condition, time)
    object.status = { ...object.status, phase: 'Terminating', conditions }
  })
  if (left.size > 0) return
  objects.edit(namespaces, { name }, 'object', manager, (object) => {
    object.spec.finalizers = object.spec.finalizers?.filter((finalizer) => finalizer !== 'kubernetes') ?? []
  })
}

function conditionsOf(left: ReadonlyMap<string, AnyObject[]>): Condition[] {
  const counts = [...left].map(([resource, list]) => `${resource} has ${list.length} resource instances`)
  const finalizers = new Map<string, number>()
  for (const { metadata } of [...left.values()].flat()) for (const finalizer of metadata.finalizers ?? []) finalizers.set(finalizer, (finalizers.get(finalizer) ?? 0) + 1)
  const held = [...finalizers].map(([finalizer, count]) => `${finalizer} in ${count} resource instances`)
  return [
    { type: 'NamespaceDeletionDiscoveryFailure', status: 'False', reason: 'ResourcesDiscovered', message: 'All resources successfully discovered' },
    { type: 'NamespaceDeletionContentFailure', status: 'False', reason: 'ContentDeleted', message: 'All content successfully deleted, may be waiting on finalization' },
    counts.length > 0
      ? { type: 'NamespaceContentRemaining', status: 'True', reason: 'SomeResourcesRemain', message: `Some resources are remaining: ${counts.join(', ')}` }
      : { type: 'NamespaceContentRemaining', status: 'False', reason: 'ContentRemoved', message: 'All content successfully removed' },
    held.length > 0
      ? { type: 'NamespaceFinalizersRemaining', status: 'True', reason: 'SomeFinalizersRemain', message: `Some content in the namespace has finalizers remaining: ${held.join(', ')}` }
      : { type: 'NamespaceFinalizersRemaining', status: 'False', reason: 'ContentHasNoFinalizers', message: 'All content-preserving finalizers finished' },
  ]
}
