import { equalJson, isObject, type Json, type JsonObject } from '#lib/json.ts'
import type { Schema } from '#playground/contract.ts'
import { goText } from '#playground/fields/typed-errors.ts'
import { badRequest, internal } from '../status.ts'

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

function mergeObject(document: JsonObject, patch: JsonObject, schema: Schema | undefined): JsonObject {
  if (patch.$patch === 'replace' || schema?.['x-kubernetes-patch-strategy'] === 'replace') return without(patch, '$patch')
  if (patch.$patch === 'delete') return {}
  const result: JsonObject = { ...document }
  if (Array.isArray(patch.$retainKeys)) {
    const kept = new Set(patch.$retainKeys.map(String))
    for (const name of Object.keys(result)) if (!kept.has(name)) delete result[name]
  }
  for (const [list, gone] of directives(patch, '$deleteFromPrimitiveList/')) {
    const present = result[list]
    if (Array.isArray(present)) result[list] = present.filter((item) => !gone.some((other) => equalJson(other, item)))
  }
  for (const [name, value] of Object.entries(patch)) {
    if (name.startsWith('$') || name === '__proto__') continue
    const present = result[name]
    const child = childSchema(schema, name)
    if (value === null) delete result[name]
    else if (Array.isArray(value) && Array.isArray(present)) result[name] = mergeList(present, value, child)
    else if (isObject(value) && isObject(present)) result[name] = mergeObject(present, value, child)
    else result[name] = taken(value)
  }
  for (const [list, order] of directives(patch, '$setElementOrder/')) {
    const present = result[list]
    if (Array.isArray(present)) result[list] = inOrder(present, order, Array.isArray(document[list]) ? document[list] : [], keyOf(childSchema(schema, list)))
  }
  return result
}

function directives(patch: JsonObject, prefix: string): [string, Json[]][] {
  return Object.entries(patch).flatMap(([name, value]): [string, Json[]][] => (name.startsWith(prefix) && Array.isArray(value) ? [[name.slice(prefix.length), value]] : []))
}

function childSchema(schema: Schema | undefined, name: string): Schema | undefined {
  const declared = schema?.properties?.[name]
  if (declared !== undefined) return declared
  return typeof schema?.additionalProperties === 'object' ? schema.additionalProperties : undefined
}

function keyOf(schema: Schema | undefined): string | undefined {
  if (schema?.['x-kubernetes-patch-merge-key'] !== undefined) return schema['x-kubernetes-patch-merge-key']
  return schema?.['x-kubernetes-list-type'] === 'map' ? schema['x-kubernetes-list-map-keys']?.[0] : undefined
}

function mergeList(present: readonly Json[], patch: readonly Json[], schema: Schema | undefined): Json[] {
  const key = keyOf(schema)
  if (schema?.['x-kubernetes-patch-strategy'] === 'replace' || (key === undefined && schema?.['x-kubernetes-list-type'] !== 'set')) return [...patch]
  if (key === undefined) {
    const added = patch.filter((item, i) => !present.some((other) => equalJson(other, item)) && patch.findIndex((other) => equalJson(other, item)) === i)
    return inOrder([...present, ...added], patch, present, undefined)
  }
  for (const item of patch) {
    if (!isObject(item)) throw badRequest(`a list that is merged by "${key}" holds something that is no object`)
    if (item[key] === undefined && item.$patch !== 'replace') throw internal(`map: ${goText(item)} does not contain declared merge key: ${key}`)
  }
  const said = patch.filter(isObject)
  const wanted = said.filter(({ $patch }) => $patch === undefined)
  if (said.some(({ $patch }) => $patch === 'replace')) return wanted
  const same = (one: Json, other: Json): boolean => isObject(one) && isObject(other) && equalJson(one[key], other[key])
  const left = present.filter((item) => !said.some((other) => other.$patch === 'delete' && same(item, other)))
  const merged = [...left]
  for (const item of wanted) {
    const at = merged.findIndex((other) => same(other, item))
    const found = merged[at]
    if (isObject(found)) merged[at] = mergeObject(found, item, schema?.items)
    else merged.push(item)
  }
  return inOrder(merged, wanted, left, key)
}

/**
 * What `order` names in its order, and between it what it does not name: each where it stood before (in `was`) what comes after it, as far as the two
 * orders agree. Source of the algorithm: apimachinery `strategicpatch/patch.go`, `mergeSortedSlice`.
 */
function inOrder(list: readonly Json[], order: readonly Json[], was: readonly Json[], key: string | undefined): Json[] {
  const indexIn = (all: readonly Json[], item: Json): number =>
    all.findIndex((other) => (key === undefined ? equalJson(other, item) : isObject(other) && isObject(item) && equalJson(other[key], item[key])))
  const by = (all: readonly Json[]) => (a: Json, b: Json) => indexIn(all, a) - indexIn(all, b)
  const named = list.filter((item) => indexIn(order, item) >= 0).sort(by(order))
  const others = list.filter((item) => indexIn(order, item) < 0).sort(by(was))
  const result: Json[] = []
  while (named.length > 0 && others.length > 0) {
    const [next, other] = [indexIn(was, named[0] as Json), indexIn(was, others[0] as Json)]
    result.push((next >= 0 && other >= 0 && other < next ? others : named).shift() as Json)
  }
  return [...result, ...named, ...others]
}

function without(object: JsonObject, name: string): JsonObject {
  const { [name]: _dropped, ...rest } = object
  return rest
}

/** What was not there before is taken as it is, without nulls and without what only says how to merge. */
function taken(value: Json): Json {
  if (Array.isArray(value)) return value.filter((item) => !(isObject(item) && item.$patch !== undefined)).map(taken)
  if (!isObject(value)) return value
  return Object.fromEntries(Object.entries(value).flatMap(([name, field]) => (name.startsWith('$') || field === null || (isObject(field) && field.$patch !== undefined) ? [] : [[name, taken(field)]])))
}
