import { expect, test } from 'vitest'
import type { Json, JsonObject } from '#lib/json.ts'
import type { KubernetesObject, Schema } from '#playground/contract.ts'
import { customResourceSchema } from '#playground/schema/custom-resource-schema.ts'
import { fieldManagement } from './field-management.ts'

const schemaOf = (labels: Schema): Schema => customResourceSchema({ type: 'object', properties: { spec: { type: 'object', properties: { labels, raw: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } } } } })
const granular: Schema = { type: 'object', additionalProperties: { type: 'string' } }
const atomic: Schema = { ...granular, 'x-kubernetes-map-type': 'atomic' }

function apply(live: KubernetesObject | undefined, manager: string, spec: JsonObject, labels: Schema, version = 'v1', versions: Record<string, Schema> = {}) {
  const schema = schemaOf(labels)
  const applied: KubernetesObject = { apiVersion: `example.dev/${version}`, kind: 'K', metadata: { name: 'k' }, spec }
  const time = '2026-01-01T00:00:00Z'
  const result = fieldManagement.apply({ live, applied, manager, force: false, time, schema, subresource: '', versions: { [`example.dev/${version}`]: schema, ...versions } })
  if (!('object' in result)) throw new Error('invalid' in result ? result.invalid : result.message)
  return result.object
}

const owners = (object: KubernetesObject) => Object.fromEntries(((object.metadata.managedFields ?? []) as JsonObject[]).map(({ manager, fieldsV1 }) => [manager, fieldsV1]))

test('a map that became atomic is owned whole by all who owned a part of it', () => {
  const one = apply(undefined, 'one', { labels: { a: '1' } }, granular)
  const two = apply(one, 'two', { labels: { b: '2' } }, granular)
  const three = apply(two, 'three', { raw: { x: 1 } }, atomic)
  expect(owners(three)).toEqual({ one: { 'f:spec': { 'f:labels': {} } }, two: { 'f:spec': { 'f:labels': {} } }, three: { 'f:spec': { 'f:raw': { 'f:x': {} } } } })
  expect(() => apply(three, 'one', { labels: { a: '9' } }, atomic)).toThrow('Apply failed with 1 conflict: conflict with "two": .spec.labels')
})

test('who wrote in a version that is served no more owns nothing after the next write', () => {
  const old = apply(undefined, 'one', { labels: { a: '1' } }, granular, 'v1beta1')
  const live = { ...old, apiVersion: 'example.dev/v1' }
  expect(owners(apply(live, 'two', { labels: { b: '2' } }, granular, 'v1', { 'example.dev/v1beta1': schemaOf(granular) }))).toHaveProperty('one')
  expect(Object.keys(owners(apply(live, 'two', { labels: { a: '2' } }, granular)))).toEqual(['two'])
})

test('managed fields that cannot be read end an apply, and are left out of an update', () => {
  const live = { ...apply(undefined, 'one', { labels: { a: '1' } }, granular) }
  live.metadata = { ...live.metadata, uid: 'u', managedFields: [{ manager: 'x', operation: 'Apply', apiVersion: 'example.dev/v1', fieldsType: 'FieldsV1', fieldsV1: { 'q:': {} } }] }
  expect(() => apply(live, 'one', {}, granular)).toThrow('failed to decode managed fields: unable to parse path element "q:"')
  const schema = schemaOf(granular)
  const next = { ...live, spec: { labels: { a: '2' } } }
  const updated = fieldManagement.update({ live, next, manager: 'm', time: '2026-01-01T00:00:00Z', schema, subresource: '', versions: {} })
  expect(updated.metadata).not.toHaveProperty('managedFields')
})

test('content that is deep is taken, within the depth that requests may have', () => {
  let raw: Json = 'x'
  for (let i = 0; i < 500; i++) raw = { n: raw }
  const object = apply(undefined, 'one', { raw }, granular)
  expect(apply(object, 'one', { raw }, granular)).toEqual(object)
})
