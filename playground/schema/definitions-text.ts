import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import * as models from '@kubernetes/client-node'
import type { JsonObject } from '#lib/json.ts'
import type { Schema } from '#playground/contract.ts'
import { alwaysWritten, leftOutWhenEmpty, pointers, timesOrNull } from './go-fields.ts'
import { emptyOf } from './go-values.ts'
import { atomicMaps, keyDefaults, listKeys, patchKeys, quantities, sets, structs } from './merge-rules.ts'

type Attribute = { readonly name: string; readonly baseName: string; readonly type: string; readonly format: string }

/** Kinds by version; a kind's model is `V1<Kind>` unless it says otherwise after a colon. */
const kinds: Readonly<Record<string, string>> = {
  v1: 'ConfigMap Endpoints Event:CoreV1Event LimitRange Namespace Node PersistentVolume PersistentVolumeClaim Pod ResourceQuota Secret Service ServiceAccount',
  'admissionregistration.k8s.io/v1': 'MutatingWebhookConfiguration ValidatingAdmissionPolicy ValidatingAdmissionPolicyBinding ValidatingWebhookConfiguration',
  'apiextensions.k8s.io/v1': 'CustomResourceDefinition',
  'apps/v1': 'ControllerRevision DaemonSet Deployment ReplicaSet StatefulSet',
  'autoscaling/v1': 'HorizontalPodAutoscaler',
  'autoscaling/v2': 'HorizontalPodAutoscaler:V2HorizontalPodAutoscaler',
  'batch/v1': 'CronJob Job',
  'coordination.k8s.io/v1': 'Lease',
  'discovery.k8s.io/v1': 'EndpointSlice',
  'events.k8s.io/v1': 'Event:EventsV1Event',
  'networking.k8s.io/v1': 'Ingress IngressClass NetworkPolicy',
  'policy/v1': 'PodDisruptionBudget',
  'rbac.authorization.k8s.io/v1': 'ClusterRole ClusterRoleBinding Role RoleBinding',
  'scheduling.k8s.io/v1': 'PriorityClass',
  'storage.k8s.io/v1': 'StorageClass',
}

const anything: JsonObject = { 'x-kubernetes-preserve-unknown-fields': true }
const quantity: JsonObject = { 'x-kubernetes-int-or-string': true, format: 'quantity' }

/** Models that are no plain objects of their fields. `ObjectMeta` is ours, the same for every kind; a schema in a definition is taken as it is. */
const special: Readonly<Record<string, JsonObject>> = {
  V1ObjectMeta: { $ref: 'ObjectMeta' },
  V1JSONSchemaProps: { type: 'object', ...anything },
  V1MicroTime: { type: 'string', format: 'date-time' },
  Date: { type: 'string', format: 'date-time' },
  IntOrString: { 'x-kubernetes-int-or-string': true },
  any: anything,
  object: { type: 'object', ...anything },
  string: { type: 'string' },
  boolean: { type: 'boolean' },
}

type Definitions = Record<string, JsonObject>

function define(model: string, definitions: Definitions): void {
  if (definitions[model] !== undefined) return
  const definition: JsonObject = (definitions[model] = { type: 'object' })
  const attributes = attributesOf(model)
  const optional = optionalOf(model)
  const needed = attributes.filter(({ name }) => !optional.has(name)).map(({ baseName }) => baseName)
  if (needed.length > 0) definition.required = needed.sort()
  if (atomicMaps.has(model)) definition['x-kubernetes-map-type'] = 'atomic'
  definition.properties = Object.fromEntries(attributes.map((attribute) => [attribute.baseName, fieldOf(model, attribute, !optional.has(attribute.name), definitions)]))
}

function attributesOf(model: string): Attribute[] {
  const type = (models as unknown as Record<string, { getAttributeTypeMap(): Attribute[] } | undefined>)[model]
  if (type === undefined) throw new Error(`@kubernetes/client-node has no ${model}`)
  return [...type.getAttributeTypeMap()].sort((a, b) => (a.baseName < b.baseName ? -1 : 1))
}

/** What the type declaration marks with a question mark. */
function optionalOf(model: string): Set<string> {
  const path = import.meta.resolve('@kubernetes/client-node').replace(/index\.js$/, `gen/models/${model}.d.ts`)
  const text = readFileSync(fileURLToPath(path), 'utf8')
  return new Set([...text.matchAll(/^ {4}'([^']+)'\?:/gm)].map((match) => match[1] as string))
}

function fieldOf(model: string, { baseName, type, format }: Attribute, required: boolean, definitions: Definitions): JsonObject {
  const id = `${model}.${baseName}`
  const field = typeOf(type, format, quantities.has(id), definitions)
  const keys = listKeys[id]
  if (keys !== undefined) Object.assign(field, { 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': [...keys] })
  else if (sets.has(id)) field['x-kubernetes-list-type'] = 'set'
  const patchKey = patchKeys[id]
  if (patchKey === '') field['x-kubernetes-patch-strategy'] = 'replace'
  else if (patchKey !== undefined) field['x-kubernetes-patch-merge-key'] = patchKey
  if (atomicMaps.has(id)) field['x-kubernetes-map-type'] = 'atomic'
  return { ...field, ...emptyInGo(model, baseName, required, field) }
}

/** What Go makes of the field when nothing, or something empty, was said: `default` where it is written all the same. */
function emptyInGo(model: string, name: string, required: boolean, field: JsonObject): JsonObject {
  const isIn = (table: Readonly<Record<string, string>>): boolean => table[model]?.split(' ').includes(name) === true
  if (isIn(structs)) return { default: {} }
  if (isIn(timesOrNull)) return { default: null }
  if (isIn(alwaysWritten) || (required && !isIn(leftOutWhenEmpty))) return { default: isIn(pointers) || '$ref' in field ? null : emptyOf(field as Schema) }
  const standard = keyDefaults[`${model}.${name}`]
  const isValue = !isIn(pointers) && ['string', 'integer', 'number', 'boolean', 'array'].includes(String(field.type)) && field.format !== 'date-time'
  return { ...(standard === undefined ? {} : { default: standard }), ...(isValue || field.additionalProperties !== undefined ? { 'x-go-omitempty': true } : {}) }
}

function typeOf(type: string, format: string, isQuantity: boolean, definitions: Definitions): JsonObject {
  const list = /^Array<(.+)>$/.exec(type)
  if (list !== null) return { type: 'array', items: typeOf(list[1] as string, format, isQuantity, definitions) }
  const map = /^\{ \[key: string\]: (.+); \}$/.exec(type)
  if (map !== null) return { type: 'object', additionalProperties: typeOf(map[1] as string, format, isQuantity, definitions) }
  if (type === 'string' && isQuantity) return { ...quantity }
  if (type === 'string' && format === 'byte') return { type: 'string', format }
  if (type === 'number') return format === 'double' ? { type: 'number', format } : { type: 'integer', format: format === '' ? 'int64' : format }
  if (special[type] !== undefined) return { ...special[type] }
  define(type, definitions)
  return { $ref: type }
}

/**
 * The text of `definitions.json`: the schemas of the built-in kinds, from the models of the npm package @kubernetes/client-node (Apache-2.0), whose
 * fields and types are those of Kubernetes' OpenAPI document, and `merge-rules.ts`. The same input gives the same bytes.
 */
export function definitionsText(): string {
  const definitions: Definitions = {}
  const roots: JsonObject = {}
  for (const [apiVersion, names] of Object.entries(kinds)) {
    for (const name of names.split(' ')) {
      const [kind, model = `V1${kind}`] = name.split(':') as [string, string?]
      define(model, definitions)
      roots[`${apiVersion}/${kind}`] = model
    }
  }
  const sorted = Object.keys(definitions).sort()
  const lines = sorted.map((name) => `  ${JSON.stringify(name)}: ${JSON.stringify(definitions[name])}`)
  return `{\n"kinds": ${JSON.stringify(roots)},\n"definitions": {\n${lines.join(',\n')}\n}\n}\n`
}
