import { canonicalJson, type Json } from '#lib/json.ts'
import type { Cause } from '#playground/contract.ts'

/** The causes of a 422, in the words of apimachinery `util/validation/field/errors.go`. `<nil>` is how the server prints no field. */
export function required(field: string, detail = ''): Cause {
  return { reason: 'FieldValueRequired', message: withDetail('Required value', detail), field }
}

/** `value` undefined: the value is not shown (it is an object). */
export function invalidValue(field: string, value: Json | undefined, detail: string): Cause {
  const shown = value === undefined ? 'Invalid value' : `Invalid value: ${canonicalJson(value)}`
  return { reason: 'FieldValueInvalid', message: withDetail(shown, detail), field }
}

export function typeInvalid(field: string, value: Json, detail: string): Cause {
  return { reason: 'FieldValueTypeInvalid', message: withDetail(`Invalid value: ${canonicalJson(value)}`, detail), field }
}

export function notSupported(field: string, value: Json, supported: readonly Json[]): Cause {
  const values = supported.map((each) => canonicalJson(each)).join(', ')
  return { reason: 'FieldValueNotSupported', message: `Unsupported value: ${canonicalJson(value)}: supported values: ${values}`, field }
}

export function forbidden(field: string, detail: string): Cause {
  return { reason: 'FieldValueForbidden', message: withDetail('Forbidden', detail), field }
}

export function duplicate(field: string, value: Json | undefined): Cause {
  return { reason: 'FieldValueDuplicate', message: value === undefined ? 'Duplicate value' : `Duplicate value: ${canonicalJson(value)}`, field }
}

/** Of a value that the server prints in a form of its own. */
export function duplicateText(field: string, shown: string): Cause {
  return { reason: 'FieldValueDuplicate', message: `Duplicate value: ${shown}`, field }
}

/** Of a value that the server prints in a form of its own. */
export function invalidText(field: string, shown: string, detail: string): Cause {
  return { reason: 'FieldValueInvalid', message: withDetail(`Invalid value: ${shown}`, detail), field }
}

export function tooLong(field: string, most: number): Cause {
  return { reason: 'FieldValueTooLong', message: `Too long: may not be more than ${most} bytes`, field }
}

export function tooMany(field: string, count: number, most: number): Cause {
  return { reason: 'FieldValueTooMany', message: `Too many: ${count}: must have at most ${most} items`, field }
}

export const noField = '<nil>'

function withDetail(text: string, detail: string): string {
  return detail === '' ? text : `${text}: ${detail}`
}
