import { canonicalJson, isObject, type JsonObject } from '#lib/json.ts'
import type { KubernetesObject, Schema } from '#playground/contract.ts'
import { compare } from './compare.ts'
import { FieldSet } from './field-set.ts'
import { typedErrors } from './typed-errors.ts'
import { toFieldSet } from './to-field-set.ts'

const annotation = 'kubectl.kubernetes.io/last-applied-configuration'

function lastApplied(object: KubernetesObject): string | undefined {
  const annotations = object.metadata?.annotations
  const text = isObject(annotations) ? annotations[annotation] : undefined
  return typeof text === 'string' && text !== '' ? text : undefined
}

/**
 * What kubectl applied from the client's side and nobody changed since: server-side apply by the manager `kubectl` may take it without force.
 * Source: apimachinery `managedfields/internal/lastappliedmanager.go`.
 */
export function lastAppliedFields(live: KubernetesObject, schema: Schema): FieldSet {
  const text = lastApplied(live)
  if (text === undefined) return new FieldSet()
  let applied: unknown
  try {
    applied = JSON.parse(text)
  } catch {
    return new FieldSet()
  }
  if (!isObject(applied) || applied.apiVersion !== live.apiVersion || typedErrors(applied, schema, 'refused') !== undefined) return new FieldSet()
  const { added, modified, removed } = compare(applied, live, schema)
  return toFieldSet(applied, schema).difference(modified).difference(added).difference(removed)
}

/** Server-side apply by `kubectl` keeps the annotation of client-side apply up to date where it is there, so that one may go back. */
export function withLastApplied(object: KubernetesObject, applied: KubernetesObject): KubernetesObject {
  if (lastApplied(object) === undefined) return object
  const { managedFields: _, ...metadata } = applied.metadata ?? {}
  if (isObject(metadata.annotations)) {
    const { [annotation]: __, ...others } = metadata.annotations
    if (Object.keys(others).length > 0) metadata.annotations = others
    else delete metadata.annotations
  }
  const text = `${sortedText({ ...applied, metadata })}\n`
  return { ...object, metadata: { ...object.metadata, annotations: { ...(object.metadata.annotations as JsonObject), [annotation]: text } } }
}

/** As Go writes JSON: keys sorted, and what could end a script element in HTML escaped. */
function sortedText(value: unknown): string {
  return canonicalJson(value).replace(/[<>&]/g, (character) => `\\u00${character.charCodeAt(0).toString(16)}`)
}
