import { isObject, type Json, type JsonObject } from '#lib/json.ts'
import type { Schema } from '#playground/contract.ts'

/**
 * `value` with the schema's `default`s at every depth below what is there, as a new value; the same value where nothing is missing.
 * A null on a field that has a default and is not nullable counts as missing.
 * Source: apiextensions-apiserver `schema/defaulting/algorithm.go`.
 */
export function withDefaults<T extends Json>(value: T, schema: Schema): T {
  return fill(value, schema) as T
}

function fill(value: Json, schema: Schema): Json {
  if (Array.isArray(value)) {
    const { items } = schema
    if (items === undefined) return value
    const filled = value.map((item) => fill(nullReplaced(item, items), items))
    return filled.some((item, i) => item !== value[i]) ? filled : value
  }
  return isObject(value) ? fillFields(value, schema) : value
}

function fillFields(value: JsonObject, schema: Schema): JsonObject {
  const { properties = {}, additionalProperties } = schema
  const filled: JsonObject = {}
  let changed = false
  const put = (name: string, field: Json) => {
    if (field !== value[name]) changed = true
    Object.defineProperty(filled, name, { value: field, enumerable: true, writable: true, configurable: true })
  }
  for (const [name, field] of Object.entries(value)) {
    const own = Object.hasOwn(properties, name) ? properties[name] : typeof additionalProperties === 'object' ? additionalProperties : undefined
    put(name, own === undefined ? field : fill(nullReplaced(field, own), own))
  }
  for (const [name, own] of Object.entries(properties)) {
    if (own.default !== undefined && !Object.hasOwn(value, name)) put(name, fill(structuredClone(own.default), own))
  }
  return changed ? filled : value
}

function nullReplaced(value: Json, schema: Schema): Json {
  return value === null && schema.nullable !== true && schema.default !== undefined ? structuredClone(schema.default) : value
}

/** Without the nulls on fields that may not be null: what a POST, PUT or patch says so is not said at all. An apply is taken at its word. */
export function withoutNulls<T extends Json>(value: T, schema: Schema): T {
  return drop(value, schema) as T
}

function drop(value: Json, schema: Schema | undefined): Json {
  if (schema === undefined) return value
  if (Array.isArray(value)) {
    const kept = value.map((item) => drop(item, schema.items))
    return kept.some((item, i) => item !== value[i]) ? kept : value
  }
  if (!isObject(value)) return value
  const { properties = {}, additionalProperties } = schema
  const kept: JsonObject = {}
  let changed = false
  for (const [name, field] of Object.entries(value)) {
    const own = Object.hasOwn(properties, name) ? properties[name] : typeof additionalProperties === 'object' ? additionalProperties : undefined
    if (field === null && own !== undefined && own.nullable !== true && own['x-kubernetes-preserve-unknown-fields'] !== true) {
      changed = true
      continue
    }
    const rest = drop(field, own)
    if (rest !== field) changed = true
    Object.defineProperty(kept, name, { value: rest, enumerable: true, writable: true, configurable: true })
  }
  return changed ? kept : value
}
