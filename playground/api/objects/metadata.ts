import { isObject, type Json } from '#lib/json.ts'
import type { Cause, KubernetesObject } from '#playground/contract.ts'
import type { Kind } from '../kinds.ts'

const subdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/
const label = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/
const dnsLabel1035 = /^[a-z]([-a-z0-9]*[a-z0-9])?$/
const qualifiedPart = /^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/

const subdomainMessage =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
const labelMessage =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
const label1035Message =
  "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')"
const qualifiedMessage =
  "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
const labelValueMessage =
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"

const annotationLimit = 256 * 1024

/** Kinds whose names are one DNS label; every other name is a subdomain. */
const labelNames = new Set(['/Namespace', 'apps/StatefulSet'])

/** What does not hold in the metadata that a client may write. */
export function metadataCauses(object: KubernetesObject, kind: Kind): Cause[] {
  const metadata = object.metadata
  return [
    ...nameCauses(metadata.name, metadata.generateName, kind),
    ...labelCauses(metadata.labels, 'metadata.labels'),
    ...annotationCauses(metadata.annotations),
    ...finalizerCauses(metadata.finalizers),
    ...ownerCauses(metadata.ownerReferences),
  ]
}

const bad = (field: string, value: Json, message: string): Cause => ({
  reason: 'FieldValueInvalid',
  message: `Invalid value: ${JSON.stringify(value)}: ${message}`,
  field,
})

function nameCauses(name: string | undefined, generateName: Json | undefined, kind: Kind): Cause[] {
  if (name === undefined || name === '') {
    if (typeof generateName === 'string' && generateName !== '') return []
    return [{ reason: 'FieldValueRequired', message: 'Required value: name or generateName is required', field: 'metadata.name' }]
  }
  if (kind.group === 'rbac.authorization.k8s.io') {
    return /^[^/%]+$/.test(name) && name !== '.' && name !== '..' ? [] : [bad('metadata.name', name, "may not contain '/' or '%'")]
  }
  const path = `${kind.group}/${kind.kind}`
  if (path === '/Service') return dnsLabel1035.test(name) && name.length <= 63 ? [] : [bad('metadata.name', name, label1035Message)]
  if (labelNames.has(path)) return label.test(name) && name.length <= 63 ? [] : [bad('metadata.name', name, labelMessage)]
  const causes = subdomain.test(name) ? [] : [bad('metadata.name', name, subdomainMessage)]
  if (name.length > 253) causes.unshift(bad('metadata.name', name, 'must be no more than 253 characters'))
  return causes
}

function labelCauses(labels: Json | undefined, field: string): Cause[] {
  if (labels === undefined || labels === null) return []
  if (!isObject(labels)) return [bad(field, labels, 'must be a map')]
  return Object.entries(labels).flatMap(([key, value]) => {
    const causes = qualifiedNameProblems(key).map((problem) => bad(field, key, problem))
    if (typeof value !== 'string') return [...causes, bad(`${field}.${key}`, value, 'must be a string')]
    if (value.length > 63) causes.push(bad(field, value, 'must be no more than 63 characters'))
    if (value !== '' && !qualifiedPart.test(value)) causes.push(bad(field, value, labelValueMessage))
    return causes
  })
}

function qualifiedNameProblems(key: string): string[] {
  const parts = key.split('/')
  if (parts.length > 2) return [`a qualified name must consist of alphanumeric characters, '-', '_' or '.', with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`]
  const name = parts.at(-1) ?? ''
  const problems: string[] = []
  if (parts.length === 2) {
    const prefix = parts[0] ?? ''
    if (prefix === '') problems.push('prefix part must be non-empty')
    else if (!subdomain.test(prefix)) problems.push(`prefix part ${subdomainMessage}`)
  }
  if (name === '') problems.push('name part must be non-empty')
  else if (name.length > 63) problems.push('name part must be no more than 63 characters')
  if (!qualifiedPart.test(name)) problems.push(qualifiedMessage)
  return problems
}

function annotationCauses(annotations: Json | undefined): Cause[] {
  if (annotations === undefined || annotations === null) return []
  if (!isObject(annotations)) return [bad('metadata.annotations', annotations, 'must be a map')]
  let size = 0
  const causes: Cause[] = []
  for (const [key, value] of Object.entries(annotations)) {
    causes.push(...qualifiedNameProblems(key.toLowerCase()).map((problem) => bad('metadata.annotations', key, problem)))
    if (typeof value !== 'string') causes.push(bad(`metadata.annotations.${key}`, value, 'must be a string'))
    size += Buffer.byteLength(key) + Buffer.byteLength(String(value))
  }
  if (size > annotationLimit) {
    causes.push({ reason: 'FieldValueTooLong', message: `Too long: may not be more than ${annotationLimit} bytes`, field: 'metadata.annotations' })
  }
  return causes
}

function finalizerCauses(finalizers: Json | undefined): Cause[] {
  if (finalizers === undefined || finalizers === null) return []
  if (!Array.isArray(finalizers)) return [bad('metadata.finalizers', finalizers, 'must be a list')]
  return finalizers.flatMap((finalizer) => {
    if (typeof finalizer !== 'string') return [bad('metadata.finalizers', finalizer, 'must be a string')]
    return qualifiedNameProblems(finalizer).map((problem) => bad('metadata.finalizers', finalizer, problem))
  })
}

function ownerCauses(references: Json | undefined): Cause[] {
  if (references === undefined || references === null) return []
  if (!Array.isArray(references)) return [bad('metadata.ownerReferences', references, 'must be a list')]
  const causes = references.flatMap((reference): Cause[] => {
    if (!isObject(reference)) return [bad('metadata.ownerReferences', reference, 'must be an object')]
    return ['apiVersion', 'kind', 'name', 'uid']
      .filter((name) => typeof reference[name] !== 'string' || reference[name] === '')
      .map((name) => bad(`metadata.ownerReferences.${name}`, reference[name] ?? '', name === 'apiVersion' ? 'version must not be empty' : 'must not be empty'))
  })
  const controllers = references.filter((reference) => isObject(reference) && reference.controller === true)
  if (controllers.length > 1) {
    causes.push(bad('metadata.ownerReferences', references, 'Only one reference can have Controller set to true'))
  }
  return causes
}
