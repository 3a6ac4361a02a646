import type { Schema } from '#playground/contract.ts'

/** How a value of some schema merges: by fields or keys (`map`), by items (`list`), or whole (`scalar`). Several where the value decides. */
export type Atom = {
  readonly map?: MapAtom
  readonly list?: ListAtom
  readonly scalar?: 'numeric' | 'string' | 'boolean' | 'untyped'
}

export type MapAtom = {
  readonly fields: Readonly<Record<string, Schema>>
  /** The schema of keys that are no declared field; `undefined` where there may be none. */
  readonly element: Schema | undefined
  readonly atomic: boolean
}

export type ListAtom = { readonly element: Schema; readonly keys: 'atomic' | 'set' | readonly string[] }

/** Anything goes, and the value decides how it merges: maps by key, lists and scalars whole. */
export const deduced: Schema = { 'x-kubernetes-preserve-unknown-fields': true }

const deducedAtom: Atom = {
  map: { fields: {}, element: deduced, atomic: false },
  list: { element: deduced, keys: 'atomic' },
  scalar: 'untyped',
}

const atoms = new WeakMap<Schema, Atom>()
const preserving = new WeakMap<Schema, Schema>()

/** Source of the mapping: kube-openapi `schemaconv`, which turns OpenAPI into the schema of structured-merge-diff. */
export function atomOf(schema: Schema): Atom {
  let atom = atoms.get(schema)
  if (atom === undefined) {
    atom = toAtom(schema)
    atoms.set(schema, atom)
  }
  return atom
}

function toAtom(schema: Schema): Atom {
  if (schema['x-kubernetes-int-or-string'] === true) return { scalar: 'untyped' }
  switch (schema.type) {
    case 'object':
      return { map: toMap(schema) }
    case 'array':
      return { list: { element: schema.items ?? deduced, keys: listKeys(schema) } }
    case 'string':
      return { scalar: 'string' }
    case 'integer':
    case 'number':
      return { scalar: 'numeric' }
    case 'boolean':
      return { scalar: 'boolean' }
    default:
      return schema.properties === undefined ? deducedAtom : { ...deducedAtom, map: toMap(schema) }
  }
}

function toMap(schema: Schema): MapAtom {
  const preserve = schema['x-kubernetes-preserve-unknown-fields'] === true
  const { properties = {}, additionalProperties } = schema
  const fields = preserve ? Object.fromEntries(Object.entries(properties).map(([name, field]) => [name, preserved(field)])) : properties
  const atomic = schema['x-kubernetes-map-type'] === 'atomic'
  return { fields: Object.assign(Object.create(null), fields), element: elementOf(preserve, properties, additionalProperties), atomic }
}

function elementOf(preserve: boolean, properties: object, additional: Schema | boolean | undefined): Schema | undefined {
  if (typeof additional === 'object') return preserve ? preserved(additional) : additional
  if (additional === true) return deduced
  if (additional === false) return undefined
  return preserve || Object.keys(properties).length === 0 ? deduced : undefined
}

/** Preserving is inherited by what is declared below. */
function preserved(schema: Schema): Schema {
  let copy = preserving.get(schema)
  if (copy === undefined) {
    copy = { ...schema, 'x-kubernetes-preserve-unknown-fields': true }
    preserving.set(schema, copy)
  }
  return copy
}

function listKeys(schema: Schema): ListAtom['keys'] {
  const type = schema['x-kubernetes-list-type']
  if (type === 'set') return 'set'
  if (type === 'map') return schema['x-kubernetes-list-map-keys'] ?? 'atomic'
  return 'atomic'
}

/** The atom that applies to `value`; all of them where none does, or there is no value. */
export function deduce(atom: Atom, value: unknown): Atom {
  if (value === undefined || value === null) return atom
  if (Array.isArray(value)) return atom.list === undefined ? atom : { list: atom.list }
  if (typeof value === 'object') return atom.map === undefined ? atom : { map: atom.map }
  return atom.scalar === undefined ? atom : { scalar: atom.scalar }
}

/** Which branch a walk takes: a map before a scalar before a list. */
export function branchOf(atom: Atom): 'map' | 'scalar' | 'list' {
  return atom.map !== undefined ? 'map' : atom.scalar !== undefined ? 'scalar' : 'list'
}

export function fieldSchema(map: MapAtom, name: string): Schema | undefined {
  return map.fields[name] ?? map.element
}
