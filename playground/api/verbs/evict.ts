import { isObject } from '#lib/json.ts'
import { find } from '../backend.ts'
import { readObject, writeParameters } from '../body.ts'
import { deleteObject } from '../objects/delete-object.ts'
import { evictionKind, markEvicted, takeFromBudget } from '../objects/evict-pod.ts'
import { apiServer } from '../objects/own-users.ts'
import { type Steps, waiting } from '../objects/steps.ts'
import { json } from '../request.ts'
import { badRequest, notFound } from '../status.ts'
import { checkPreconditions, deletionOf } from './delete.ts'
import { checkBodyIdentity } from './identity.ts'
import type { Verb } from './verb.ts'

/** POST to a pod's `eviction`: deletes it, if its disruption budget allows. What judges it judges the Eviction, not the deletion, as in a real server. */
export const evictVerb: Verb = async (backend, request, { kind, namespace, name, subresource }) => {
  const { user, manager, dryRun: asked } = writeParameters(request, 'CreateOptions')
  const { object } = readObject(request, evictionKind)
  checkBodyIdentity(kind, namespace, '', object)
  if (object.metadata.name !== name) throw badRequest('name in URL does not match name in Eviction object')
  const given = isObject(object.deleteOptions) ? object.deleteOptions : {}
  const dryRun = asked || (Array.isArray(given.dryRun) && given.dryRun.length > 0)
  const attributes = { operation: 'CREATE' as const, kind, subresource, namespace, name, object: () => object, oldObject: undefined, user, dryRun, manager, warnings: [] }
  await waiting(function* (): Steps<void> {
    yield* backend.admission.mutate(attributes)
    yield* backend.admission.validate(attributes)
  })
  const pod = find(backend, kind, namespace, name)
  if (pod === undefined) throw notFound(kind, name)
  takeFromBudget(backend, pod, dryRun)
  const { preconditions, ...deletion } = deletionOf(given, new URLSearchParams(), apiServer, kind)
  checkPreconditions(kind, pod, preconditions)
  markEvicted(backend, kind, pod, dryRun)
  const marked = find(backend, kind, namespace, name)
  if (marked !== undefined) deleteObject(backend, kind, marked, { ...deletion, dryRun })
  return json(201, { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 })
}
