import { isObject, type Json, type JsonObject } from '#lib/json.ts'
import type { KubernetesObject } from '#playground/contract.ts'
import { apiVersionOf, type Kind } from './kinds.ts'
import type { ApiRequest, User } from './request.ts'
import { ApiError, badRequest, invalidOptions, unsupportedMediaType } from './status.ts'
import { readProtobuf } from './protobuf.ts'
import { readYaml, repeatedJsonKeys } from './yaml.ts'

export const bodyLimit = 3 * 1024 * 1024
const deepest = 1000

export type FieldValidation = 'Strict' | 'Warn' | 'Ignore'

/** Parameters that every write shares. */
export type WriteParameters = { readonly dryRun: boolean; readonly fieldValidation: FieldValidation; readonly manager: string; readonly user: User }

export function tooLarge(): ApiError {
  return new ApiError(413, 'RequestEntityTooLarge', `Request entity too large: limit is ${bodyLimit}`)
}

export function mediaType(request: ApiRequest): string {
  return (request.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? ''
}

/** The object of a POST or PUT, with what its text repeats. Its kind may still be another one. */
export function readObject(request: ApiRequest, kind: Pick<Kind, 'group' | 'version' | 'kind'> & { readonly custom?: boolean }): { object: KubernetesObject; duplicates: readonly string[] } {
  const type = mediaType(request)
  if (type === protobufType && kind.version !== '') return { object: fromProtobuf(request, kind), duplicates: [] }
  const yaml = type === 'application/yaml'
  if (!yaml && type !== 'application/json' && type !== '') {
    throw unsupportedMediaType(['application/json', 'application/yaml', 'application/vnd.kubernetes.protobuf'])
  }
  const text = request.body.toString('utf8')
  const unrecognized = (why: string): ApiError => {
    const shown = text === '' ? '<empty>' : text.length > 30 ? `${text.slice(0, 30)} ...` : text
    return badRequest(`the object provided is unrecognized (must be of type ${kind.kind}): ${why} (${shown})`)
  }
  let value: Json
  let duplicates: readonly string[] = []
  try {
    if (yaml) ({ value, duplicates } = readYaml(text))
    else {
      value = parseJson(text)
      duplicates = repeatedJsonKeys(text).map((path) => `duplicate field "${path}"`)
    }
  } catch (error) {
    if (error instanceof ApiError) throw error
    throw unrecognized(`couldn't get version/kind; json parse error: ${parseProblem(text, error)}`)
  }
  if (!isObject(value)) throw unrecognized(`couldn't get version/kind; json parse error: json: cannot unmarshal ${typeName(value)} into Go value of type struct`)
  // A built-in kind is what its path says where the object says nothing.
  if (kind.custom !== true) value = { ...value, kind: (value.kind ?? '') === '' ? kind.kind : (value.kind as Json), apiVersion: (value.apiVersion ?? '') === '' ? apiVersionOf(kind) : (value.apiVersion as Json) }
  if (typeof value.kind !== 'string' || value.kind === '') throw unrecognized(`Object 'Kind' is missing in '${text}'`)
  if (typeof value.apiVersion !== 'string' || value.apiVersion === '') throw unrecognized(`Object 'apiVersion' is missing in '${text}'`)
  if (value.apiVersion !== apiVersionOf(kind)) {
    const warnings = Object.keys(value)
      .filter((name) => !['apiVersion', 'kind', 'metadata'].includes(name))
      .map((name) => `unknown field "${name}"`)
    throw badRequest(`the API version in the data (${value.apiVersion}) does not match the expected API version (${apiVersionOf(kind)})`, warnings)
  }
  if (value.metadata !== undefined && value.metadata !== null && !isObject(value.metadata)) {
    throw badRequest(`${kind.kind} in version "${kind.version}" cannot be handled as a ${kind.kind}: json: cannot unmarshal ${typeName(value.metadata)} into Go struct field ObjectMeta.metadata`)
  }
  return { object: { ...value, metadata: isObject(value.metadata) ? value.metadata : {} } as KubernetesObject, duplicates }
}

const protobufType = 'application/vnd.kubernetes.protobuf'

function fromProtobuf(request: ApiRequest, kind: Pick<Kind, 'group' | 'version' | 'kind'>): KubernetesObject {
  let object
  try {
    object = readProtobuf(request.body)
  } catch (error) {
    throw badRequest(`the protobuf body cannot be read: ${error instanceof Error ? error.message : String(error)}`)
  }
  // Few kinds are known in protobuf here: those of `kubectl create` that hold no pods.
  if (object === undefined) throw unsupportedMediaType(['application/json', 'application/yaml'])
  if (object.apiVersion !== apiVersionOf(kind)) {
    throw badRequest(`the API version in the data (${String(object.apiVersion)}) does not match the expected API version (${apiVersionOf(kind)})`)
  }
  return { ...object, metadata: isObject(object.metadata) ? object.metadata : {} } as KubernetesObject
}

/** JSON of bounded depth: what nests deeper could only hurt whoever walks it. */
export function parseJson(text: string): Json {
  const value = JSON.parse(text) as Json
  let level = [value]
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > deepest) throw badRequest('json: exceeded max depth')
    level = level.flatMap((item) => (typeof item === 'object' && item !== null ? Object.values(item) : [])).filter((item) => typeof item === 'object')
  }
  return value
}

/** Go's words for the commonest ways in which a JSON text is broken. */
function parseProblem(text: string, error: unknown): string {
  const message = error instanceof Error ? error.message : String(error)
  if (text.trim() === '' || message.includes('Unexpected end')) return 'unexpected end of JSON input'
  const at = /Unexpected token '(.)'/u.exec(message)
  return at === null ? message : `invalid character '${at[1]}' looking for beginning of value`
}

export function typeName(value: Json | undefined): string {
  if (value === null || value === undefined) return 'null'
  return Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : typeof value
}

/** `optionsKind` is `CreateOptions`, `UpdateOptions` or `PatchOptions`: where errors are said to be. */
export function writeParameters(request: ApiRequest, optionsKind: string): WriteParameters {
  const validation = request.query.get('fieldValidation') ?? ''
  if (!['', 'Strict', 'Warn', 'Ignore'].includes(validation)) {
    throw invalidOptions(optionsKind, [
      {
        reason: 'FieldValueNotSupported',
        message: `Unsupported value: "${validation}": supported values: "", "Ignore", "Strict", "Warn"`,
        field: 'fieldValidation',
      },
    ])
  }
  const named = request.query.get('fieldManager') ?? ''
  checkManager(named, optionsKind)
  return {
    dryRun: readDryRun(request.query.getAll('dryRun'), optionsKind),
    fieldValidation: validation === '' ? 'Warn' : (validation as FieldValidation),
    manager: named === '' ? managerOf(request) : named,
    user: request.user,
  }
}

export function readDryRun(values: readonly string[], optionsKind: string): boolean {
  if (values.length === 0) return false
  if (values.every((value) => value === 'All')) return true
  throw invalidOptions(optionsKind, [
    { reason: 'FieldValueNotSupported', message: `Unsupported value: ${JSON.stringify(values)}: supported values: "All"`, field: 'dryRun' },
  ])
}

function checkManager(name: string, optionsKind: string): void {
  if (Buffer.byteLength(name) > 128) {
    throw invalidOptions(optionsKind, [{ reason: 'FieldValueTooLong', message: 'Too long: may not be more than 128 bytes', field: 'fieldManager' }])
  }
  const bad = [...name].findIndex((character) => !/[\p{L}\p{M}\p{N}\p{P}\p{S} ]/u.test(character))
  if (bad < 0) return
  const code = ([...name][bad]?.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')
  throw invalidOptions(optionsKind, [
    { reason: 'FieldValueInvalid', message: `Invalid value: ${JSON.stringify(name)}: invalid character U+${code} (at position ${bad})`, field: 'fieldManager' },
  ])
}

/** Without a `fieldManager`, the manager is what stands before the slash of the User-Agent. */
function managerOf(request: ApiRequest): string {
  const agent = (request.headers['user-agent'] ?? '').split('/')[0] ?? ''
  return agent === '' ? 'unknown' : agent.slice(0, 128)
}

export function readOptionsBody(request: ApiRequest): JsonObject {
  if (mediaType(request) === protobufType) return fromProtobufOptions(request)
  const text = request.body.toString('utf8')
  if (text.trim() === '') return {}
  let value: Json
  try {
    value = mediaType(request) === 'application/yaml' ? readYaml(text).value : parseJson(text)
  } catch (error) {
    throw badRequest(`couldn't get version/kind; json parse error: ${parseProblem(text, error)}`)
  }
  if (!isObject(value)) throw badRequest(`couldn't get version/kind; json parse error: cannot unmarshal ${typeName(value)}`)
  return value
}

function fromProtobufOptions(request: ApiRequest): JsonObject {
  try {
    const object = readProtobuf(request.body)
    if (object !== undefined) return object
  } catch (error) {
    throw badRequest(`the protobuf body cannot be read: ${error instanceof Error ? error.message : String(error)}`)
  }
  throw unsupportedMediaType(['application/json', 'application/yaml'])
}
