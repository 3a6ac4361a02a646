import { isObject, type Json } from '#lib/json.ts'

/** RFC 7386: objects are merged, null removes, everything else replaces. */
export function mergePatch(document: Json | undefined, patch: Json): Json {
  if (!isObject(patch)) return patch
  const result = isObject(document) ? { ...document } : {}
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete result[name]
    else Object.defineProperty(result, name, { value: mergePatch(result[name], value), enumerable: true, configurable: true, writable: true })
  }
  return result
}
