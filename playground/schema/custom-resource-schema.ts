import type { Schema } from '#playground/contract.ts'
import { objectMeta } from './object-meta.ts'

const completed = new WeakMap<Schema, Schema>()

/**
 * A definition's `openAPIV3Schema` with what it leaves unsaid: `apiVersion`, `kind` and the real `metadata`, at the root and in embedded
 * resources. The same schema gives the same result object, so caches by identity hold; a completed schema is its own completion.
 */
export function customResourceSchema(schema: Schema): Schema {
  if (schema.properties?.metadata === objectMeta) return schema
  let whole = completed.get(schema)
  if (whole === undefined) {
    const { default: _, ...root } = embedded(schema)
    whole = withTypeMeta(root)
    completed.set(schema, whole)
  }
  return whole
}

function withTypeMeta(schema: Schema): Schema {
  return { ...schema, properties: { ...schema.properties, apiVersion: { type: 'string' }, kind: { type: 'string' }, metadata: objectMeta } }
}

function embedded(schema: Schema): Schema {
  const copy: Schema = { ...schema }
  if (schema.properties !== undefined) {
    copy.properties = Object.fromEntries(Object.entries(schema.properties).map(([name, field]) => [name, resource(embedded(field))]))
  }
  if (schema.items !== undefined) copy.items = resource(embedded(schema.items))
  if (typeof schema.additionalProperties === 'object') copy.additionalProperties = resource(embedded(schema.additionalProperties))
  return copy
}

function resource(schema: Schema): Schema {
  return schema['x-kubernetes-embedded-resource'] === true ? withTypeMeta(schema) : schema
}
