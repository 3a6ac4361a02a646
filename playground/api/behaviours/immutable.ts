import { canonicalJson, equalJson, type Json } from '#lib/json.ts'
import type { Cause, KubernetesObject } from '#playground/contract.ts'
import { valueAt } from '../paths.ts'

/** `field is immutable` for each path whose value differs from the live one. */
export function unchangeable(object: KubernetesObject, live: KubernetesObject | undefined, paths: readonly string[]): Cause[] {
  if (live === undefined) return []
  return paths.flatMap((path) => {
    const [was, is] = [valueAt(live, path), valueAt(object, path)]
    return equalJson(was, is) ? [] : [immutable(path, is)]
  })
}

function immutable(field: string, value: Json | undefined): Cause {
  return { reason: 'FieldValueInvalid', message: `Invalid value: ${canonicalJson(value ?? null)}: field is immutable`, field }
}

export function forbiddenChange(field: string, why: string): Cause {
  return { reason: 'FieldValueForbidden', message: `Forbidden: ${why}`, field }
}

export function invalidValue(field: string, value: Json | undefined, why: string): Cause {
  return { reason: 'FieldValueInvalid', message: `Invalid value: ${canonicalJson(value ?? null)}: ${why}`, field }
}
