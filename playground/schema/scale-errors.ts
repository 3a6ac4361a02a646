import { isObject, type Json } from '#lib/json.ts'
import type { Cause, KubernetesObject } from '#playground/contract.ts'
import { invalidValue } from './causes.ts'

/** What a custom resource's replicas must be for its scale subresource. `path` as `['spec', 'replicas']`. */
export function scaleErrors(object: KubernetesObject, path: readonly string[]): Cause[] {
  let value: Json | undefined = object
  for (const name of path) value = isObject(value) ? value[name] : undefined
  const field = `.${path.join('.')}`
  if (value === undefined) return []
  if (typeof value !== 'number' || !Number.isInteger(value)) {
    const shown = isObject(value) || Array.isArray(value) ? JSON.stringify(value) : value === null ? '<nil>' : String(value)
    return [invalidValue(field, 0, `${field} accessor error: ${shown} is of the type ${goType(value)}, expected int64`)]
  }
  if (value < 0) return [invalidValue(field, value, 'should be a non-negative integer')]
  return value > 2 ** 31 - 1 ? [invalidValue(field, value, `should be less than or equal to ${2 ** 31 - 1}`)] : []
}

function goType(value: Json): string {
  if (value === null) return '<nil>'
  if (Array.isArray(value)) return '[]interface {}'
  return { number: 'float64', string: 'string', boolean: 'bool' }[typeof value as 'number'] ?? 'map[string]interface {}'
}
