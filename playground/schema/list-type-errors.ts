import { canonicalJson, isObject, type Json, type JsonObject } from '#lib/json.ts'
import type { Cause, Schema } from '#playground/contract.ts'
import { duplicate } from './causes.ts'
import { join } from './openapi-errors.ts'

/** Items of set and keyed lists that are there twice: `spec.finalizers[1]: Duplicate value: "a"`. */
export function listTypeErrors(value: Json, schema: Schema, path = ''): Cause[] {
  if (Array.isArray(value)) {
    const { items } = schema
    const errors = items === undefined ? [] : value.flatMap((item, i) => listTypeErrors(item, items, `${path}[${i}]`))
    return [...errors, ...duplicates(value, schema, path)]
  }
  if (!isObject(value)) return []
  const { properties = {}, additionalProperties } = schema
  return Object.entries(value).flatMap(([name, field]) => {
    const own = Object.hasOwn(properties, name) ? properties[name] : typeof additionalProperties === 'object' ? additionalProperties : undefined
    return own === undefined ? [] : listTypeErrors(field, own, join(path, name))
  })
}

function duplicates(value: readonly Json[], schema: Schema, path: string): Cause[] {
  const type = schema['x-kubernetes-list-type']
  if (type !== 'set' && type !== 'map') return []
  const keys = schema['x-kubernetes-list-map-keys'] ?? []
  const seen = new Set<string>()
  const errors: Cause[] = []
  for (const [i, item] of value.entries()) {
    const key = type === 'set' ? item : keyOf(item, keys)
    const text = canonicalJson(key)
    if (seen.has(text)) errors.push(duplicate(`${path}[${i}]`, key))
    seen.add(text)
  }
  return errors
}

function keyOf(item: Json, keys: readonly string[]): JsonObject {
  return Object.fromEntries(keys.flatMap((key) => (isObject(item) && item[key] !== undefined ? [[key, item[key] as Json]] : [])))
}
