import { isObject, type Json, type JsonObject } from '#lib/json.ts'
import type { Schema } from '#playground/contract.ts'

export type Pruned<T> = { readonly object: T; readonly unknown: readonly string[] }

/**
 * Without the fields that the schema does not know, and their paths (`spec.template.containers[0].bogus`), in order: metadata's first, as the
 * server decodes it by itself, then the others sorted. `schema` is a whole one (`customResourceSchema`, `builtinSchema`).
 */
export function prune<T extends JsonObject>(object: T, schema: Schema): Pruned<T> {
  const unknown: string[] = []
  const pruned = visit(object, schema, '', unknown) as T
  const ofMetadata = unknown.filter((path) => path.startsWith('metadata.')).sort()
  return { object: pruned, unknown: [...ofMetadata, ...unknown.filter((path) => !path.startsWith('metadata.')).sort()] }
}

function visit(value: Json, schema: Schema, path: string, unknown: string[]): Json {
  if (Array.isArray(value)) {
    const { items } = schema
    if (items === undefined) return value
    const kept = value.map((item, i) => visit(item, items, `${path}[${i}]`, unknown))
    return kept.some((item, i) => item !== value[i]) ? kept : value
  }
  if (!isObject(value)) return value
  return visitFields(value, schema, path, unknown)
}

function visitFields(value: JsonObject, schema: Schema, path: string, unknown: string[]): JsonObject {
  const { properties = {}, additionalProperties } = schema
  const preserve = schema['x-kubernetes-preserve-unknown-fields'] === true || additionalProperties === true
  const kept: JsonObject = {}
  let changed = false
  for (const [name, field] of Object.entries(value)) {
    const at = path === '' ? name : `${path}.${name}`
    const own = Object.hasOwn(properties, name) ? properties[name] : typeof additionalProperties === 'object' ? additionalProperties : undefined
    if (own === undefined && !preserve) {
      unknown.push(at)
      changed = true
      continue
    }
    const rest = own === undefined ? field : visit(field, own, at, unknown)
    if (rest !== field) changed = true
    Object.defineProperty(kept, name, { value: rest, enumerable: true, writable: true, configurable: true })
  }
  return changed ? kept : value
}
