import { isObject, type Json } from '#lib/json.ts'
import type { Schema } from '#playground/contract.ts'
import { atomOf, branchOf, deduce, fieldSchema, type ListAtom, type MapAtom } from './atom.ts'
import { listItemElement } from './list-item.ts'
import { fieldElement, showPath, showPathElement, type PathElement } from './path-element.ts'

type Walk = { readonly errors: string[]; readonly duplicates: 'refused' | 'allowed'; readonly path: PathElement[] }

/** What keeps `value` from being read by its schema, as server-side apply says it; `undefined` where nothing does. */
export function typedErrors(value: Json, schema: Schema, duplicates: 'refused' | 'allowed'): string | undefined {
  const walk: Walk = { errors: [], duplicates, path: [] }
  visit(value, schema, walk)
  if (walk.errors.length <= 1) return walk.errors[0]
  return ['errors:', ...walk.errors.map((error) => `  ${error}`)].join('\n')
}

function fail(walk: Walk, message: string): void {
  walk.errors.push(walk.path.length === 0 ? message : `${showPath(walk.path)}: ${message}`)
}

function visit(value: Json, schema: Schema, walk: Walk): void {
  if (value === null) return
  const atom = deduce(atomOf(schema), value)
  const branch = branchOf(atom)
  if (branch === 'scalar') {
    const problem = scalarProblem(atom.scalar as string, value)
    if (problem !== undefined) fail(walk, problem)
  } else if (branch === 'map') {
    if (isObject(value)) visitFields(value, atom.map as MapAtom, walk)
    else fail(walk, `expected map, got ${goPointer(value)}`)
  } else if (Array.isArray(value)) visitItems(value, atom.list as ListAtom, walk)
  else fail(walk, `expected list, got ${goPointer(value)}`)
}

/** A map's first undeclared key ends the look at that map, as it does in the server, which takes keys in any order. */
function visitFields(value: { [key: string]: Json }, map: MapAtom, walk: Walk): void {
  for (const name of Object.keys(value).sort()) {
    const schema = fieldSchema(map, name)
    walk.path.push(fieldElement(name))
    if (schema === undefined) fail(walk, 'field not declared in schema')
    else visit(value[name] as Json, schema, walk)
    walk.path.pop()
    if (schema === undefined) return
  }
}

function visitItems(items: readonly Json[], list: ListAtom, walk: Walk): void {
  const seen = new Set<PathElement>()
  for (const [i, item] of items.entries()) {
    const element = list.keys === 'atomic' ? `i:${i}` : listItemElement(list, item)
    if (element instanceof Error) {
      fail(walk, `element ${i}: ${element.message}`)
      return
    }
    if (seen.has(element) && walk.duplicates === 'refused') fail(walk, `duplicate entries for key ${showPathElement(element)}`)
    seen.add(element)
    walk.path.push(element)
    visit(item, list.element, walk)
    walk.path.pop()
  }
}

/** The words are the server's, with the Go values that it prints. */
function scalarProblem(type: string, value: Json): string | undefined {
  switch (type) {
    case 'numeric':
      return typeof value === 'number' ? undefined : `expected numeric (int or float), got ${goType(value)}`
    case 'string':
      return typeof value === 'string' ? undefined : `expected string, got &value.valueUnstructured{Value:${goSyntax(value)}}`
    case 'boolean':
      return typeof value === 'boolean' ? undefined : `expected boolean, got ${goPointer(value)}`
    default:
      return typeof value === 'object' ? `expected any scalar, got ${goPointer(value)}` : undefined
  }
}

function goType(value: Json): string {
  if (Array.isArray(value)) return '[]interface {}'
  if (typeof value === 'number') return Number.isInteger(value) ? 'int64' : 'float64'
  return typeof value === 'boolean' ? 'bool' : typeof value === 'string' ? 'string' : 'map[string]interface {}'
}

function goSyntax(value: Json): string {
  if (Array.isArray(value)) return `[]interface {}{${value.map(goSyntax).join(', ')}}`
  if (isObject(value)) return `map[string]interface {}{${sortedEntries(value).map(([key, item]) => `${JSON.stringify(key)}:${goSyntax(item)}`).join(', ')}}`
  return value === null ? 'interface {}(nil)' : JSON.stringify(value)
}

function goPointer(value: Json): string {
  return `&{${goText(value)}}`
}

/** A value as Go prints it: `map[a:1 b:[x y]]`. */
export function goText(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(goText).join(' ')}]`
  if (isObject(value)) return `map[${sortedEntries(value).map(([key, item]) => `${key}:${goText(item)}`).join(' ')}]`
  return value === null ? '<nil>' : String(value)
}

function sortedEntries(value: { [key: string]: Json }): [string, Json][] {
  return Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
}
