import { describe, expect, test } from 'vitest'
import type { JsonObject } from '#lib/json.ts'
import type { KubernetesObject, Schema } from '#playground/contract.ts'
import { customResourceSchema } from './custom-resource-schema.ts'
import { normalMetadata } from './metadata.ts'
import { prune } from './pruning.ts'
import { withDefaults, withoutNulls } from './structural-defaults.ts'

const schema: Schema = {
  type: 'object',
  properties: {
    size: { type: 'integer', default: 1 },
    note: { type: 'string', nullable: true, default: 'none' },
    part: { type: 'object', default: {}, properties: { kind: { type: 'string', default: 'x' } } },
    deep: { type: 'object', properties: { kind: { type: 'string', default: 'y' } } },
    list: { type: 'array', items: { type: 'object', properties: { protocol: { type: 'string', default: 'TCP' } } } },
    map: { type: 'object', additionalProperties: { type: 'object', properties: { low: { type: 'integer', default: 0 } } } },
    plain: { type: 'string' },
  },
}

describe('defaults', () => {
  test('arrive at every depth of what is there, and not below what is absent', () => {
    expect(withDefaults({ list: [{}, { protocol: 'UDP' }], map: { a: {} } }, schema)).toEqual({
      size: 1,
      note: 'none',
      part: { kind: 'x' },
      list: [{ protocol: 'TCP' }, { protocol: 'UDP' }],
      map: { a: { low: 0 } },
    })
  })

  test('replace a null, unless null is a value', () => {
    expect(withDefaults({ size: null, note: null, part: {} }, schema)).toEqual({ size: 1, note: null, part: { kind: 'x' } })
  })

  test('are copies, and leave a whole object as it is', () => {
    const one = withDefaults({}, schema) as { part: JsonObject }
    const two = withDefaults({}, schema) as { part: JsonObject }
    expect(one.part).not.toBe(two.part)
    expect(withDefaults(one, schema)).toBe(one)
  })
})

test('nulls go from fields that may not be null, and stay elsewhere', () => {
  const free: Schema = { ...schema, properties: { ...schema.properties, raw: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } } }
  expect(withoutNulls({ plain: null, note: null, map: { a: null }, raw: { x: null }, list: [{ protocol: null }] }, free)).toEqual({ note: null, map: {}, raw: { x: null }, list: [{}] })
})

describe('pruning', () => {
  const whole = customResourceSchema({
    type: 'object',
    properties: {
      spec: { type: 'object', properties: { known: { type: 'string' }, items: { type: 'array', items: { type: 'object', properties: { name: { type: 'string' } } } } } },
      raw: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true, properties: { typed: { type: 'object', properties: { a: { type: 'string' } } } } },
      template: { type: 'object', 'x-kubernetes-embedded-resource': true, properties: { spec: { type: 'object' } } },
    },
  })

  test('names what it takes, metadata’s first', () => {
    const object = {
      apiVersion: 'v1',
      kind: 'K',
      zzz: 1,
      metadata: { name: 'a', bogus: 1, ownerReferences: [{ uid: 'u', more: 1 }] },
      spec: { known: 'x', aaa: {}, items: [{ name: 'n' }, { name: 'm', odd: 1 }] },
    } as unknown as KubernetesObject
    const { object: pruned, unknown } = prune(object, whole)
    expect(unknown).toEqual(['metadata.bogus', 'metadata.ownerReferences[0].more', 'spec.aaa', 'spec.items[1].odd', 'zzz'])
    expect(pruned).toEqual({ apiVersion: 'v1', kind: 'K', metadata: { name: 'a', ownerReferences: [{ uid: 'u' }] }, spec: { known: 'x', items: [{ name: 'n' }, { name: 'm' }] } })
  })

  test('keeps preserved sections but for what is declared in them, and the metadata of embedded resources', () => {
    const object = {
      apiVersion: 'v1',
      kind: 'K',
      metadata: {},
      raw: { any: { thing: 1 }, typed: { a: 'x', b: 1 } },
      template: { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'x', odd: 1 }, spec: {} },
    }
    const { object: pruned, unknown } = prune(object, whole)
    expect(unknown).toEqual(['raw.typed.b', 'template.metadata.odd'])
    expect(pruned.raw).toEqual({ any: { thing: 1 }, typed: { a: 'x' } })
  })

  test('takes names that are special in JavaScript as unknown, and no harm', () => {
    const object = JSON.parse('{"apiVersion":"v1","kind":"K","metadata":{"__proto__":{"polluted":true}},"spec":{"constructor":{},"__proto__":{"polluted":true}}}') as KubernetesObject
    const { object: pruned, unknown } = prune(object, whole)
    expect(unknown).toEqual(['metadata.__proto__', 'spec.__proto__', 'spec.constructor'])
    expect(pruned.spec).toEqual({})
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined()
  })
})

describe('metadata', () => {
  const normal = (metadata: object) => normalMetadata({ apiVersion: 'v1', kind: 'K', metadata } as KubernetesObject)

  test('loses nulls and what is empty; a null label is an empty one', () => {
    expect(normal({ name: 'a', labels: { x: null }, annotations: null, finalizers: [], generation: 0, namespace: '' })).toEqual({
      object: { apiVersion: 'v1', kind: 'K', metadata: { name: 'a', labels: { x: '' } } },
    })
  })

  test.each([
    [{ labels: { a: 5 } }, 'json: cannot unmarshal number into Go struct field ObjectMeta.metadata.labels of type string'],
    [{ name: 5 }, 'json: cannot unmarshal number into Go struct field ObjectMeta.metadata.name of type string'],
    [{ finalizers: 'x' }, 'json: cannot unmarshal string into Go struct field ObjectMeta.metadata.finalizers of type []string'],
  ])('of a wrong type is told as Go tells it: %j', (metadata, problem) => {
    expect(normal(metadata)).toEqual({ problem })
  })
})
