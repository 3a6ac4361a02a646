import { isObject, type JsonObject } from '#lib/json.ts'
import type { Cause, KubernetesObject } from '#playground/contract.ts'
import { timeNow } from '../backend.ts'
import type { Behaviour } from './behaviours.ts'
import { invalidValue, unchangeable } from './immutable.ts'

/** Definitions are accepted and established at once: names cannot be taken here by anyone else. */
export const definition: Behaviour = {
  create: (object, _options, backend) => {
    complete(object)
    const time = timeNow(backend)
    const spec = isObject(object.spec) ? object.spec : {}
    object.status = {
      conditions: [
        { type: 'NamesAccepted', status: 'True', lastTransitionTime: time, reason: 'NoConflicts', message: 'no conflicts found' },
        { type: 'Established', status: 'True', lastTransitionTime: time, reason: 'InitialNamesAccepted', message: 'the initial names have been accepted' },
      ],
      acceptedNames: isObject(spec.names) ? spec.names : {},
      storedVersions: storageVersions(spec),
    }
  },
  update: complete,
  check: (object, live) => [...unchangeable(object, live, ['spec.scope', 'spec.group', 'spec.names.plural', 'spec.names.kind']), ...problems(object)],
}

function complete(object: KubernetesObject): void {
  const spec: JsonObject = isObject(object.spec) ? { ...object.spec } : {}
  const names: JsonObject = isObject(spec.names) ? { ...spec.names } : {}
  if (typeof names.kind === 'string') {
    names.singular ??= names.kind.toLowerCase()
    names.listKind ??= `${names.kind}List`
  }
  spec.names = names
  spec.conversion ??= { strategy: 'None' }
  object.spec = spec
}

function versionsOf(spec: JsonObject): JsonObject[] {
  return Array.isArray(spec.versions) ? spec.versions.filter(isObject) : []
}

function storageVersions(spec: JsonObject): string[] {
  return versionsOf(spec)
    .filter((version) => version.storage === true)
    .map((version) => String(version.name))
}

function problems(object: KubernetesObject): Cause[] {
  const spec = isObject(object.spec) ? object.spec : {}
  const names = isObject(spec.names) ? spec.names : {}
  const causes: Cause[] = []
  const required = (field: string, value: unknown): void => {
    if (typeof value !== 'string' || value === '') causes.push({ reason: 'FieldValueRequired', message: 'Required value', field })
  }
  required('spec.group', spec.group)
  required('spec.scope', spec.scope)
  required('spec.names.plural', names.plural)
  required('spec.names.kind', names.kind)
  const expected = `${String(names.plural)}.${String(spec.group)}`
  if (causes.length === 0 && object.metadata.name !== expected) {
    causes.push(invalidValue('metadata.name', object.metadata.name, `must be spec.names.plural+"."+spec.group`))
  }
  if (storageVersions(spec).length !== 1) {
    causes.push(invalidValue('spec.versions', versionsOf(spec).map((version) => version.name ?? null), 'must have exactly one version marked as storage version'))
  }
  for (const [index, version] of versionsOf(spec).entries()) {
    if (!isObject(version.schema) || !isObject(version.schema.openAPIV3Schema)) {
      causes.push({ reason: 'FieldValueRequired', message: 'Required value: schemas are required', field: `spec.versions[${index}].schema.openAPIV3Schema` })
    }
  }
  if (isObject(spec.conversion) && spec.conversion.strategy === 'Webhook') {
    causes.push({ reason: 'FieldValueNotSupported', message: 'Unsupported value: "Webhook": supported values: "None"', field: 'spec.conversion.strategy' })
  }
  return causes
}
