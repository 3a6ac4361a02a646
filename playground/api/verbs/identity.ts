import type { KubernetesObject } from '#playground/contract.ts'
import type { Kind } from '../kinds.ts'
import { badRequest } from '../status.ts'

/** A body must not name another object than its path does. */
export function checkBodyIdentity(kind: Kind, namespace: string, name: string, object: KubernetesObject): void {
  const stated = object.metadata.namespace
  if (kind.namespaced && stated !== undefined && stated !== '' && stated !== namespace) {
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request')
  }
  if (name === '') return
  if ((object.metadata.name ?? '') === '') throw badRequest(`the name of the object (${name} based on URL) was undeterminable: name must be provided`)
  if (object.metadata.name !== name) throw badRequest(`the name of the object (${String(object.metadata.name)}) does not match the name on the URL (${name})`)
}
