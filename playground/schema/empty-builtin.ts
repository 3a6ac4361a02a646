import type { Json, JsonObject } from '#lib/json.ts'
import type { KubernetesObject, Schema } from '#playground/contract.ts'
import { builtinSchemas } from './builtin-schemas.ts'

/**
 * A built-in kind's Go value with nothing in it, as JSON: its structs are there, its required lists are null. It is what a new object is compared
 * with to tell what its creator owns (`empty` of field management).
 */
export function emptyBuiltin(apiVersion: string, kind: string): KubernetesObject {
  const schema = builtinSchemas.schemaOf(apiVersion, kind)
  return { ...(schema === undefined ? {} : zero(schema)), apiVersion, kind, metadata: {} } as KubernetesObject
}

function zero(schema: Schema): JsonObject {
  const fields: [string, Json][] = []
  for (const [name, field] of Object.entries(schema.properties ?? {})) {
    if (field.type === 'object' && field.default !== undefined) fields.push([name, zero(field)])
    else if (field.type === 'array' && schema.required?.includes(name) === true) fields.push([name, null])
  }
  return Object.fromEntries(fields)
}
