import { isObject, type Json, type JsonObject } from '#lib/json.ts'

/** Sets what is missing or null; what is there stays. */
export function fill(object: JsonObject, values: { readonly [name: string]: Json }): void {
  for (const [name, value] of Object.entries(values)) object[name] ??= value
}

/** The object at `path`, if there is one. */
export function at(object: JsonObject, ...path: readonly string[]): JsonObject | undefined {
  let value: Json | undefined = object
  for (const name of path) value = isObject(value) ? value[name] : undefined
  return isObject(value) ? value : undefined
}

/** The objects of the list at `path`. */
export function each(object: JsonObject, ...path: readonly string[]): JsonObject[] {
  let value: Json | undefined = object
  for (const name of path) value = isObject(value) ? value[name] : undefined
  return Array.isArray(value) ? value.filter(isObject) : []
}
