import { equalJson, isObject, type Json, type JsonObject } from '#lib/json.ts'
import type { Cause, Schema } from '#playground/contract.ts'
import { invalidValue, required } from '../causes.ts'
import { brokenRules, expensiveRules } from '../rule-definitions.ts'
import { listAt, missing, objectAt, oneOf, textAt, type Rule } from './look.ts'

export const configMap: Rule = (object) => {
  const binary = objectAt(object, 'binaryData')
  const twice = Object.keys(objectAt(object, 'data')).filter((key) => Object.hasOwn(binary, key))
  return [...keyErrors(object, 'data'), ...twice.map((key) => invalidValue(`data[${key}]`, key, 'duplicate of key present in binaryData')), ...keyErrors(object, 'binaryData')]
}

/** The keys that a Secret of a known type must have. */
const secretKeys: Readonly<Record<string, readonly string[]>> = {
  'kubernetes.io/dockercfg': ['.dockercfg'],
  'kubernetes.io/dockerconfigjson': ['.dockerconfigjson'],
  'kubernetes.io/ssh-auth': ['ssh-privatekey'],
  'kubernetes.io/tls': ['tls.crt', 'tls.key'],
}

export const secret: Rule = (object) => {
  const data = objectAt(object, 'data')
  const lacking = (secretKeys[textAt(object, 'type')] ?? []).filter((key) => !Object.hasOwn(data, key))
  return [...keyErrors(object, 'data'), ...lacking.map((key) => required(`data[${key}]`))]
}

function keyErrors(object: JsonObject, name: string): Cause[] {
  return Object.keys(objectAt(object, name)).flatMap((key) => {
    if (key.length > 0 && key.length <= 253 && key !== '.' && key !== '..' && /^[-._a-zA-Z0-9]+$/.test(key)) return []
    const problem =
      "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"
    return [invalidValue(`${name}[${key}]`, key, problem)]
  })
}

export const definition: Rule = (object, live) => {
  const spec = objectAt(object, 'spec')
  const names = objectAt(spec, 'names')
  const versions = listAt(spec, 'versions')
  const name = textAt(objectAt(object, 'metadata'), 'name')
  const errors = [...missing(spec, 'group', 'spec'), ...missing(names, 'plural', 'spec.names'), ...missing(names, 'kind', 'spec.names')]
  errors.push(...(textAt(spec, 'scope') === '' ? missing(spec, 'scope', 'spec') : oneOf(spec.scope, 'spec.scope', ['Cluster', 'Namespaced'])))
  if (name !== `${textAt(names, 'plural')}.${textAt(spec, 'group')}`) errors.push(invalidValue('metadata.name', name, 'must be spec.names.plural+"."+spec.group'))
  const storage = versions.filter((version) => version.storage === true)
  if (storage.length !== 1) errors.push(invalidValue('spec.versions', versions, 'must have exactly one version marked as storage version'))
  const known = listAt(objectAt(live ?? {}, 'spec'), 'versions')
  for (const [i, version] of versions.entries()) {
    errors.push(...missing(version, 'name', `spec.versions[${i}]`))
    if (!isObject(objectAt(version, 'schema').openAPIV3Schema)) errors.push(required(`spec.versions[${i}].schema.openAPIV3Schema`, 'schemas are required'))
  }
  for (const { schema, path } of schemasOf(versions)) {
    errors.push(...structuralErrors(schema, path))
    // What was let in stays in, whatever is thought of its rules by now.
    if (!known.some((version) => equalJson(objectAt(version, 'schema').openAPIV3Schema ?? null, schema as Json))) errors.push(...brokenRules(schema, path), ...expensiveRules(schema, path))
  }
  return errors
}

/** A schema that all versions have is the definition's own to a real server, and told as that. */
function schemasOf(versions: readonly JsonObject[]): { schema: Schema; path: string }[] {
  const schemas = versions.map((version) => objectAt(version, 'schema').openAPIV3Schema)
  const [first] = schemas
  if (isObject(first) && schemas.every((schema) => equalJson(schema ?? null, first))) return [{ schema: first as Schema, path: 'spec.validation.openAPIV3Schema' }]
  return schemas.flatMap((schema, i) => (isObject(schema) ? [{ schema: schema as Schema, path: `spec.versions[${i}].schema.openAPIV3Schema` }] : []))
}

/** Every schema of a definition must say its type, or that it is free. */
function structuralErrors(schema: Schema, field: string): Cause[] {
  const errors: Cause[] = []
  const free = schema['x-kubernetes-preserve-unknown-fields'] === true || schema['x-kubernetes-int-or-string'] === true
  if (schema.type === undefined && !free) errors.push(required(`${field}.type`, 'must not be empty for specified object fields'))
  const keyNames = schema['x-kubernetes-list-map-keys']
  if (schema['x-kubernetes-list-type'] === 'map' && (keyNames === undefined || keyNames.length === 0)) {
    errors.push(required(`${field}.x-kubernetes-list-map-keys`, 'must not be empty if x-kubernetes-list-type is map'))
  }
  for (const [name, own] of Object.entries(schema.properties ?? {})) {
    if (field.endsWith('openAPIV3Schema') && ['apiVersion', 'kind', 'metadata'].includes(name)) continue
    errors.push(...structuralErrors(own, `${field}.properties[${name}]`))
  }
  if (schema.type === 'array' && schema.items === undefined) errors.push(required(`${field}.items`, 'must be specified'))
  if (schema.items !== undefined) errors.push(...structuralErrors(schema.items, `${field}.items`))
  if (typeof schema.additionalProperties === 'object') errors.push(...structuralErrors(schema.additionalProperties, `${field}.additionalProperties`))
  return errors
}
