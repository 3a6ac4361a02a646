import type { Json } from '#lib/json.ts'
import { answeredOf, sameValue, type Present } from '#model/field-facts.ts'
import { isWithin, readPath } from '#model/field-path.ts'
import { declaredPaths, ownerName, ownershipOf } from '#model/field-set.ts'
import { listKeysOf } from '#model/list-keys.ts'
import type { FieldPath, Held } from '#model/plan.ts'
import { compareDeclared, isSecretField } from './compare.ts'

/** A declared field that another rightly has its way with: a controller that moves it, or what the API server made of our own apply. */
export type DelegatedField = { readonly path: FieldPath; readonly declared: Json; readonly live: Json; readonly to: string }

/** A field that was never declared. `owner`: the autoscaler that moves it, where nobody owns it; null where there is none either (a default, or what a webhook put in). */
export type EmergentField = { readonly path: FieldPath; readonly owner: string | null }

/** What is no drift of an object: on request alone. `rewriters`: what is known to change objects of its kind as they are written. */
export function standingFields(held: Pick<Held, 'key' | 'fields'>, live: Present, rewriters: readonly string[]): { delegated: DelegatedField[]; emergent: EmergentField[] } {
  const moved = compareDeclared(held, live).delegated
  const rewritten = held.fields
    .filter((field) => !sameValue(field.git, answeredOf(field)) && !moved.some(({ path }) => path === field.path) && !isSecretField(held.key, field.path))
    .map((field): DelegatedField => ({
      path: field.path,
      declared: field.git,
      live: readPath(live.body, field.path) ?? null,
      to: rewriters.length === 0 ? 'the API server, which writes it in another form' : `the API server, or ${rewriters.join(', ')}`,
    }))
  return { delegated: [...moved, ...rewritten].sort(byPath), emergent: emergentFields(held, live) }
}

function emergentFields(held: Pick<Held, 'fields'>, live: Present): EmergentField[] {
  const declared = held.fields.map(({ path }) => path)
  const ownership = ownershipOf(live)
  const isDeclared = (path: FieldPath): boolean => declared.some((one) => isWithin(path, one) || isWithin(one, path))
  const leaves = declaredPaths(live.body, listKeysOf(live.key, { body: live.body, owners: live.owners, declared })).filter((path) => !isDeclared(path))
  const fields = leaves.map((path): EmergentField => ({ path, owner: [...new Set(ownership.of(path).map(ownerName))].sort().join(', ') || (live.delegated.find((one) => isWithin(path, one.path))?.to ?? null) }))
  const status = [...new Set(live.owners.filter(({ subresource }) => subresource === 'status').map(({ manager }) => manager))].sort()
  return [...fields, ...(live.body['status'] === undefined ? [] : [{ path: 'status', owner: status.join(', ') || null }])].sort(byPath)
}

function byPath(a: { readonly path: FieldPath }, b: { readonly path: FieldPath }): number {
  return a.path < b.path ? -1 : 1
}
