import { equalJson, isObject, type Json, type JsonObject } from '#lib/json.ts'
import type { KubernetesObject } from '#playground/contract.ts'
import { checkEscalation } from '../authorization/escalation.ts'
import { type Backend, find, store, timeNow } from '../backend.ts'
import type { AdmissionRequest } from '../admission/admission-request.ts'
import { behaviourOf } from '../behaviours/behaviours.ts'
import type { Kind } from '../kinds.ts'
import type { User } from '../request.ts'
import { asStored, decoded } from '../schemas.ts'
import { conflict, modifiedMeanwhile } from '../status.ts'
import { validate } from './admit.ts'
import { isNamespace, type Written } from './create-object.ts'
import { keptByStatus, resetOf } from './reset.ts'
import { scaleOf, withScale } from './scale-of.ts'
import { checkSize } from './size.ts'
import { atOnce, Moved, type Steps } from './steps.ts'

export type Update = {
  readonly subresource: string
  readonly manager: string
  readonly user: User
  readonly dryRun: boolean
  readonly warnings: readonly string[]
  /** `applied`: `next` comes from an apply and bears its managed fields already. */
  readonly how: 'updated' | 'applied'
}

/** Stores `next`, decoded, in place of `live`, at once; equal content is no write. `next` is the caller's to give away. */
export function updateObject(backend: Backend, kind: Kind, live: KubernetesObject, next: KubernetesObject, update: Update): Written {
  return atOnce(updateSteps(backend, kind, live, next, update))
}

/** Stores `next`, decoded, in place of `live`; equal content is no write. `next` is the caller's to give away. Throws `Moved` where `live` is no more what is there. */
export function* updateSteps(backend: Backend, kind: Kind, live: KubernetesObject, next: KubernetesObject, update: Update): Steps<Written> {
  const warnings = [...update.warnings]
  const stated = next.metadata.resourceVersion
  if (stated !== undefined && stated !== '' && stated !== live.metadata.resourceVersion) throw conflict(kind, live.metadata.name ?? '', modifiedMeanwhile)
  // Before the server completes it: what it puts back was not written by the client.
  let prepared = completed(kind, live, own(backend, kind, live, next, update), update.subresource)
  if (update.subresource === '') checkEscalation(backend.authorizer, update.user, kind, prepared, live)
  const attributes = attributesOf(kind, live, update, warnings)
  const mutated = yield* backend.admission.mutate({ ...attributes, object: () => shown(kind, update, prepared) })
  if (mutated !== undefined) {
    const whole = update.subresource === 'scale' ? withScale(kind, structuredClone(prepared), mutated) : decoded(kind, mutated).object
    setManaged(whole, prepared)
    prepared = completed(kind, live, whole, update.subresource)
  }
  validate(kind, prepared, live, warnings)
  behaviourOf(kind)?.changed?.(prepared, live, backend)
  const judged = prepared
  yield* backend.admission.validate({ ...attributes, object: () => shown(kind, update, judged) })
  prepared = backend.fields.settle(live, prepared)
  if (find(backend, kind, live.metadata.namespace ?? '', live.metadata.name ?? '')?.metadata.resourceVersion !== live.metadata.resourceVersion) throw new Moved(conflict(kind, live.metadata.name ?? '', modifiedMeanwhile))
  if (equalJson(live, prepared)) return { object: live, warnings, created: false }
  checkSize(prepared)
  if (isReleased(kind, prepared)) {
    if (!update.dryRun) store(backend, kind, 'DELETED', live)
    return { object: prepared, warnings, created: false }
  }
  return { object: update.dryRun ? prepared : store(backend, kind, 'MODIFIED', asStored(kind, prepared)), warnings, created: false }
}

/** `next` as it is to be stored, but for who owns what. */
function completed(kind: Kind, live: KubernetesObject, next: KubernetesObject, subresource: string): KubernetesObject {
  const prepared = keepServerOwned(kind, live, next, subresource)
  behaviourOf(kind)?.update?.(prepared, live)
  if (raisesGeneration(kind, live, prepared)) prepared.metadata.generation = (live.metadata.generation ?? 0) + 1
  return prepared
}

/** Writes down whose the changed fields are; an apply has done it already. */
function own(backend: Backend, kind: Kind, live: KubernetesObject, next: KubernetesObject, update: Update): KubernetesObject {
  if (update.how === 'applied') return next
  return backend.fields.update({
    live,
    next,
    manager: update.manager,
    time: timeNow(backend),
    schema: kind.schema,
    subresource: update.subresource,
    reset: resetOf(kind, update.subresource),
    replicas: (kind.scale?.specReplicas ?? 'spec.replicas').split('.').filter((name) => name !== ''),
    versions: kind.versions,
  })
}

/** What admission is told of a change. At the scale subresource it sees Scales. */
function attributesOf(kind: Kind, live: KubernetesObject, update: Update, warnings: string[]): Omit<AdmissionRequest, 'object'> {
  const { name = '', namespace = '' } = live.metadata
  const { subresource, user, dryRun, manager } = update
  return { operation: 'UPDATE', kind, subresource, namespace: isNamespace(kind) ? name : namespace, name, oldObject: shown(kind, update, live), user, dryRun, manager, warnings }
}

function shown(kind: Kind, { subresource }: Update, object: KubernetesObject): KubernetesObject {
  return subresource === 'scale' ? scaleOf(kind, object) : object
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
  if (subresource === 'status' && kind.custom) {
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
  if (subresource === 'status') return withStatusOf(kind, live, { ...next, metadata } as KubernetesObject)
  const result = { ...next, metadata } as KubernetesObject
  if (!kind.status) return result
  if (live.status === undefined) delete result.status
  else result.status = live.status
  return result
}

/** What a write to the status of a built-in kind changes: the status, and the metadata that goes with it. */
function withStatusOf(kind: Kind, live: KubernetesObject, next: KubernetesObject): KubernetesObject {
  const result: KubernetesObject = { ...live, metadata: next.metadata }
  for (const name of keptByStatus[`${kind.group}/${kind.kind}`] ?? []) {
    const kept = live.metadata[name]
    if (kept === undefined) delete result.metadata[name]
    else result.metadata[name] = kept
  }
  if (next.status === undefined) delete result.status
  else result.status = next.status
  return result
}

function setManaged(result: KubernetesObject, next: KubernetesObject): void {
  if (next.metadata.managedFields === undefined) delete result.metadata.managedFields
  else result.metadata.managedFields = next.metadata.managedFields
}

function raisesGeneration(kind: Kind, live: KubernetesObject, next: KubernetesObject): boolean {
  if (kind.generation === 'none') return false
  return !equalJson(content(kind, live), content(kind, asStored(kind, next)))
}

function content(kind: Kind, object: KubernetesObject): JsonObject {
  const { metadata, apiVersion: _version, ...rest } = object
  if (kind.generation !== 'not-metadata') delete rest.status
  return kind.generation === 'labels-too' ? { ...rest, labels: metadata.labels ?? {} } : rest
}
