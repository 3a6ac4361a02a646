import { equalJson, isObject, type Json, type JsonObject } from '#lib/json.ts'
import type { KubernetesObject } from '#playground/contract.ts'
import { type Backend, store, timeNow } from '../backend.ts'
import { behaviourOf } from '../behaviours/behaviours.ts'
import type { Kind } from '../kinds.ts'
import { conflict, modifiedMeanwhile } from '../status.ts'
import { validate } from './admit.ts'
import type { Written } from './create-object.ts'
import { resetOf } from './reset.ts'
import { checkSize } from './size.ts'

export type Update = {
  readonly subresource: string
  readonly manager: string
  readonly dryRun: boolean
  readonly warnings: readonly string[]
  /** `applied`: `next` comes from an apply and bears its managed fields already. */
  readonly how: 'updated' | 'applied'
}

/** Stores `next`, decoded, in place of `live`; equal content is no write. `next` is the caller's to give away. */
export function updateObject(backend: Backend, kind: Kind, live: KubernetesObject, next: KubernetesObject, update: Update): Written {
  const { warnings } = update
  const stated = next.metadata.resourceVersion
  if (stated !== undefined && stated !== '' && stated !== live.metadata.resourceVersion) throw conflict(kind, live.metadata.name ?? '', modifiedMeanwhile)
  let prepared = keepServerOwned(kind, live, next, update.subresource)
  behaviourOf(kind)?.update?.(prepared, live)
  if (raisesGeneration(kind, live, prepared)) prepared.metadata.generation = (live.metadata.generation ?? 0) + 1
  validate(kind, prepared, live, warnings)
  if (update.how === 'updated') {
    prepared = backend.fields.update({
      live,
      next: prepared,
      manager: update.manager,
      time: timeNow(backend),
      schema: kind.schema,
      subresource: update.subresource,
      reset: resetOf(kind, update.subresource),
      replicas: (kind.scale?.specReplicas ?? 'spec.replicas').split('.').filter((name) => name !== ''),
      versions: kind.versions,
    })
  }
  prepared = backend.fields.settle(live, prepared)
  if (equalJson(live, prepared)) return { object: live, warnings, created: false }
  checkSize(prepared)
  if (isReleased(kind, prepared)) {
    if (!update.dryRun) store(backend, kind, 'DELETED', live)
    return { object: prepared, warnings, created: false }
  }
  return { object: update.dryRun ? prepared : store(backend, kind, 'MODIFIED', prepared), warnings, created: false }
}

/** Deleted, and nothing holds it any more. */
export function isReleased(kind: Kind, object: KubernetesObject): boolean {
  if (object.metadata.deletionTimestamp === undefined) return false
  if (Array.isArray(object.metadata.finalizers) && object.metadata.finalizers.length > 0) return false
  if (kind.plural === 'pods' && kind.group === '' && object.metadata.deletionGracePeriodSeconds !== 0) return false
  if (kind.plural !== 'namespaces' || kind.group !== '') return true
  const held = isObject(object.spec) ? object.spec.finalizers : undefined
  return !Array.isArray(held) || held.length === 0
}

/** What a client cannot change stays as it is: the server's metadata, and what the subresource does not reach. */
function keepServerOwned(kind: Kind, live: KubernetesObject, next: KubernetesObject, subresource: string): KubernetesObject {
  if (subresource === 'status') {
    const result: KubernetesObject = { ...live, metadata: { ...live.metadata } }
    if (next.status === undefined) delete result.status
    else result.status = next.status
    setManaged(result, next)
    return result
  }
  const metadata: JsonObject = { ...next.metadata }
  for (const name of ['creationTimestamp', 'deletionTimestamp', 'deletionGracePeriodSeconds', 'generation', 'resourceVersion', 'selfLink']) {
    const kept = live.metadata[name]
    if (kept === undefined) delete metadata[name]
    else metadata[name] = kept
  }
  if (metadata.uid === undefined || metadata.uid === '') metadata.uid = live.metadata.uid as Json
  if (kind.namespaced) metadata.namespace ??= live.metadata.namespace as Json
  else delete metadata.namespace
  const result = { ...next, metadata } as KubernetesObject
  if (!kind.status) return result
  if (live.status === undefined) delete result.status
  else result.status = live.status
  return result
}

function setManaged(result: KubernetesObject, next: KubernetesObject): void {
  if (next.metadata.managedFields === undefined) delete result.metadata.managedFields
  else result.metadata.managedFields = next.metadata.managedFields
}

function raisesGeneration(kind: Kind, live: KubernetesObject, next: KubernetesObject): boolean {
  if (kind.generation === 'none') return false
  return !equalJson(content(kind, live), content(kind, next))
}

function content(kind: Kind, object: KubernetesObject): JsonObject {
  const { metadata: _metadata, apiVersion: _version, ...rest } = object
  if (kind.generation === 'not-status') delete rest.status
  return rest
}
