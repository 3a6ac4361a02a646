import { isObject, type Json, type JsonObject } from '#lib/json.ts'
import type { Cause } from '#playground/contract.ts'
import { invalidValue, notSupported, required } from '../causes.ts'

/** `live` is what stands there on an update. */
export type Rule = (object: JsonObject, live: JsonObject | undefined) => Cause[]

export function textAt(object: JsonObject, name: string): string {
  return typeof object[name] === 'string' ? object[name] : ''
}

export function missing(object: JsonObject, name: string, field: string, detail = ''): Cause[] {
  const value = object[name]
  const empty = value === undefined || value === null || value === '' || (Array.isArray(value) && value.length === 0)
  return empty ? [required(`${field}.${name}`, detail)] : []
}

export function notNegative(object: JsonObject, names: readonly string[], field: string): Cause[] {
  return names.flatMap((name) => {
    const value = object[name]
    return typeof value === 'number' && value < 0 ? [invalidValue(`${field}.${name}`, value, 'must be greater than or equal to 0')] : []
  })
}

export function oneOf(value: Json | undefined, field: string, supported: readonly string[]): Cause[] {
  return value === undefined || (supported as readonly Json[]).includes(value) ? [] : [notSupported(field, value, supported)]
}

export function portNumber(value: Json | undefined, field: string): Cause[] {
  if (typeof value !== 'number') return value === undefined ? [required(field)] : []
  return value >= 1 && value <= 65_535 ? [] : [invalidValue(field, value, 'must be between 1 and 65535, inclusive')]
}

export function objectAt(object: JsonObject, name: string): JsonObject {
  const value = object[name]
  return isObject(value) ? value : {}
}

export function listAt(object: JsonObject, name: string): JsonObject[] {
  const value = object[name]
  return Array.isArray(value) ? value.filter(isObject) : []
}

export const protocols = ['SCTP', 'TCP', 'UDP']
