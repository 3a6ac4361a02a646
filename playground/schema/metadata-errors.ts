import { equalJson, isObject, type Json, type JsonObject } from '#lib/json.ts'
import type { Cause, KubernetesObject } from '#playground/contract.ts'
import { forbidden, invalidValue, required, tooLong } from './causes.ts'
import { labelKeyProblems, labelValueProblems, subdomainProblems } from '#lib/object-names.ts'

export type NameRule = (name: string) => string[]

/**
 * What of an object's metadata is against the rules. On update the server looks at most of it three times, at what may not change twice and at the
 * size of annotations once, and its causes say so; the message names each once.
 * Source: apimachinery `api/validation/objectmeta.go`.
 */
export function metadataErrors(object: KubernetesObject, live: KubernetesObject | undefined, rules: { readonly name?: NameRule | undefined; readonly namespaced?: boolean | undefined } = {}): Cause[] {
  const { metadata } = object
  const nameRule = rules.name ?? subdomainProblems
  const errors: Cause[] = []
  if (rules.namespaced === true && (metadata.namespace ?? '') === '') errors.push(required('metadata.namespace'))
  if (rules.namespaced === false && (metadata.namespace ?? '') !== '') errors.push(forbidden('metadata.namespace', 'not allowed on this type'))
  const { name = '', generateName } = metadata
  if (typeof generateName === 'string' && name === '') errors.push(...nameRule(generateName.replace(/-$/, 'a')).map((problem) => invalidValue('metadata.generateName', generateName, problem)))
  if (name === '') errors.push(required('metadata.name', 'name or generateName is required'))
  else errors.push(...nameRule(name).map((problem) => invalidValue('metadata.name', name, problem)))
  const free = [...labelErrors(metadata.labels, 'metadata.labels'), ...annotationErrors(metadata.annotations), ...finalizerErrors(metadata.finalizers), ...ownerErrors(metadata.ownerReferences)]
  errors.push(...annotationSizeErrors(metadata.annotations))
  if (live === undefined) return [...errors, ...free]
  const fixed = changed(metadata, live.metadata)
  return [...errors, ...free, ...free, ...free, ...fixed, ...fixed]
}

function changed(metadata: JsonObject, live: JsonObject): Cause[] {
  return ['name', 'namespace', 'uid', 'creationTimestamp', 'deletionTimestamp', 'deletionGracePeriodSeconds'].flatMap((name) => {
    const value = metadata[name]
    return value === undefined || live[name] === undefined || equalJson(value, live[name]) ? [] : [invalidValue(`metadata.${name}`, value, 'field is immutable')]
  })
}

export function labelErrors(labels: Json | undefined, field: string): Cause[] {
  if (!isObject(labels)) return []
  return Object.entries(labels).flatMap(([key, value]) => [
    ...labelKeyProblems(key).map((problem) => invalidValue(field, key, problem)),
    ...(typeof value === 'string' ? labelValueProblems(value).map((problem) => invalidValue(field, value, problem)) : []),
  ])
}

const annotationBytes = 256 * 1024

function annotationErrors(annotations: Json | undefined): Cause[] {
  if (!isObject(annotations)) return []
  return Object.keys(annotations).flatMap((key) => labelKeyProblems(key.toLowerCase()).map((problem) => invalidValue('metadata.annotations', key, problem)))
}

function annotationSizeErrors(annotations: Json | undefined): Cause[] {
  if (!isObject(annotations)) return []
  const bytes = Object.entries(annotations).reduce((sum, [key, value]) => sum + Buffer.byteLength(key) + Buffer.byteLength(String(value)), 0)
  return bytes > annotationBytes ? [tooLong('metadata.annotations', annotationBytes)] : []
}

function finalizerErrors(finalizers: Json | undefined): Cause[] {
  if (!Array.isArray(finalizers)) return []
  return finalizers.flatMap((finalizer) => labelKeyProblems(String(finalizer)).map((problem) => invalidValue('metadata.finalizers', finalizer, problem)))
}

function ownerErrors(owners: Json | undefined): Cause[] {
  if (!Array.isArray(owners)) return []
  const errors: Cause[] = []
  const controllers: string[] = []
  const field = 'metadata.ownerReferences'
  for (const owner of owners) {
    if (!isObject(owner)) continue
    if (typeof owner.apiVersion !== 'string' || owner.apiVersion === '') errors.push(invalidValue(`${field}.apiVersion`, owner.apiVersion ?? '', 'version must not be empty'))
    for (const name of ['kind', 'name', 'uid']) if (typeof owner[name] !== 'string' || owner[name] === '') errors.push(invalidValue(`${field}.${name}`, owner[name] ?? '', 'must not be empty'))
    if (owner.controller === true) controllers.push(`${String(owner.kind)}/${String(owner.name)}`)
    if (owner.kind === 'Event' && owner.apiVersion === 'v1') errors.push(invalidValue(field, undefined, 'is disallowed from being an owner'))
  }
  if (controllers.length > 1) {
    const text = JSON.stringify(owners, ['apiVersion', 'kind', 'name', 'uid', 'controller', 'blockOwnerDeletion'])
    const detail = `Only one reference can have Controller set to true. Found "true" in references for ${controllers[0]} and ${controllers[1]}`
    errors.push({ reason: 'FieldValueInvalid', message: `Invalid value: ${text}: ${detail}`, field: 'metadata.ownerReferences' })
  }
  return errors
}
