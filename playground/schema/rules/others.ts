import { equalJson, isObject, type Json, type JsonObject } from '#lib/json.ts'
import type { Cause, Schema } from '#playground/contract.ts'
import { duplicate, invalidValue, required } from '../causes.ts'
import { brokenRules, expensiveRules } from '../rule-definitions.ts'
import { labelNameProblems } from '#lib/object-names.ts'
import { listAt, missing, objectAt, oneOf, portNumber, protocols, textAt, type Rule } from './look.ts'

export const service: Rule = (object) => {
  const spec = objectAt(object, 'spec')
  const ports = listAt(spec, 'ports')
  const errors = oneOf(spec.type, 'spec.type', ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort'])
  if (spec.type === 'ExternalName') errors.push(...missing(spec, 'externalName', 'spec'))
  else if (ports.length === 0 && spec.clusterIP !== 'None') errors.push(required('spec.ports'))
  errors.push(...oneOf(spec.sessionAffinity, 'spec.sessionAffinity', ['ClientIP', 'None']))
  const names = new Set<string>()
  const taken = new Set<string>()
  for (const [i, port] of ports.entries()) {
    const field = `spec.ports[${i}]`
    const name = textAt(port, 'name')
    if (name === '' && ports.length > 1) errors.push(required(`${field}.name`))
    if (name !== '') errors.push(...labelNameProblems(name).map((problem) => invalidValue(`${field}.name`, name, problem)))
    if (name !== '' && names.has(name)) errors.push(duplicate(`${field}.name`, name))
    names.add(name)
    errors.push(...portNumber(port.port ?? 0, `${field}.port`), ...oneOf(port.protocol, `${field}.protocol`, protocols))
    if (typeof port.targetPort === 'number') errors.push(...portNumber(port.targetPort, `${field}.targetPort`))
    const key = `${String(port.port)}/${String(port.protocol ?? 'TCP')}`
    if (taken.has(key)) errors.push(duplicate(field, { port: port.port ?? 0, protocol: port.protocol ?? 'TCP' }))
    taken.add(key)
  }
  return errors
}

export const keys: Rule = (object) =>
  ['data', 'binaryData'].flatMap((name) =>
    Object.keys(objectAt(object, name)).flatMap((key) => {
      if (key.length > 0 && key.length <= 253 && key !== '.' && key !== '..' && /^[-._a-zA-Z0-9]+$/.test(key)) return []
      const problem =
        "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"
      return [invalidValue(`${name}[${key}]`, key, problem)]
    }),
  )

export const ingress: Rule = (object) => {
  const spec = objectAt(object, 'spec')
  const rules = listAt(spec, 'rules')
  if (rules.length === 0 && spec.defaultBackend === undefined) return [invalidValue('spec', undefined, 'either `defaultBackend` or `rules` must be specified')]
  const errors = isObject(spec.defaultBackend) ? backendErrors(spec.defaultBackend, 'spec.defaultBackend') : []
  for (const [i, rule] of rules.entries()) {
    for (const [j, path] of listAt(objectAt(rule, 'http'), 'paths').entries()) {
      const field = `spec.rules[${i}].http.paths[${j}]`
      const text = textAt(path, 'path')
      if (path.pathType === undefined) errors.push(required(`${field}.pathType`, 'pathType must be specified'))
      else errors.push(...oneOf(path.pathType, `${field}.pathType`, ['Exact', 'ImplementationSpecific', 'Prefix']))
      if (path.pathType !== 'ImplementationSpecific' && !text.startsWith('/')) errors.push(invalidValue(`${field}.path`, text, 'must be an absolute path'))
      errors.push(...backendErrors(objectAt(path, 'backend'), `${field}.backend`))
    }
  }
  return errors
}

function backendErrors(backend: JsonObject, field: string): Cause[] {
  if (isObject(backend.resource)) return []
  if (!isObject(backend.service)) return [required(`${field}`, 'port name or number is required')]
  const port = objectAt(backend.service, 'port')
  const errors = missing(backend.service, 'name', `${field}.service`)
  if (port.name !== undefined && port.number !== undefined) return [...errors, invalidValue(field, '', 'cannot set both port name & port number')]
  if (port.name === undefined && port.number === undefined) return [...errors, required(`${field}.service.port`, 'port name or number is required')]
  return port.number === undefined ? errors : [...errors, ...portNumber(port.number, `${field}.service.port.number`)]
}

export const definition: Rule = (object, live) => {
  const spec = objectAt(object, 'spec')
  const names = objectAt(spec, 'names')
  const versions = listAt(spec, 'versions')
  const name = textAt(objectAt(object, 'metadata'), 'name')
  const errors = [...missing(spec, 'group', 'spec'), ...missing(names, 'plural', 'spec.names'), ...missing(names, 'kind', 'spec.names')]
  if (spec.scope === undefined) errors.push(required('spec.scope'))
  errors.push(...oneOf(spec.scope, 'spec.scope', ['Cluster', 'Namespaced']))
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
