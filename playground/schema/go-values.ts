import { isObject, type Json, type JsonObject } from '#lib/json.ts'
import type { Schema } from '#playground/contract.ts'

/**
 * `value` as it is after the server decoded it into Go types and encoded it again: a null is as if it had not been said (in a list or a map it is the
 * type's empty value), and a field that Go leaves out when it is empty is not there. The same value where nothing changes. Defaults come after it.
 */
export function throughGo<T extends Json>(value: T, schema: Schema): T {
  return through(value, schema) as T
}

function through(value: Json, schema: Schema): Json {
  if (schema['x-kubernetes-preserve-unknown-fields'] === true) return value
  if (Array.isArray(value)) {
    const { items } = schema
    if (items === undefined) return value
    return sameOr(value, value.map((item) => through(item ?? emptyOf(items), items)))
  }
  return isObject(value) ? fieldsThrough(value, schema) : value
}

function fieldsThrough(value: JsonObject, { properties = {}, additionalProperties }: Schema): JsonObject {
  const held: JsonObject = {}
  let changed = false
  for (const [name, field] of Object.entries(value)) {
    const declared = Object.hasOwn(properties, name) ? properties[name] : undefined
    const own = declared ?? (typeof additionalProperties === 'object' ? additionalProperties : undefined)
    const its = own === undefined ? field : through(declared === undefined ? (field ?? emptyOf(own)) : field, own)
    if (its !== field) changed = true
    if (declared !== undefined && (its === null || (declared['x-go-omitempty'] === true && isEmpty(its)))) changed = true
    else Object.defineProperty(held, name, { value: its, enumerable: true, writable: true, configurable: true })
  }
  return changed ? held : value
}

/** `value` as it comes back from storage, which keeps built-in kinds as protobuf: an empty list that is always written is null there. */
export function fromProtobufStorage<T extends Json>(value: T, schema: Schema): T {
  return stored(value, schema) as T
}

function stored(value: Json, schema: Schema): Json {
  if (Array.isArray(value)) {
    const { items } = schema
    if (value.length === 0 && schema.default === null) return null
    return items === undefined ? value : sameOr(value, value.map((item) => stored(item, items)))
  }
  if (!isObject(value)) return value
  const { properties = {}, additionalProperties } = schema
  const entries = Object.entries(value).map(([name, field]) => {
    const own = Object.hasOwn(properties, name) ? properties[name] : typeof additionalProperties === 'object' ? additionalProperties : undefined
    return [name, own === undefined ? field : stored(field, own)] as const
  })
  return entries.every(([name, field]) => field === value[name]) ? value : Object.fromEntries(entries)
}

function sameOr(before: Json[], after: Json[]): Json[] {
  return after.every((item, i) => item === before[i]) ? before : after
}

function isEmpty(value: Json): boolean {
  if (value === '' || value === 0 || value === false) return true
  return Array.isArray(value) ? value.length === 0 : isObject(value) && Object.keys(value).length === 0
}

/** What Go has where nothing was said, of a type that is no pointer. */
export function emptyOf(schema: Schema): Json {
  if (schema.format === 'quantity') return '0'
  if (schema['x-kubernetes-int-or-string'] === true) return 0
  switch (schema.type) {
    case 'string':
      return schema.format === 'date-time' ? null : ''
    case 'integer':
    case 'number':
      return 0
    case 'boolean':
      return false
    case 'object':
      return schema.additionalProperties === undefined ? {} : null
    default:
      return null
  }
}
