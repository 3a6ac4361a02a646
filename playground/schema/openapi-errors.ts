import { equalJson, isObject, type Json, type JsonObject } from '#lib/json.ts'
import type { Cause, Schema } from '#playground/contract.ts'
import { invalidValue, noField, notSupported, required, tooLong, tooMany, typeInvalid } from './causes.ts'
import { oldField, oldItems } from './correlation.ts'
import { hasFormat } from './string-format.ts'

/**
 * What of `value` is against its schema, in the words of kube-openapi's `validation/validate` as the server turns them into causes.
 * Where `old` is given, whatever is equal to what was there is let be (ratcheting).
 */
export function openApiErrors(value: Json, schema: Schema, path = '', old?: Json): Cause[] {
  const errors = errorsOf(value, schema, path, old)
  return errors.length > 0 && old !== undefined && equalJson(value, old) ? [] : errors
}

function errorsOf(value: Json, schema: Schema, path: string, old: Json | undefined): Cause[] {
  const wrongType = typeError(value, schema, path)
  if (wrongType !== undefined) return [wrongType, ...rangeErrors(value, schema, path)]
  if (value === null) return []
  const errors = [...enumErrors(value, schema, path), ...combinationErrors(value, schema, path)]
  if (typeof value === 'string') errors.push(...stringErrors(value, schema, path))
  else if (typeof value === 'number') errors.push(...numberErrors(value, schema, path))
  else if (Array.isArray(value)) errors.push(...listErrors(value, schema, path, old))
  else if (isObject(value)) errors.push(...objectErrors(value, schema, path, old))
  return errors
}

function typeError(value: Json, schema: Schema, path: string): Cause | undefined {
  const types = schema['x-kubernetes-int-or-string'] === true ? ['integer', 'string'] : schema.type === undefined ? [] : [schema.type]
  if (types.length === 0) return undefined
  if (value === null) return schema.nullable === true ? undefined : wrong(path, types.join(','), 'null')
  const got = jsonType(value)
  if (types.includes(got) || (got === 'integer' && types.includes('number'))) return undefined
  const { format } = schema
  if (format !== undefined && got !== 'string' && got !== 'array') return wrong(path, format, got === 'number' ? 'float64' : got === 'integer' ? 'int64' : '')
  return wrong(path, types.join(','), got)
}

function wrong(path: string, wanted: string, got: string): Cause {
  return typeInvalid(path, got, `${path} in body must be of type ${wanted}: ${JSON.stringify(got)}`)
}

function jsonType(value: Json): string {
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number'
  return Array.isArray(value) ? 'array' : typeof value
}

function enumErrors(value: Json, schema: Schema, path: string): Cause[] {
  if (schema.enum === undefined || schema.enum.some((each) => equalJson(each, value))) return []
  return [notSupported(path, value, schema.enum)]
}

/** The first that is violated is the only one that is told. */
function stringErrors(value: string, { maxLength, minLength, pattern, format }: Schema, path: string): Cause[] {
  const errors: Cause[] = []
  if (maxLength !== undefined && [...value].length > maxLength) errors.push(tooLong(path, maxLength))
  else if (minLength !== undefined && [...value].length < minLength) errors.push(invalidValue(path, value, `${path} in body should be at least ${minLength} chars long`))
  else if (pattern !== undefined && !matches(pattern, value)) errors.push(invalidValue(path, value, `${path} in body should match '${pattern}'`))
  if (format !== undefined && !hasFormat(value, format)) errors.push(typeInvalid(path, value, `${path} in body must be of type ${format}: ${JSON.stringify(value)}`))
  return errors
}

const patterns = new Map<string, RegExp | undefined>()

/** A pattern that JavaScript cannot read matches nothing, as an invalid one does in the server. */
function matches(pattern: string, value: string): boolean {
  if (!patterns.has(pattern)) {
    if (patterns.size > 1000) patterns.clear()
    patterns.set(pattern, compiled(pattern))
  }
  return patterns.get(pattern)?.test(value) ?? false
}

function compiled(pattern: string): RegExp | undefined {
  for (const flags of ['u', '']) {
    try {
      return new RegExp(pattern, flags)
    } catch {
      continue
    }
  }
  return undefined
}

const ranges: Record<string, readonly [number, number]> = { int32: [-(2 ** 31), 2 ** 31 - 1], int64: [-(2 ** 63), 2 ** 63] }

function rangeErrors(value: Json, { type, format }: Schema, path: string): Cause[] {
  const range = type === 'integer' && format !== undefined ? ranges[format] : undefined
  if (typeof value !== 'number' || range === undefined) return []
  if (Number.isInteger(value) && value >= range[0] && value <= range[1]) return []
  return [invalidValue(noField, '', `Checked value must be of type integer with format ${format} in ${path}`)]
}

function numberErrors(value: number, schema: Schema, path: string): Cause[] {
  const errors = rangeErrors(value, schema, path)
  const { multipleOf, minimum, maximum, exclusiveMinimum, exclusiveMaximum } = schema
  const say = (detail: string) => errors.push(invalidValue(path, value, `${path} in body should be ${detail}`))
  if (multipleOf !== undefined && !Number.isInteger(value / multipleOf)) say(`a multiple of ${multipleOf}`)
  if (maximum !== undefined && (exclusiveMaximum === true ? value >= maximum : value > maximum)) say(`less than ${exclusiveMaximum === true ? '' : 'or equal to '}${maximum}`)
  if (minimum !== undefined && (exclusiveMinimum === true ? value <= minimum : value < minimum)) say(`greater than ${exclusiveMinimum === true ? '' : 'or equal to '}${minimum}`)
  return errors
}

function listErrors(value: readonly Json[], schema: Schema, path: string, old: Json | undefined): Cause[] {
  const { items, maxItems, minItems, uniqueItems } = schema
  const before = oldItems(schema, value, old)
  const errors = items === undefined ? [] : value.flatMap((item, i) => openApiErrors(item, items, `${path}[${i}]`, before[i]))
  if (minItems !== undefined && value.length < minItems) errors.push(invalidValue(path, value.length, `${path} in body should have at least ${minItems} items`))
  if (maxItems !== undefined && value.length > maxItems) errors.push(tooMany(path, value.length, maxItems))
  if (uniqueItems === true && value.some((item, i) => value.slice(0, i).some((other) => equalJson(item, other)))) {
    errors.push(invalidValue(path, undefined, `${path} in body shouldn't contain duplicates`))
  }
  return errors
}

function objectErrors(value: JsonObject, schema: Schema, path: string, old: Json | undefined): Cause[] {
  const { properties = {}, additionalProperties, maxProperties, minProperties } = schema
  const errors: Cause[] = []
  const count = Object.keys(value).length
  if (minProperties !== undefined && count < minProperties) errors.push(invalidValue(path, count, `${path} in body should have at least ${minProperties} properties`))
  if (maxProperties !== undefined && count > maxProperties) errors.push(tooMany(path, count, maxProperties))
  for (const name of schema.required ?? []) if (!Object.hasOwn(value, name)) errors.push(required(join(path, name)))
  for (const [name, field] of Object.entries(value)) {
    const own = Object.hasOwn(properties, name) ? properties[name] : typeof additionalProperties === 'object' ? additionalProperties : undefined
    if (own !== undefined) errors.push(...openApiErrors(field, own, join(path, name), oldField(old, name)))
  }
  return errors
}

function combinationErrors(value: Json, schema: Schema, path: string): Cause[] {
  const { allOf = [], anyOf = [], oneOf = [], not } = schema
  const valid = (each: Schema) => openApiErrors(value, each, path).length === 0
  const say = (detail: string) => invalidValue(noField, '', `${JSON.stringify(path)} must ${detail}`)
  const errors = allOf.flatMap((each) => openApiErrors(value, each, path))
  if (errors.length > 0) errors.push(say('validate all the schemas (allOf)'))
  if (anyOf.length > 0 && !anyOf.some(valid)) errors.push(say('validate at least one schema (anyOf)'))
  const matching = oneOf.filter(valid).length
  if (oneOf.length > 0 && matching !== 1) errors.push(say(`validate one and only one schema (oneOf). Found ${matching === 0 ? 'none' : matching} valid`))
  if (not !== undefined && valid(not)) errors.push(say('not validate the schema (not)'))
  return errors
}

export function join(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`
}
