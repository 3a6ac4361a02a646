import { canonicalJson, isObject, type Json } from '#lib/json.ts'
import type { KubernetesObject } from '#playground/contract.ts'
import { type Backend, find } from '../backend.ts'
import { mediaType, parseJson, typeName, writeParameters, type WriteParameters } from '../body.ts'
import { goText } from '#playground/fields/typed-errors.ts'
import { apiVersionOf, type Kind } from '../kinds.ts'
import { decode } from '../objects/admit.ts'
import { applySteps } from '../objects/apply-object.ts'
import type { Written } from '../objects/create-object.ts'
import { type Steps, waiting } from '../objects/steps.ts'
import { updateSteps } from '../objects/update-object.ts'
import { jsonPatch } from '../patches/json-patch.ts'
import { mergePatch } from '../patches/merge-patch.ts'
import { strategicMerge } from '../patches/strategic-merge.ts'
import { presentObject } from '../present.ts'
import type { ApiRequest } from '../request.ts'
import { badRequest, invalid, invalidOptions, notFound, unsupportedMediaType } from '../status.ts'
import { readYaml } from '../yaml.ts'
import type { Target, Verb } from './verb.ts'

const jsonType = 'application/json-patch+json'
const mergeType = 'application/merge-patch+json'
const strategicType = 'application/strategic-merge-patch+json'
const applyType = 'application/apply-patch+yaml'

/** PATCH of an object or of its status, in each of the four languages. */
export const patchVerb: Verb = async (backend, request, target) => {
  const { kind, name } = target
  if (name === '') throw badRequest('name must be provided')
  const type = patchType(request, kind)
  const parameters = patchParameters(request, type)
  const steps = (): Steps<Written> => (type === applyType ? apply(backend, request, target, parameters) : change(backend, request, target, type, parameters))
  const written = await waiting(steps)
  return presentObject(request, kind, written.created ? 201 : 200, written.object, backend.clock.now(), written.warnings)
}

export function patchType(request: ApiRequest, kind: Kind): string {
  const accepted = kind.custom ? [jsonType, mergeType, applyType] : [jsonType, mergeType, strategicType, applyType]
  const type = mediaType(request)
  if (!accepted.includes(type)) throw unsupportedMediaType(accepted)
  return type
}

export function patchParameters(request: ApiRequest, type: string): WriteParameters & { force: boolean } {
  const force = request.query.get('force')
  if (type !== applyType && force !== null) {
    throw invalidOptions('PatchOptions', [{ reason: 'FieldValueForbidden', message: 'Forbidden: may not be specified for non-apply patch', field: 'force' }])
  }
  if (type === applyType && (request.query.get('fieldManager') ?? '') === '') {
    throw invalidOptions('PatchOptions', [{ reason: 'FieldValueRequired', message: 'Required value: is required for apply patch', field: 'fieldManager' }])
  }
  return { ...writeParameters(request, 'PatchOptions'), force: force === 'true' || force === '1' }
}

function apply(backend: Backend, request: ApiRequest, target: Target, parameters: WriteParameters & { force: boolean }): Steps<Written> {
  const { value, duplicates } = readIntent(request)
  const metadata = isObject(value.metadata) ? value.metadata : {}
  return applySteps(backend, target.kind, target.namespace, target.name, { ...value, metadata } as KubernetesObject, {
    ...parameters,
    subresource: target.subresource,
    duplicates,
  })
}

function readIntent(request: ApiRequest): { value: { [key: string]: Json }; duplicates: readonly string[] } {
  let read
  try {
    read = readYaml(request.body.toString('utf8'))
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    throw badRequest(`error decoding YAML: error converting YAML to JSON: ${error.message}`)
  }
  const value = read.value ?? {}
  if (!isObject(value)) {
    throw badRequest(
      `error decoding YAML: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal ${typeName(value)} into Go value of type map[string]interface {}`,
    )
  }
  return { value, duplicates: read.duplicates }
}

function* change(backend: Backend, request: ApiRequest, target: Target, type: string, parameters: WriteParameters): Steps<Written> {
  const { kind, namespace, name } = target
  const live = find(backend, kind, namespace, name)
  if (live === undefined) throw notFound(kind, name)
  const patch = readPatch(request)
  const unpruned = patched(kind, live, type, patch)
  const { object: next, problems } = decode(kind, unpruned)
  if (problems.length > 0 && parameters.fieldValidation === 'Strict') {
    // A strategic merge patch is quoted itself, of the others what they make of the object.
    const shown = type === strategicType ? goText(patch) : JSON.stringify(unpruned)
    const message = `Invalid value: ${JSON.stringify(shown)}: strict decoding error: ${problems.join(', ')}`
    throw invalid({ group: '', kind: '' }, '', [{ reason: 'FieldValueInvalid', message, field: 'patch' }])
  }
  return yield* updateSteps(backend, kind, live, next, {
    subresource: target.subresource,
    manager: parameters.manager,
    user: parameters.user,
    dryRun: parameters.dryRun,
    warnings: parameters.fieldValidation === 'Ignore' ? [] : problems,
    how: 'updated',
  })
}

export function readPatch(request: ApiRequest): Json {
  const text = request.body.toString('utf8')
  try {
    return parseJson(text)
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    throw badRequest(`error decoding patch: ${error.message}`)
  }
}

/** The object that a patch makes of the live one, not yet decoded. */
function patched(kind: Kind, live: KubernetesObject, type: string, patch: Json): KubernetesObject {
  // In sorted order: an error quotes the object, with what a patch adds behind.
  const document = JSON.parse(canonicalJson(live)) as Json
  const result =
    type === jsonType
      ? jsonPatch(document, patch)
      : type === strategicType
        ? strategicMerge(document as KubernetesObject, patch, kind.schema)
        : mergePatch(document, requireObject(patch))
  if (!isObject(result) || !isObject(result.metadata)) throw badRequest('the patch leaves no object')
  if (result.apiVersion !== apiVersionOf(kind) || result.kind !== kind.kind) {
    throw badRequest(`the patch changes the type of the object to ${String(result.apiVersion)}, Kind=${String(result.kind)}`)
  }
  return result as KubernetesObject
}

function requireObject(patch: Json): Json {
  if (isObject(patch)) return patch
  throw badRequest(`error decoding patch: json: cannot unmarshal ${typeName(patch)} into Go value of type map[string]interface {}`)
}
