import type { Schema } from '#playground/contract.ts'

type Names = { readonly kind: string; readonly plural: string; readonly singular: string; readonly shortNames?: readonly string[]; readonly categories?: readonly string[] }
type Column = { readonly name: string; readonly type: string; readonly jsonPath: string }

/** A namespaced definition with one version and a status subresource. */
export function definitionOf(group: string, version: string, names: Names, columns: readonly Column[], spec: Schema, status: Schema): { metadata: { name: string }; spec: object } {
  const openAPIV3Schema: Schema = { type: 'object', required: ['spec'], properties: { apiVersion: text, kind: text, metadata: { type: 'object' }, spec, status } }
  const served = { name: version, served: true, storage: true, schema: { openAPIV3Schema }, subresources: { status: {} }, additionalPrinterColumns: columns }
  return { metadata: { name: `${names.plural}.${group}` }, spec: { group, scope: 'Namespaced', names: { ...names, listKind: `${names.kind}List` }, versions: [served] } }
}

export const text: Schema = { type: 'string' }
export const whole: Schema = { type: 'integer' }
export const flag: Schema = { type: 'boolean' }
/** What the operator takes and the playground does not look into. */
export const anything: Schema = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true }
export const texts: Schema = { type: 'array', items: text }
export const map = (of: Schema): Schema => ({ type: 'object', additionalProperties: of })
export const list = (of: Schema): Schema => ({ type: 'array', items: of })
export const object = (properties: Readonly<Record<string, Schema>>, required?: string[]): Schema => ({ type: 'object', properties: { ...properties }, ...(required === undefined ? {} : { required }) })

/** With `metav1.Condition`'s fields; other operators leave some of them out. */
export const conditions: Schema = list(object({ type: text, status: text, reason: text, message: text, lastTransitionTime: text, observedGeneration: whole }, ['type', 'status']))
