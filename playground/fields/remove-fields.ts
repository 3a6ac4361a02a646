import { isObject, type Json, type JsonObject } from '#lib/json.ts'
import type { Schema } from '#playground/contract.ts'
import { atomOf, branchOf, deduce, fieldSchema, type ListAtom, type MapAtom } from './atom.ts'
import { FieldSet } from './field-set.ts'
import { listItemElement } from './list-item.ts'
import { fieldElement } from './path-element.ts'

/** `object` without the fields and items of `set`. What becomes empty inside becomes null, unless the set names it too. */
export function removeFields(object: JsonObject, set: FieldSet, schema: Schema): JsonObject {
  const rest = removeFrom(object, set, schema)
  return isObject(rest) ? rest : {}
}

function removeFrom(value: Json, set: FieldSet, schema: Schema | undefined): Json {
  if (schema === undefined) return value
  const atom = deduce(atomOf(schema), value)
  const branch = branchOf(atom)
  if (branch === 'scalar') return value
  if (branch === 'map') return isObject(value) ? removeMembers(value, set, atom.map as MapAtom) : null
  return Array.isArray(value) ? removeItems(value, set, atom.list as ListAtom) : null
}

function removeMembers(value: JsonObject, set: FieldSet, map: MapAtom): Json {
  if (map.atomic) return null
  const rest: JsonObject = {}
  for (const [name, field] of Object.entries(value)) {
    const element = fieldElement(name)
    if (set.members.has(element)) continue
    const below = set.children.get(element)
    const left = below === undefined || below.empty ? field : removeFrom(field, below, fieldSchema(map, name))
    Object.defineProperty(rest, name, { value: left, enumerable: true, writable: true, configurable: true })
  }
  return Object.keys(rest).length > 0 ? rest : null
}

function removeItems(value: readonly Json[], set: FieldSet, list: ListAtom): Json {
  if (list.keys === 'atomic') return null
  const rest: Json[] = []
  for (const item of value) {
    const element = listItemElement(list, item)
    if (element instanceof Error) {
      rest.push(item)
      continue
    }
    if (set.members.has(element)) continue
    const below = set.children.get(element)
    rest.push(below === undefined || below.empty ? item : removeFrom(item, below, list.element))
  }
  return rest.length > 0 ? rest : null
}

/** With each declared field that has something below it: who owns all of a struct owns the struct. Keys of maps are not declared fields. */
export function withDeclaredParents(set: FieldSet, schema: Schema | undefined): FieldSet {
  const out = new FieldSet()
  const atom = schema === undefined ? {} : atomOf(schema)
  for (const element of set.members) out.members.add(element)
  for (const [element, child] of set.children) {
    const name = element.startsWith('f:') ? element.slice(2) : undefined
    if (name !== undefined && atom.map?.fields[name] !== undefined) out.members.add(element)
    const below = name !== undefined ? atom.map && fieldSchema(atom.map, name) : element.startsWith('k:') ? atom.list?.element : undefined
    out.children.set(element, withDeclaredParents(child, below))
  }
  return out
}
