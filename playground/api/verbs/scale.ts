import { isObject } from '#lib/json.ts'
import type { KubernetesObject } from '#playground/contract.ts'
import { type Backend, find } from '../backend.ts'
import { readObject, writeParameters, type WriteParameters } from '../body.ts'
import { type Steps, waiting } from '../objects/steps.ts'
import { updateSteps } from '../objects/update-object.ts'
import { jsonPatch } from '../patches/json-patch.ts'
import { mergePatch } from '../patches/merge-patch.ts'
import { valueAt } from '../paths.ts'
import { type Answer, type ApiRequest, json, pageNotFound, warningHeader } from '../request.ts'
import { badRequest, conflict, internal, invalid, modifiedMeanwhile, notFound } from '../status.ts'
import { scaleKind, scaleOf, withScale } from '../objects/scale-of.ts'
import { checkBodyIdentity } from './identity.ts'
import { patchParameters, patchType, readPatch } from './patch.ts'
import type { Target, Verb } from './verb.ts'

/** The scale subresource: replicas, and nothing else, of any kind that has some. */
export const scaleVerb: Verb = (backend, request, target) => (target.kind.scale === undefined ? pageNotFound : waiting(() => scale(backend, request, target)))

function* scale(backend: Backend, request: ApiRequest, target: Target): Steps<Answer> {
  const { kind, namespace, name } = target
  const live = find(backend, kind, namespace, name)
  if (live === undefined) throw notFound(kind, name)
  switch (request.method) {
    case 'GET':
      return json(200, scaleOf(kind, live))
    case 'PUT': {
      const parameters = writeParameters(request, 'UpdateOptions')
      const { object } = readObject(request, scaleKind)
      checkBodyIdentity(kind, namespace, name, object)
      return yield* write(backend, target, live, object, parameters)
    }
    default:
      return yield* patch(backend, request, target, live)
  }
}

function* patch(backend: Backend, request: ApiRequest, target: Target, live: KubernetesObject): Steps<Answer> {
  const type = patchType(request, target.kind)
  const parameters = patchParameters(request, type)
  if (type === 'application/apply-patch+yaml') {
    throw internal(
      `failed to convert new object (/${target.name}; autoscaling/v1, Kind=Scale) to proper version: request to convert CR to an invalid group/version: autoscaling/v1`,
    )
  }
  const scale = scaleOf(target.kind, live)
  const patched = type === 'application/json-patch+json' ? jsonPatch(structuredClone(scale), readPatch(request)) : mergePatch(scale, readPatch(request))
  if (!isObject(patched) || !isObject(patched.metadata)) throw badRequest('the patch leaves no object')
  return yield* write(backend, target, live, patched as KubernetesObject, parameters)
}

function* write(backend: Backend, target: Target, live: KubernetesObject, scale: KubernetesObject, parameters: WriteParameters): Steps<Answer> {
  const { kind, name } = target
  const stated = scale.metadata.resourceVersion
  if (stated !== undefined && stated !== '' && stated !== live.metadata.resourceVersion) throw conflict(kind, name, modifiedMeanwhile)
  const replicas = valueAt(scale, 'spec.replicas') ?? 0
  if (typeof replicas !== 'number' || !Number.isInteger(replicas)) throw badRequest('Scale in version "v1" cannot be handled as a Scale: spec.replicas must be an integer')
  if (!kind.custom && replicas < 0) {
    const message = `Invalid value: ${replicas}: must be greater than or equal to 0`
    throw invalid({ group: 'autoscaling', kind: 'Scale' }, name, [{ reason: 'FieldValueInvalid', message, field: 'spec.replicas' }])
  }
  const next = withScale(kind, structuredClone(live), scale)
  const written = yield* updateSteps(backend, kind, live, next, {
    subresource: 'scale',
    manager: parameters.manager,
    user: parameters.user,
    dryRun: parameters.dryRun,
    warnings: [],
    how: 'updated',
  })
  return json(200, scaleOf(kind, written.object), warningHeader(written.warnings))
}
