import { isObject, type Json, type JsonObject } from '#lib/json.ts'
import type { KubernetesObject, Schema } from '#playground/contract.ts'
import { builtinSchemas } from './builtin-schemas.ts'
import { throughGo } from './go-values.ts'
import { decodeProblem, normalMetadata } from './metadata.ts'
import { prune } from './pruning.ts'
import { canonicalQuantity, malformedQuantity } from './quantity.ts'
import { withDefaults } from './structural-defaults.ts'

export type DecodedBuiltin = { readonly object: KubernetesObject; readonly unknown: readonly string[] } | { readonly problem: string }

/**
 * Reads an object of a built-in kind as the server reads JSON into its Go types: fields of the wrong type are a 400 (`problem`, in the words of
 * Go's decoder), unknown ones are gone and named, a null is as if it had not been said, and quantities have their
 * canonical form (`1000m` is `1`). Structs that Go cannot leave out are there, if only as `{}`. Of a kind that is not built in, it throws.
 */
export function decodedBuiltin(object: KubernetesObject): DecodedBuiltin {
  const schema = builtinSchemas.schemaOf(object.apiVersion, object.kind)
  if (schema === undefined) throw new Error(`${object.apiVersion} ${object.kind} is not built in`)
  const { metadata, ...rest } = object
  const problem = decodeProblem(rest, schema, [], object.kind, (each) => builtinSchemas.typeName(each))
  if (problem !== undefined) return { problem }
  const bad = quantityProblem(rest, schema)
  if (bad !== undefined) return { problem: bad }
  const pruned = prune({ ...rest, ...(metadata === undefined ? {} : { metadata }) } as KubernetesObject, schema)
  const normal = normalMetadata(pruned.object)
  if ('problem' in normal) return normal
  const whole = withDefaults(withCanonicalQuantities(throughGo(normal.object, schema), schema), schema)
  return { object: whole as KubernetesObject, unknown: pruned.unknown }
}

function withCanonicalQuantities(value: Json, schema: Schema): Json {
  if (schema.format === 'quantity') return canonicalQuantity(value as string | number) ?? value
  if (Array.isArray(value)) {
    const { items } = schema
    if (items === undefined) return value
    const canonical = value.map((item) => withCanonicalQuantities(item, items))
    return canonical.some((item, i) => item !== value[i]) ? canonical : value
  }
  if (!isObject(value)) return value
  const canonical: JsonObject = {}
  let changed = false
  for (const [name, field] of Object.entries(value)) {
    const own = fieldOf(schema, name)
    const its = own === undefined ? field : withCanonicalQuantities(field, own)
    if (its !== field) changed = true
    Object.defineProperty(canonical, name, { value: its, enumerable: true, writable: true, configurable: true })
  }
  return changed ? canonical : value
}

function quantityProblem(value: Json, schema: Schema): string | undefined {
  if (value === null) return undefined
  if (schema.format === 'quantity') return canonicalQuantity(value as string | number) === undefined ? malformedQuantity : undefined
  const below = Array.isArray(value)
    ? value.map((item) => [item, schema.items] as const)
    : isObject(value)
      ? Object.entries(value).map(([name, field]) => [field, fieldOf(schema, name)] as const)
      : []
  for (const [each, own] of below) {
    const problem = own === undefined ? undefined : quantityProblem(each, own)
    if (problem !== undefined) return problem
  }
  return undefined
}

function fieldOf({ properties = {}, additionalProperties }: Schema, name: string): Schema | undefined {
  return Object.hasOwn(properties, name) ? properties[name] : typeof additionalProperties === 'object' ? additionalProperties : undefined
}
