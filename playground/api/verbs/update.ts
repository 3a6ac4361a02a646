import { find } from '../backend.ts'
import { readObject, writeParameters } from '../body.ts'
import { decode, judge } from '../objects/admit.ts'
import { type Steps, waiting } from '../objects/steps.ts'
import { updateSteps } from '../objects/update-object.ts'
import type { Backend } from '../backend.ts'
import type { Answer, ApiRequest } from '../request.ts'
import { presentObject } from '../present.ts'
import { badRequest, conflict, invalid, notFound } from '../status.ts'
import { resourceOf } from '../kinds.ts'
import { checkBodyIdentity } from './identity.ts'
import type { Target, Verb } from './verb.ts'

/** PUT of an object or of its status. */
export const updateVerb: Verb = (backend, request, target) => waiting(() => update(backend, request, target))

function* update(backend: Backend, request: ApiRequest, target: Target): Steps<Answer> {
  const { kind, namespace, name } = target
  if (name === '') throw badRequest('name must be provided')
  const parameters = writeParameters(request, 'UpdateOptions')
  const { object, duplicates } = readObject(request, kind)
  checkBodyIdentity(kind, namespace, name, object)
  const live = find(backend, kind, namespace, name)
  if (live === undefined) throw notFound(kind, name)
  if (kind.custom && (object.metadata.resourceVersion ?? '') === '') {
    const cause = { reason: 'FieldValueInvalid', message: 'Invalid value: 0: must be specified for an update', field: 'metadata.resourceVersion' }
    throw invalid({ group: kind.group, kind: kind.plural }, name, [cause])
  }
  const uid = object.metadata.uid
  if (uid !== undefined && uid !== '' && uid !== live.metadata.uid) {
    const key = `/registry/${kind.custom ? 'apiextensions.kubernetes.io/' : ''}${resourceOf(kind).replace(/^\//, '')}${kind.namespaced ? `/${namespace}` : ''}/${name}`
    const why = `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${String(live.metadata.uid)}`
    throw conflict(kind, name, `StorageError: invalid object, Code: 4, Key: ${key}, ResourceVersion: 0, AdditionalErrorMsg: ${why}`)
  }
  const { object: next, problems } = decode(kind, object, duplicates)
  const warnings = judge(problems, parameters.fieldValidation, kind)
  const written = yield* updateSteps(backend, kind, live, next, {
    subresource: target.subresource,
    manager: parameters.manager,
    user: parameters.user,
    dryRun: parameters.dryRun,
    warnings,
    how: 'updated',
  })
  return presentObject(request, kind, 200, written.object, backend.clock.now(), written.warnings)
}
