import { isObject, type Json, type JsonObject } from '#lib/json.ts'
import type { ListAtom } from './atom.ts'
import { keyElement, valueElement, type PathElement } from './path-element.ts'

/** The path element of an item of a keyed or set list; an `Error` that says why it has none. Keys that are left out have their defaults. */
export function listItemElement(list: ListAtom, item: Json | undefined): PathElement | Error {
  if (list.keys === 'set') {
    if (Array.isArray(item)) return new Error('not supported: associative list with lists as elements')
    if (isObject(item)) return new Error("associative list without keys has an element that's a map type")
    if (item === null || item === undefined) return new Error("associative list without keys has an element that's an explicit null")
    return valueElement(item)
  }
  if (item === null) return new Error('associative list with keys may not have a null element')
  if (!isObject(item)) return new Error('associative list with keys may not have non-map elements')
  const keys: JsonObject = {}
  for (const name of list.keys) {
    const value = Object.hasOwn(item, name) ? item[name] : list.element.properties?.[name]?.default
    if (value === undefined) return new Error(`associative list with keys has an element that omits key field ${JSON.stringify(name)} (and doesn't have default value)`)
    keys[name] = value
  }
  return keyElement(keys)
}
