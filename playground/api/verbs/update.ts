import type { KubernetesObject } from '#playground/contract.ts'
import { find } from '../backend.ts'
import { readObject, writeParameters } from '../body.ts'
import { decode, judge } from '../objects/admit.ts'
import { type Steps, waiting } from '../objects/steps.ts'
import { createSteps } from '../objects/create-object.ts'
import { updateSteps } from '../objects/update-object.ts'
import type { Backend } from '../backend.ts'
import type { Answer, ApiRequest } from '../request.ts'
import { presentObject } from '../present.ts'
import { type ApiError, badRequest, conflict, invalid, notFound } from '../status.ts'
import { type Kind, resourceOf } from '../kinds.ts'
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
  const { uid } = object.metadata
  if (uid !== undefined && uid !== '' && (live === undefined ? kind.createdByPut : uid !== live.metadata.uid)) throw anotherUid(kind, namespace, name, uid, live)
  if (live === undefined) {
    if (!kind.createdByPut || target.subresource !== '') throw notFound(kind, name)
    backend.authorizer.requireCreate(parameters.user, kind, namespace, name)
    const { resourceVersion: _version, ...metadata } = object.metadata
    const created = yield* createSteps(backend, kind, namespace, { ...object, metadata } as KubernetesObject, parameters, duplicates)
    return presentObject(request, kind, 201, created.object, backend.clock.now(), created.warnings)
  }
  if (kind.versionedPut && (object.metadata.resourceVersion ?? '') === '') {
    const cause = { reason: 'FieldValueInvalid', message: 'Invalid value: 0: must be specified for an update', field: 'metadata.resourceVersion' }
    throw invalid({ group: kind.group, kind: kind.plural }, name, [cause])
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

/** The error names the key in the real server's storage, which an object of another uid has, or nothing. */
function anotherUid(kind: Kind, namespace: string, name: string, uid: string, live: KubernetesObject | undefined): ApiError {
  const resource = kind.custom ? `apiextensions.kubernetes.io/${resourceOf(kind)}` : (storageNames[kind.plural] ?? kind.plural)
  const key = `/registry/${resource}${kind.namespaced ? `/${namespace}` : ''}/${name}`
  const why = `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${String(live?.metadata.uid ?? '')}`
  return conflict(kind, name, `StorageError: invalid object, Code: 4, Key: ${key}, ResourceVersion: 0, AdditionalErrorMsg: ${why}`)
}

/** Source: kubernetes `pkg/kubeapiserver/default_storage_factory_builder.go`. */
const storageNames: Readonly<Record<string, string>> = {
  customresourcedefinitions: 'apiextensions.k8s.io/customresourcedefinitions',
  endpoints: 'services/endpoints',
  ingresses: 'ingress',
  nodes: 'minions',
  services: 'services/specs',
}
