import { isObject, type Json, type JsonObject } from '#lib/json.ts'
import type { KubernetesObject, Schema } from '#playground/contract.ts'
import { customResourceSchema } from '#playground/schema/custom-resource-schema.ts'
import type { Column } from './columns/column.ts'
import { age } from './columns/age.ts'
import { jsonPath } from './columns/json-path.ts'
import type { Kind } from './kinds.ts'

/** The kinds that a CustomResourceDefinition serves, one for each served version. */
export function kindsOf(definition: KubernetesObject): Kind[] {
  const spec = definition.spec
  if (!isObject(spec) || !isObject(spec.names) || !Array.isArray(spec.versions)) return []
  const names = spec.names
  const group = String(spec.group)
  const versions = spec.versions.filter(isObject).filter((version) => version.served === true)
  const schemas = Object.fromEntries(versions.map((version) => [`${group}/${String(version.name)}`, customResourceSchema(givenSchema(version))]))
  const storage = spec.versions.filter(isObject).find((version) => version.storage === true) ?? versions[0]
  return versions.map((version): Kind => {
    const subresources = isObject(version.subresources) ? version.subresources : {}
    const scale = isObject(subresources.scale) ? subresources.scale : undefined
    const status = isObject(subresources.status)
    return {
      group,
      version: String(version.name),
      plural: String(names.plural),
      singular: typeof names.singular === 'string' ? names.singular : String(names.kind).toLowerCase(),
      kind: String(names.kind),
      listKind: typeof names.listKind === 'string' ? names.listKind : `${String(names.kind)}List`,
      namespaced: spec.scope === 'Namespaced',
      shortNames: strings(names.shortNames),
      categories: strings(names.categories),
      status,
      ...(scale === undefined
        ? {}
        : {
            scale: {
              specReplicas: String(scale.specReplicasPath),
              statusReplicas: String(scale.statusReplicasPath),
              ...(typeof scale.labelSelectorPath === 'string' ? { labelSelector: scale.labelSelectorPath } : {}),
            },
          }),
      others: [],
      selectable: (Array.isArray(version.selectableFields) ? version.selectableFields : [])
        .filter(isObject)
        .map((field) => String(field.jsonPath).replace(/^\./, '')),
      generation: status ? 'not-status' : 'not-metadata',
      createdByPut: false,
      versionedPut: true,
      custom: true,
      readOnly: false,
      storageVersion: String(storage?.name),
      ...(isObject(spec.conversion) && spec.conversion.strategy === 'Webhook' ? { converter: 'webhook' as const } : {}),
      versions: schemas,
      schema: schemas[`${group}/${String(version.name)}`] as Schema,
      given: givenSchema(version),
      columns: columnsOf(version),
      ...(version.deprecated === true ? { deprecation: deprecationOf(version, group, String(names.kind)) } : {}),
    }
  })
}

const openSchema: Schema = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true }

function givenSchema(version: JsonObject): Schema {
  const schema = isObject(version.schema) ? version.schema.openAPIV3Schema : undefined
  return isObject(schema) ? (schema as Schema) : openSchema
}

function deprecationOf(version: JsonObject, group: string, kind: string): string {
  return typeof version.deprecationWarning === 'string' ? version.deprecationWarning : `${group}/${String(version.name)} ${kind} is deprecated`
}

function columnsOf(version: JsonObject): Column[] {
  const declared = Array.isArray(version.additionalPrinterColumns) ? version.additionalPrinterColumns.filter(isObject) : []
  if (declared.length === 0) {
    return [{ name: 'Age', type: 'date', description: creationDescription, cell: (object, now) => age(object.metadata.creationTimestamp, now) }]
  }
  return declared.map((column): Column => {
    const path = String(column.jsonPath)
    const find = jsonPath(path)
    const type = String(column.type) as Column['type']
    return {
      name: String(column.name),
      type,
      ...(typeof column.format === 'string' ? { format: column.format } : {}),
      description:
        typeof column.description === 'string' && column.description !== ''
          ? column.description
          : `Custom resource definition column (in JSONPath format): ${path}`,
      priority: column.priority === 1 ? 1 : 0,
      cell: (object, now) => cellOf(find(object), type, now),
    }
  })
}

const creationDescription =
  'CreationTimestamp is a timestamp representing the server time when this object was created. It is not guaranteed to be set in happens-before order across separate operations. Clients may not set this value. It is represented in RFC3339 form and is in UTC.\n\nPopulated by the system. Read-only. Null for lists. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata'

function cellOf(found: Json[], type: Column['type'], now: number): Json {
  const [first] = found
  if (first === undefined || first === null) return null
  if (type === 'date') return age(first, now)
  if (type === 'integer') return typeof first === 'number' ? Math.trunc(first) : null
  if (type === 'number') return typeof first === 'number' ? first : null
  if (type === 'boolean') return typeof first === 'boolean' ? first : null
  return found.map((value) => (typeof value === 'string' ? value : JSON.stringify(value))).join(',')
}

function strings(value: Json | undefined): string[] {
  return Array.isArray(value) ? value.map(String) : []
}
