import type { KubernetesObject } from '#playground/contract.ts'
import { type Backend, find, timeNow } from '../backend.ts'
import type { WriteParameters } from '../body.ts'
import { apiVersionOf, type Kind } from '../kinds.ts'
import { ApiError, badRequest, conflict, internal, modifiedMeanwhile, notFound } from '../status.ts'
import { decoded } from '../schemas.ts'
import { resetOf } from './reset.ts'
import { prepareNew, storeNew, type Written } from './create-object.ts'
import type { Steps } from './steps.ts'
import { updateSteps } from './update-object.ts'

export type Apply = WriteParameters & { readonly force: boolean; readonly subresource: string; readonly duplicates: readonly string[] }

/** Server-side apply of `applied`, a client's whole intent, to the object of that name. */
export function* applySteps(backend: Backend, kind: Kind, namespace: string, name: string, applied: KubernetesObject, apply: Apply): Steps<Written> {
  checkIdentity(kind, namespace, name, applied)
  const warnings = apply.fieldValidation === 'Ignore' ? [] : apply.duplicates
  const live = find(backend, kind, namespace, name)
  const { uid, resourceVersion } = applied.metadata
  if (live === undefined) {
    if (apply.subresource !== '') throw notFound(kind, name)
    backend.authorizer.requireCreate(apply.user, kind, namespace, name)
    if (uid !== undefined && uid !== '') {
      throw conflict(kind, name, `uid mismatch: the provided object specified uid ${uid}, and no existing object was found`)
    }
  }
  const outcome = backend.fields.apply({
    live,
    applied,
    manager: apply.manager,
    force: apply.force,
    time: timeNow(backend),
    schema: kind.schema,
    subresource: apply.subresource,
    reset: resetOf(kind, apply.subresource),
    defaults: (object) => decoded(kind, object, 'asIs').object,
    versions: kind.versions,
  })
  if ('invalid' in outcome) throw internal(outcome.invalid)
  if ('conflicts' in outcome) {
    throw new ApiError(409, 'Conflict', outcome.message, { details: { causes: outcome.conflicts.map((cause) => ({ ...cause })) }, warnings })
  }
  // After the fields that others own, as a real server does.
  if (live !== undefined && resourceVersion !== undefined && resourceVersion !== '' && resourceVersion !== live.metadata.resourceVersion) throw conflict(kind, name, modifiedMeanwhile)
  if (apply.duplicates.length > 0 && apply.fieldValidation === 'Strict') {
    throw badRequest(`error strict decoding YAML: error converting YAML to JSON: yaml: unmarshal errors:\n  ${apply.duplicates.join('\n  ')}`)
  }
  const next = structuredClone(outcome.object)
  if (live !== undefined) {
    const { subresource, manager, dryRun, user } = apply
    return yield* updateSteps(backend, kind, live, next, { subresource, manager, dryRun, user, warnings, how: 'applied' })
  }
  return yield* storeNew(backend, kind, prepareNew(backend, kind, namespace, next), apply, [...warnings])
}

function checkIdentity(kind: Kind, namespace: string, name: string, applied: KubernetesObject): void {
  const { apiVersion, kind: named } = applied
  if (apiVersion !== apiVersionOf(kind) || named !== kind.kind) {
    const stated = typeof apiVersion === 'string' && apiVersion !== '' ? apiVersion : '/'
    throw badRequest(`invalid object type: ${stated}, Kind=${typeof named === 'string' ? named : ''}`)
  }
  if (applied.metadata.managedFields !== undefined) throw badRequest('metadata.managedFields must be nil')
  if (applied.metadata.name === undefined || applied.metadata.name === '') {
    throw badRequest(`the name of the object (${name} based on URL) was undeterminable: name must be provided`)
  }
  if (applied.metadata.name !== name) throw badRequest(`the name of the object (${applied.metadata.name}) does not match the name on the URL (${name})`)
  const stated = applied.metadata.namespace
  if (kind.namespaced && stated !== undefined && stated !== '' && stated !== namespace) {
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request')
  }
}
