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

/** The number of a port of a container, or its name. */
export function portOrName(value: Json | undefined, field: string): Cause[] {
  return typeof value === 'string' ? portNameProblems(value).map((problem) => invalidValue(field, value, problem)) : portNumber(value, field)
}

/** Source: apimachinery `util/validation/validation.go`. */
export function portNameProblems(name: string): string[] {
  return [
    ...(name.length > 15 ? ['must be no more than 15 characters'] : []),
    ...(/^[-a-z0-9]+$/.test(name) ? [] : ['must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)']),
    ...(/[a-z]/.test(name) ? [] : ['must contain at least one letter (a-z)']),
    ...(name.includes('--') ? ['must not contain consecutive hyphens'] : []),
    ...(/^-|-$/.test(name) ? ['must not begin or end with a hyphen'] : []),
  ]
}

/** A count, or a share in percent. */
export function countOrShare(value: Json | undefined, field: string): Cause[] {
  if (typeof value === 'number') return value < 0 ? [invalidValue(field, value, 'must be greater than or equal to 0')] : []
  if (typeof value !== 'string' || /^[0-9]+%$/.test(value)) return []
  return [invalidValue(field, value, "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')")]
}

export function atMostAll(value: Json | undefined, field: string): Cause[] {
  return typeof value === 'string' && /^[0-9]+%$/.test(value) && Number.parseInt(value) > 100 ? [invalidValue(field, value, 'must not be greater than 100%')] : []
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
