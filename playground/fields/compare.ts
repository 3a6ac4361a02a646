import { equalJson, isObject, type Json } from '#lib/json.ts'
import type { Schema } from '#playground/contract.ts'
import { atomOf, branchOf, deduce, fieldSchema, type Atom, type ListAtom, type MapAtom } from './atom.ts'
import { FieldSet } from './field-set.ts'
import { listItemElement } from './list-item.ts'
import { fieldElement, type PathElement } from './path-element.ts'

/** What became of each field between two values. */
export type Comparison = { readonly added: FieldSet; readonly modified: FieldSet; readonly removed: FieldSet }

type Side = Json | undefined

export function compare(before: Json, after: Json, schema: Schema): Comparison {
  const comparison = { added: new FieldSet(), modified: new FieldSet(), removed: new FieldSet() }
  visit(before, after, schema, [], comparison)
  return comparison
}

function visit(before: Side, after: Side, schema: Schema | undefined, path: PathElement[], out: Comparison): void {
  if (schema === undefined) return
  const atom = atomOf(schema)
  const left = deduce(atom, before)
  const right = deduce(atom, after)
  let leaf: boolean
  if (after === undefined) leaf = handle(left, before, after, path, out)
  else {
    if (before !== undefined && branchOf(left) !== branchOf(right)) handle(left, before, after, path, out)
    leaf = handle(right, before, after, path, out)
  }
  if (leaf) return
  if (before === undefined) out.added.insert(path)
  else if (after === undefined) out.removed.insert(path)
}

/** Whether the value was taken as a leaf. */
function handle(atom: Atom, before: Side, after: Side, path: PathElement[], out: Comparison): boolean {
  const branch = branchOf(atom)
  if (branch === 'scalar') return leaf(before, after, path, out)
  if (branch === 'map') {
    const map = atom.map as MapAtom
    // Where both are empty or null, the difference between empty and null is the value.
    if (map.atomic || (!hasFields(before) && !hasFields(after))) return leaf(before, after, path, out)
    const left = isObject(before) ? before : {}
    const right = isObject(after) ? after : {}
    for (const name of new Set([...Object.keys(left), ...Object.keys(right)])) {
      path.push(fieldElement(name))
      visit(own(left, name), own(right, name), fieldSchema(map, name), path, out)
      path.pop()
    }
    return false
  }
  const list = atom.list as ListAtom
  if (list.keys === 'atomic' || (!hasItems(before) && !hasItems(after))) return leaf(before, after, path, out)
  visitItems(list, Array.isArray(before) ? before : [], Array.isArray(after) ? after : [], path, out)
  return false
}

function leaf(before: Side, after: Side, path: PathElement[], out: Comparison): true {
  if (before === undefined) out.added.insert(path)
  else if (after === undefined) out.removed.insert(path)
  else if (!equalJson(before, after)) out.modified.insert(path)
  return true
}

function visitItems(list: ListAtom, before: readonly Json[], after: readonly Json[], path: PathElement[], out: Comparison): void {
  const left = byElement(list, before)
  const right = byElement(list, after)
  for (const element of new Set([...left.keys(), ...right.keys()])) {
    const was = left.get(element) ?? []
    const is = right.get(element) ?? []
    path.push(element)
    if (was.length <= 1 && is.length <= 1) visit(was[0], is[0], list.element, path, out)
    else if (was.length >= 2 && is.length >= 2) {
      if (!equalJson(was, is)) out.modified.insert(path)
    } else if (was.length >= 2) {
      if (is[0] !== undefined) visit(undefined, is[0], list.element, path, out)
      out.removed.insert(path)
    } else {
      if (was[0] !== undefined) visit(was[0], undefined, list.element, path, out)
      out.added.insert(path)
    }
    path.pop()
  }
}

function byElement(list: ListAtom, items: readonly Json[]): Map<PathElement, Json[]> {
  const map = new Map<PathElement, Json[]>()
  for (const item of items) {
    const element = listItemElement(list, item)
    if (element instanceof Error) continue
    const same = map.get(element)
    if (same === undefined) map.set(element, [item])
    else same.push(item)
  }
  return map
}

function hasFields(value: Side): boolean {
  return isObject(value) && Object.keys(value).length > 0
}

function hasItems(value: Side): boolean {
  return Array.isArray(value) && value.length > 0
}

function own(object: { [key: string]: Json }, name: string): Side {
  return Object.hasOwn(object, name) ? object[name] : undefined
}
