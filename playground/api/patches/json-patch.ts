import { equalJson, isObject, type Json, type JsonObject } from '#lib/json.ts'
import { ApiError, badRequest } from '../status.ts'
import { typeName } from '../body.ts'

const operations = new Set(['add', 'remove', 'replace', 'move', 'copy', 'test'])
const longest = 10_000

/** RFC 6902. What cannot be carried out is 422 without a cause; what is no patch is 400. `document` is changed. */
export function jsonPatch(document: Json, patch: Json): Json {
  if (!Array.isArray(patch)) throw badRequest(`error decoding patch: json: cannot unmarshal ${typeName(patch)} into Go value of type []handlers.jsonPatchOp`)
  if (patch.length > longest) {
    throw new ApiError(413, 'RequestEntityTooLarge', `The allowed maximum operations in a JSON patch is ${longest}, got ${patch.length}`)
  }
  let result = document
  for (const operation of patch) {
    if (!isObject(operation) || !operations.has(String(operation.op))) throw badRequest(`invalid operation ${JSON.stringify(operation)}: unsupported operation`)
    result = carryOut(result, operation)
  }
  return result
}

function carryOut(document: Json, operation: JsonObject): Json {
  const path = pointer(operation.path)
  switch (operation.op) {
    case 'test':
      if (!equalJson(read(document, path) ?? null, operation.value ?? null)) throw rejected()
      return document
    case 'remove':
      return remove(document, path)
    case 'replace':
      if (path.length > 0 && read(document, path) === undefined) throw rejected()
      return add(path.length === 0 ? document : remove(document, path), path, operation.value)
    case 'move': {
      const from = pointer(operation.from)
      const value = read(document, from)
      if (value === undefined) throw rejected()
      return add(remove(document, from), path, value)
    }
    case 'copy': {
      const value = read(document, pointer(operation.from))
      if (value === undefined) throw rejected()
      return add(document, path, structuredClone(value))
    }
    default:
      return add(document, path, operation.value)
  }
}

function rejected(): ApiError {
  return new ApiError(422, 'Invalid', 'the server rejected our request due to an error in our request', { details: {} })
}

function pointer(path: Json | undefined): string[] {
  if (typeof path !== 'string' || (path !== '' && !path.startsWith('/'))) throw rejected()
  return path
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
}

function read(document: Json, path: readonly string[]): Json | undefined {
  let at: Json | undefined = document
  for (const part of path) {
    if (Array.isArray(at)) at = at[index(part, at.length)]
    else if (isObject(at) && Object.hasOwn(at, part)) at = at[part]
    else return undefined
  }
  return at
}

function index(part: string, length: number): number {
  if (!/^(?:0|-?[1-9]\d*)$/.test(part)) throw rejected()
  const number = Number(part)
  return number < 0 ? number + length : number
}

function add(document: Json, path: readonly string[], value: Json | undefined): Json {
  if (value === undefined) throw rejected()
  const last = path.at(-1)
  if (last === undefined) return value
  const parent = read(document, path.slice(0, -1))
  if (Array.isArray(parent)) {
    const at = last === '-' ? parent.length : index(last, parent.length)
    if (at < 0 || at > parent.length) throw rejected()
    parent.splice(at, 0, value)
  } else if (isObject(parent)) Object.defineProperty(parent, last, { value, enumerable: true, configurable: true, writable: true })
  else throw rejected()
  return document
}

function remove(document: Json, path: readonly string[]): Json {
  const last = path.at(-1)
  const parent = read(document, path.slice(0, -1))
  if (last === undefined || parent === undefined || read(document, path) === undefined) throw rejected()
  if (Array.isArray(parent)) parent.splice(index(last, parent.length), 1)
  else if (isObject(parent)) delete parent[last]
  return document
}
