import { isObject, type JsonObject } from '#lib/json.ts'
import type { KubernetesObject } from '#playground/contract.ts'
import { type Backend, find } from '../backend.ts'
import { readObject, writeParameters, type WriteParameters } from '../body.ts'
import { apiVersionOf, type Kind, type ScalePaths } from '../kinds.ts'
import { updateObject } from '../objects/update-object.ts'
import { jsonPatch } from '../patches/json-patch.ts'
import { mergePatch } from '../patches/merge-patch.ts'
import { setAt, valueAt } from '../paths.ts'
import { type Answer, type ApiRequest, json, pageNotFound, warningHeader } from '../request.ts'
import { badRequest, conflict, internal, invalid, modifiedMeanwhile, notFound } from '../status.ts'
import { selectorText } from '../columns/read.ts'
import { checkBodyIdentity } from './identity.ts'
import { patchParameters, patchType, readPatch } from './patch.ts'
import type { Target, Verb } from './verb.ts'

const scaleKind = { group: 'autoscaling', version: 'v1', kind: 'Scale' }

/** The scale subresource: replicas, and nothing else, of any kind that has some. */
export const scaleVerb: Verb = (backend, request, target) => {
  const { kind, namespace, name } = target
  const paths = kind.scale
  if (paths === undefined) return pageNotFound
  const live = find(backend, kind, namespace, name)
  if (live === undefined) throw notFound(kind, name)
  switch (request.method) {
    case 'GET':
      return json(200, scaleOf(kind, paths, live))
    case 'PUT': {
      const parameters = writeParameters(request, 'UpdateOptions')
      const { object } = readObject(request, scaleKind)
      checkBodyIdentity(kind, namespace, name, object)
      return write(backend, target, paths, live, object, parameters)
    }
    default:
      return patch(backend, request, target, paths, live)
  }
}

function patch(backend: Backend, request: ApiRequest, target: Target, paths: ScalePaths, live: KubernetesObject): Answer {
  const type = patchType(request, target.kind)
  const parameters = patchParameters(request, type)
  if (type === 'application/apply-patch+yaml') {
    throw internal(
      `failed to convert new object (/${target.name}; autoscaling/v1, Kind=Scale) to proper version: request to convert CR to an invalid group/version: autoscaling/v1`,
    )
  }
  const scale = scaleOf(target.kind, paths, live)
  const patched = type === 'application/json-patch+json' ? jsonPatch(structuredClone(scale), readPatch(request)) : mergePatch(scale, readPatch(request))
  if (!isObject(patched) || !isObject(patched.metadata)) throw badRequest('the patch leaves no object')
  return write(backend, target, paths, live, patched as KubernetesObject, parameters)
}

function write(backend: Backend, target: Target, paths: ScalePaths, live: KubernetesObject, scale: KubernetesObject, parameters: WriteParameters): Answer {
  const { kind, name } = target
  const stated = scale.metadata.resourceVersion
  if (stated !== undefined && stated !== '' && stated !== live.metadata.resourceVersion) throw conflict(kind, name, modifiedMeanwhile)
  const replicas = valueAt(scale, 'spec.replicas') ?? 0
  if (typeof replicas !== 'number' || !Number.isInteger(replicas)) throw badRequest('Scale in version "v1" cannot be handled as a Scale: spec.replicas must be an integer')
  if (!kind.custom && replicas < 0) {
    const message = `Invalid value: ${replicas}: must be greater than or equal to 0`
    throw invalid({ group: 'autoscaling', kind: 'Scale' }, name, [{ reason: 'FieldValueInvalid', message, field: 'spec.replicas' }])
  }
  const next = structuredClone(live)
  setAt(next, paths.specReplicas, replicas)
  const written = updateObject(backend, kind, live, next, {
    subresource: 'scale',
    manager: parameters.manager,
    dryRun: parameters.dryRun,
    warnings: [],
    how: 'updated',
  })
  return json(200, scaleOf(kind, paths, written.object), warningHeader(written.warnings))
}

function scaleOf(kind: Kind, paths: ScalePaths, object: KubernetesObject): JsonObject {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata
  const selector = paths.labelSelector === undefined ? builtInSelector(kind, object) : valueAt(object, paths.labelSelector)
  return {
    kind: 'Scale',
    apiVersion: apiVersionOf(scaleKind),
    metadata: JSON.parse(JSON.stringify({ name, namespace, uid, resourceVersion, creationTimestamp })) as JsonObject,
    spec: { replicas: valueAt(object, paths.specReplicas) ?? 0 },
    status: {
      replicas: valueAt(object, paths.statusReplicas) ?? 0,
      ...(typeof selector === 'string' && selector !== '' ? { selector } : {}),
    },
  }
}

function builtInSelector(kind: Kind, object: KubernetesObject): string | undefined {
  const selector = kind.custom ? undefined : valueAt(object, 'spec.selector')
  return isObject(selector) ? selectorText(selector) : undefined
}
