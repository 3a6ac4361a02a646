import type { Schema } from '#playground/contract.ts'

const text: Schema = { type: 'string' }
const optional = { 'x-go-omitempty': true } as const
const optionalText: Schema = { ...text, ...optional }
const texts: Schema = { type: 'object', additionalProperties: { type: 'string', default: '' }, ...optional }
const time: Schema = { type: 'string', format: 'date-time' }

const ownerReference: Schema = {
  type: 'object',
  'x-kubernetes-map-type': 'atomic',
  required: ['apiVersion', 'kind', 'name', 'uid'],
  properties: { apiVersion: text, kind: text, name: text, uid: text, controller: { type: 'boolean' }, blockOwnerDeletion: { type: 'boolean' } },
}

const managedFieldsEntry: Schema = {
  type: 'object',
  properties: {
    apiVersion: optionalText,
    fieldsType: optionalText,
    fieldsV1: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
    manager: optionalText,
    operation: optionalText,
    subresource: optionalText,
    time,
  },
}

/** `metadata` of every kind, as `io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta` publishes it. */
export const objectMeta: Schema = {
  type: 'object',
  properties: {
    annotations: texts,
    creationTimestamp: time,
    deletionGracePeriodSeconds: { type: 'integer', format: 'int64' },
    deletionTimestamp: time,
    finalizers: { type: 'array', items: text, 'x-kubernetes-list-type': 'set', ...optional },
    generateName: optionalText,
    generation: { type: 'integer', format: 'int64', ...optional },
    labels: texts,
    managedFields: { type: 'array', items: managedFieldsEntry, 'x-kubernetes-list-type': 'atomic', ...optional },
    name: optionalText,
    namespace: optionalText,
    ownerReferences: { type: 'array', items: ownerReference, 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['uid'], ...optional },
    resourceVersion: optionalText,
    selfLink: optionalText,
    uid: optionalText,
  },
}
