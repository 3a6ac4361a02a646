import type { Schema } from '#playground/contract.ts'
import { celName } from './cel-values.ts'

export type Kind = 'string' | 'bytes' | 'int' | 'double' | 'bool' | 'timestamp' | 'duration' | 'null' | 'list' | 'map' | 'object' | 'dyn' | 'optional' | 'url' | 'format' | 'fixed'

/** What a schema says of a value before there is one: its type to CEL, and how much of it may fit into a request. */
export type Shape = {
  readonly kind: Kind
  /** Characters, items or entries at most; 0 for what has no size. */
  readonly most: number
  /** Of an object, by their names in CEL. */
  readonly fields?: ReadonlyMap<string, Shape>
  /** Of a list or a map. */
  readonly item?: Shape
  /** The fewest bytes that it takes as JSON. */
  readonly fewestBytes: number
}

const requestBytes = 3 * 1024 * 1024
const text = (most: number, kind: Kind = 'string', fewestBytes = 2): Shape => ({ kind, most, fewestBytes })
const simple: Readonly<Record<string, Shape>> = { boolean: text(0, 'bool', 4), integer: text(0, 'int', 1), number: text(0, 'double', 1) }
const bySize: Readonly<Record<string, Shape>> = { duration: text(32, 'duration', 3), date: text(12, 'timestamp', 12), 'date-time': text(32, 'timestamp', 21) }

/**
 * Undefined for what rules cannot look into. A length in characters may be four times as many bytes. Source: apiserver `pkg/cel/common/schemas.go`; `root` is for objects
 * with a name of their own.
 */
export function shapeOf(schema: Schema, root = schema['x-kubernetes-embedded-resource'] === true): Shape | undefined {
  const longest = schema.maxLength === undefined ? requestBytes - 2 : Math.max(schema.maxLength, 0) * 4
  if (schema['x-kubernetes-int-or-string'] === true) return text(longest, 'dyn', 1)
  if (schema.type === 'array') return listOf(schema)
  if (schema.type === 'object') return typeof schema.additionalProperties === 'object' ? mapOf(schema, schema.additionalProperties) : objectOf(schema, root)
  if (schema.type !== 'string') return simple[schema.type ?? '']
  const { format = '', enum: values } = schema
  if (Object.hasOwn(bySize, format)) return bySize[format]
  if (format === 'byte') return text(schema.maxLength === undefined ? requestBytes - 2 : Math.max(schema.maxLength, 0), 'bytes')
  return text(schema.maxLength === undefined && values !== undefined && values.length > 0 ? Math.max(...values.map((value) => (typeof value === 'string' ? value.length : 0))) : longest)
}

function listOf(schema: Schema): Shape | undefined {
  const item = schema.items === undefined ? undefined : shapeOf(schema.items)
  if (item === undefined) return undefined
  return { kind: 'list', item, most: schema.maxItems ?? Math.floor((requestBytes - 2) / (item.fewestBytes + 1)), fewestBytes: 2 }
}

function mapOf(schema: Schema, values: Schema): Shape | undefined {
  const item = shapeOf(values)
  return item && { kind: 'map', item, most: schema.maxProperties ?? Math.floor((requestBytes - 2) / (item.fewestBytes + 6)), fewestBytes: 2 }
}

function objectOf(schema: Schema, root: boolean): Shape {
  const string: Schema = { type: 'string' }
  const own: Readonly<Record<string, Schema>> = root ? { kind: string, apiVersion: string, metadata: { type: 'object', properties: { name: string, generateName: string } } } : {}
  const fields = new Map<string, Shape>()
  let fewestBytes = 2
  for (const [name, field] of Object.entries({ ...schema.properties, ...own })) {
    const shape = shapeOf(field)
    if (shape === undefined) continue
    fields.set(celName(name), shape)
    if (schema.required?.includes(name) === true && field.default === undefined) fewestBytes += name.length + shape.fewestBytes + 4
  }
  return { kind: 'object', most: 0, fields, fewestBytes }
}

/** How often such a value may be in one request, where nothing says how often. */
export const mostTimes = ({ fewestBytes }: Shape): number => Math.floor(requestBytes / (fewestBytes + 1))
