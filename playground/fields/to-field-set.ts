import { isObject, type Json, type JsonObject } from '#lib/json.ts'
import type { Schema } from '#playground/contract.ts'
import { atomOf, branchOf, deduce, fieldSchema, type ListAtom, type MapAtom } from './atom.ts'
import { FieldSet } from './field-set.ts'
import { listItemElement } from './list-item.ts'
import { fieldElement, type PathElement } from './path-element.ts'

/**
 * Which fields an applied value names: its leaves, its items, and the keys of its maps that are no declared field.
 * A struct with content is named by its content alone; an empty one by itself; an empty list by nothing.
 */
export function toFieldSet(value: Json, schema: Schema): FieldSet {
  const set = new FieldSet()
  collect(value, schema, [], set)
  return set
}

function collect(value: Json, schema: Schema | undefined, path: PathElement[], set: FieldSet): void {
  if (schema === undefined) return
  const atom = deduce(atomOf(schema), value)
  const branch = branchOf(atom)
  if (branch === 'scalar') set.insert(path)
  else if (branch === 'map') collectFields(value, atom.map as MapAtom, path, set)
  else collectItems(value, atom.list as ListAtom, path, set)
}

function collectFields(value: Json, map: MapAtom, path: PathElement[], set: FieldSet): void {
  if (map.atomic) set.insert(path)
  else if (isObject(value)) {
    for (const [name, field] of Object.entries(value)) {
      path.push(fieldElement(name))
      collect(field, fieldSchema(map, name), path, set)
      if (map.fields[name] === undefined || field === null || isEmptyObject(field)) set.insert(path)
      path.pop()
    }
  }
}

function collectItems(value: Json, list: ListAtom, path: PathElement[], set: FieldSet): void {
  if (list.keys === 'atomic') {
    set.insert(path)
    return
  }
  if (!Array.isArray(value)) return
  const elements = value.map((item) => listItemElement(list, item))
  for (const [i, element] of elements.entries()) {
    if (element instanceof Error) continue
    path.push(element)
    // Duplicates cannot be told apart: they are owned as one, without what is inside.
    if (elements.indexOf(element) === i && elements.lastIndexOf(element) === i) collect(value[i] as Json, list.element, path, set)
    set.insert(path)
    path.pop()
  }
}

function isEmptyObject(value: Json): value is JsonObject {
  return isObject(value) && Object.keys(value).length === 0
}
