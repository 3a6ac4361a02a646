import { isObject, type Json } from '#lib/json.ts'
import type { KubernetesObject, Schema } from '#playground/contract.ts'
import { throughGo } from './go-values.ts'
import { objectMeta } from './object-meta.ts'

/**
 * `metadata` as it is after the server read it into its own type: nulls and empty values are gone, a null label is an empty one.
 * `problem` says what cannot be read, in the words of the server's JSON decoder. Unknown fields are `prune`'s.
 */
export function normalMetadata(object: KubernetesObject): { readonly object: KubernetesObject } | { readonly problem: string } {
  const metadata: Json | undefined = object.metadata
  if (metadata === undefined || metadata === null) return { object: { ...object, metadata: {} } }
  const problem = decodeProblem(metadata, objectMeta, ['metadata'], 'ObjectMeta')
  if (problem !== undefined) return { problem }
  const normal = throughGo(metadata, objectMeta) as KubernetesObject['metadata']
  return { object: normal === metadata ? object : { ...object, metadata: normal } }
}

/**
 * What keeps a value from being decoded into the Go type of its schema: `json: cannot unmarshal number into Go struct field
 * ObjectMeta.metadata.labels of type string`. For built-in kinds and metadata, whose wrong types are a 400 and no 422.
 * `owner` is the name of the type that holds the field.
 */
export function decodeProblem(value: Json, schema: Schema, path: readonly string[], owner: string, typeName: (schema: Schema) => string | undefined = () => undefined): string | undefined {
  if (value === null || schema['x-kubernetes-preserve-unknown-fields'] === true) return undefined
  const wanted = goTypeOf(schema)
  if (wanted === undefined) return undefined
  const got = jsonTypeOf(value)
  const fits = schema['x-kubernetes-int-or-string'] === true ? got === 'string' || got === 'number' : got === fitting[schema.type ?? 'object']
  const named = typeName(schema)
  if (!fits) return `json: cannot unmarshal ${got} into Go struct field ${owner}.${path.join('.')} of type ${named === undefined ? wanted : `v1.${named}`}`
  if (schema.type === 'integer' && !Number.isInteger(value)) {
    return `json: cannot unmarshal number ${String(value)} into Go struct field ${owner}.${path.join('.')} of type ${wanted}`
  }
  if (schema.format === 'byte') return base64Problem(value as string)
  if (Array.isArray(value)) {
    const { items } = schema
    return items === undefined ? undefined : firstOf(value.map((item) => () => decodeProblem(item, items, path, owner, typeName)))
  }
  if (!isObject(value)) return undefined
  const { properties = {}, additionalProperties } = schema
  return firstOf(
    Object.entries(value).map(([name, field]) => () => {
      if (Object.hasOwn(properties, name)) return decodeProblem(field, properties[name] as Schema, [...path, name], typeName(schema) ?? owner, typeName)
      return typeof additionalProperties === 'object' ? decodeProblem(field, additionalProperties, path, owner, typeName) : undefined
    }),
  )
}

function base64Problem(text: string): string | undefined {
  const bad = /[^A-Za-z0-9+/=\r\n]/.exec(text)
  if (bad !== null) return `illegal base64 data at input byte ${bad.index}`
  const length = text.replace(/[\r\n]/g, '').length
  return length % 4 === 0 ? undefined : `illegal base64 data at input byte ${length - (length % 4)}`
}

function firstOf(looks: readonly (() => string | undefined)[]): string | undefined {
  for (const look of looks) {
    const problem = look()
    if (problem !== undefined) return problem
  }
  return undefined
}

const fitting: Record<string, string> = { object: 'object', array: 'array', string: 'string', integer: 'number', number: 'number', boolean: 'bool' }

function jsonTypeOf(value: Json): string {
  return Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : typeof value
}

function goTypeOf(schema: Schema): string | undefined {
  if (schema['x-kubernetes-int-or-string'] === true) return 'intstr.IntOrString'
  switch (schema.type) {
    case 'string':
      return schema.format === 'date-time' ? 'v1.Time' : 'string'
    case 'integer':
      return schema.format ?? 'int64'
    case 'number':
      return 'float64'
    case 'boolean':
      return 'bool'
    case 'array':
      return `[]${schema.items === undefined ? 'interface {}' : (goTypeOf(schema.items) ?? 'struct')}`
    case 'object':
      return typeof schema.additionalProperties === 'object' ? `map[string]${goTypeOf(schema.additionalProperties) ?? 'struct'}` : 'struct'
    default:
      return undefined
  }
}
