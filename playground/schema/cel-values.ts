import { isObject, type Json } from '#lib/json.ts'
import type { Schema } from '#playground/contract.ts'

const reserved = new Set(
  'true false null in as break const continue else for function if import let loop package namespace return var void while'.split(' '),
)

/** How a rule names a field whose name is no identifier of CEL: `__dash__` and so on. Source: the documentation of `x-kubernetes-validations`. */
export function celName(name: string): string {
  if (reserved.has(name)) return `__${name}__`
  return name.replaceAll('__', '__underscores__').replaceAll('.', '__dot__').replaceAll('-', '__dash__').replaceAll('/', '__slash__')
}

/** A value as CEL sees it through its schema: integers are BigInt, dates are timestamps, declared fields have their CEL names. */
export function celValue(value: Json, schema: Schema | undefined): unknown {
  if (typeof value === 'number') return schema?.type !== 'number' && Number.isInteger(value) ? BigInt(value) : value
  if (typeof value === 'string') return schema?.format === 'date-time' || schema?.format === 'date' ? new Date(value) : value
  if (Array.isArray(value)) return value.map((item) => celValue(item, schema?.items))
  if (!isObject(value)) return value
  const { properties = {}, additionalProperties } = schema ?? {}
  return Object.fromEntries(
    Object.entries(value).map(([name, field]) => {
      if (Object.hasOwn(properties, name)) return [celName(name), celValue(field, properties[name])]
      return [name, celValue(field, typeof additionalProperties === 'object' ? additionalProperties : undefined)]
    }),
  )
}
