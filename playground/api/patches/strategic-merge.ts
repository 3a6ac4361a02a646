import { equalJson, isObject, type Json, type JsonObject } from '#lib/json.ts'
import type { Schema } from '#playground/contract.ts'
import { badRequest } from '../status.ts'

/** Metadata is the same for every kind, and kinds' schemas leave it open. */
const metadataSchema: Schema = {
  type: 'object',
  properties: {
    ownerReferences: { type: 'array', 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['uid'], items: { type: 'object' } },
    finalizers: { type: 'array', 'x-kubernetes-list-type': 'set', items: { type: 'string' } },
  },
}

/**
 * Kubernetes' strategic merge patch: a merge patch whose lists are merged by key where the schema says so, with the directives
 * `$patch`, `$retainKeys`, `$setElementOrder/<list>` and `$deleteFromPrimitiveList/<list>`.
 * The merge key is the first key of a keyed list.
 */
export function strategicMerge(document: JsonObject, patch: Json, schema: Schema): JsonObject {
  if (!isObject(patch)) throw badRequest('cannot unmarshal the patch: it must be an object')
  const rooted: Schema = { ...schema, properties: { ...schema.properties, metadata: metadataSchema } }
  return mergeObject(document, patch, rooted)
}

function mergeObject(document: Json | undefined, patch: JsonObject, schema: Schema | undefined): JsonObject {
  if (patch.$patch === 'replace') return without(patch, '$patch')
  if (patch.$patch === 'delete') return {}
  const result: JsonObject = isObject(document) ? { ...document } : {}
  if (Array.isArray(patch.$retainKeys)) {
    const kept = new Set(patch.$retainKeys.map(String))
    for (const name of Object.keys(result)) if (!kept.has(name)) delete result[name]
  }
  for (const [name, value] of Object.entries(patch)) {
    if (name.startsWith('$deleteFromPrimitiveList/')) {
      const list = name.slice('$deleteFromPrimitiveList/'.length)
      const gone = Array.isArray(value) ? value : []
      const present = result[list]
      if (Array.isArray(present)) result[list] = present.filter((item) => !gone.some((other) => equalJson(other, item)))
    }
  }
  for (const [name, value] of Object.entries(patch)) {
    if (name.startsWith('$') || name === '__proto__') continue
    const child = childSchema(schema, name)
    if (value === null) delete result[name]
    else if (Array.isArray(value)) result[name] = mergeList(result[name], value, child, patch[`$setElementOrder/${name}`])
    else if (isObject(value)) result[name] = mergeObject(result[name], value, child)
    else result[name] = value
  }
  for (const [name, order] of Object.entries(patch)) {
    const list = name.startsWith('$setElementOrder/') ? name.slice('$setElementOrder/'.length) : undefined
    if (list === undefined || patch[list] !== undefined || !Array.isArray(order)) continue
    const present = result[list]
    if (Array.isArray(present)) result[list] = inOrder(present, order, keyOf(childSchema(schema, list)))
  }
  return result
}

function childSchema(schema: Schema | undefined, name: string): Schema | undefined {
  const declared = schema?.properties?.[name]
  if (declared !== undefined) return declared
  return typeof schema?.additionalProperties === 'object' ? schema.additionalProperties : undefined
}

function keyOf(schema: Schema | undefined): string | undefined {
  return schema?.['x-kubernetes-list-type'] === 'map' ? schema['x-kubernetes-list-map-keys']?.[0] : undefined
}

function mergeList(document: Json | undefined, patch: readonly Json[], schema: Schema | undefined, order: Json | undefined): Json[] {
  const present = Array.isArray(document) ? document : []
  const replaced = patch.some((item) => isObject(item) && item.$patch === 'replace')
  if (replaced) return patch.filter((item) => !(isObject(item) && item.$patch === 'replace'))
  const key = keyOf(schema)
  if (key === undefined) {
    if (schema?.['x-kubernetes-list-type'] !== 'set') return patch.map(clean)
    const merged = [...present]
    for (const item of patch) if (!merged.some((other) => equalJson(other, item))) merged.push(item)
    return Array.isArray(order) ? inOrder(merged, order, undefined) : merged
  }
  let result = [...present]
  for (const item of patch) {
    if (!isObject(item)) throw badRequest(`a list that is merged by "${key}" holds something that is no object`)
    if (item[key] === undefined) throw badRequest(`map: map[] does not contain declared merge key: ${key}`)
    const at = result.findIndex((other) => isObject(other) && equalJson(other[key], item[key]))
    if (item.$patch === 'delete') result = result.filter((other) => !(isObject(other) && equalJson(other[key], item[key])))
    else if (at < 0) result.push(mergeObject(undefined, item, schema?.items))
    else result[at] = mergeObject(result[at], item, schema?.items)
  }
  return Array.isArray(order) ? inOrder(result, order, key) : result
}

/** The order that the client wants; what it did not name follows what it stood behind. */
function inOrder(list: readonly Json[], order: readonly Json[], key: string | undefined): Json[] {
  const rank = (item: Json): number =>
    order.findIndex((wanted) => (key === undefined ? equalJson(wanted, item) : isObject(wanted) && isObject(item) && equalJson(wanted[key], item[key])))
  const named = list.filter((item) => rank(item) >= 0).sort((a, b) => rank(a) - rank(b))
  const result = [...named]
  for (const [index, item] of list.entries()) {
    if (rank(item) >= 0) continue
    const before = list.slice(0, index).findLast((other) => result.includes(other))
    result.splice(before === undefined ? 0 : result.indexOf(before) + 1, 0, item)
  }
  return result
}

function without(object: JsonObject, name: string): JsonObject {
  const { [name]: _dropped, ...rest } = object
  return rest
}

/** Directives are no content. */
function clean(value: Json): Json {
  if (Array.isArray(value)) return value.map(clean)
  if (!isObject(value)) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name]) => !name.startsWith('$'))
      .map(([name, member]) => [name, clean(member)]),
  )
}
