import { describe, expect, test } from 'vitest'
import type { Json, JsonObject } from '#lib/json.ts'
import { builtinSchemas } from '#playground/schema/builtin-schemas.ts'
import { ApiError } from '../status.ts'
import { jsonPatch } from './json-patch.ts'
import { mergePatch } from './merge-patch.ts'
import { strategicMerge } from './strategic-merge.ts'

const schema = builtinSchemas.schemaOf('apps/v1', 'Deployment') ?? {}
const withContainers = (...containers: JsonObject[]): JsonObject => ({ spec: { template: { spec: { containers } } } })
const containersOf = (object: JsonObject): Json | undefined => (object.spec as { template: { spec: { containers: Json } } }).template.spec.containers

describe('strategic merge', () => {
  const live = withContainers({ name: 'a', image: 'a:1', ports: [{ containerPort: 80 }], env: [{ name: 'X', value: '1' }] }, { name: 'b', image: 'b:1' })

  test('containers and their lists are merged by their keys', () => {
    const patch = withContainers({ name: 'a', image: 'a:2', env: [{ name: 'Y', value: '2' }] })
    expect(containersOf(strategicMerge(live, patch, schema))).toEqual([
      { name: 'a', image: 'a:2', ports: [{ containerPort: 80 }], env: [{ name: 'Y', value: '2' }, { name: 'X', value: '1' }] },
      { name: 'b', image: 'b:1' },
    ])
  })

  test('an item is deleted, a list replaced, an order set', () => {
    expect(containersOf(strategicMerge(live, withContainers({ name: 'a', $patch: 'delete' }), schema))).toEqual([{ name: 'b', image: 'b:1' }])
    expect(containersOf(strategicMerge(live, withContainers({ $patch: 'replace' }, { name: 'c' }), schema))).toEqual([{ name: 'c' }])
    const ordered = { spec: { template: { spec: { $setElementOrder: undefined, '$setElementOrder/containers': [{ name: 'b' }, { name: 'c' }, { name: 'a' }], containers: [{ name: 'c' }] } } } }
    expect((containersOf(strategicMerge(live, JSON.parse(JSON.stringify(ordered)) as Json, schema)) as JsonObject[]).map(({ name }) => name)).toEqual(['b', 'c', 'a'])
  })

  test('finalizers are a set from which members are taken out; other lists are replaced whole', () => {
    const object = { metadata: { finalizers: ['a', 'b'] }, spec: { template: { spec: { containers: [{ name: 'a', args: ['x', 'y'] }] } } } }
    const patch = { metadata: { '$deleteFromPrimitiveList/finalizers': ['a'], finalizers: ['c'] }, ...withContainers({ name: 'a', args: ['z'] }) }
    expect(strategicMerge(object, patch, schema)).toMatchObject({ metadata: { finalizers: ['c', 'b'] }, ...withContainers({ name: 'a', args: ['z'] }) })
  })

  test('retained keys drop the others, null removes, a patch without its key is refused', () => {
    const strategy = { spec: { strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1 } } } }
    expect(strategicMerge(strategy, { spec: { strategy: { $retainKeys: ['type'], type: 'Recreate' } } }, schema)).toEqual({ spec: { strategy: { type: 'Recreate' } } })
    expect(strategicMerge(strategy, { spec: { strategy: null } }, schema)).toEqual({ spec: {} })
    expect(() => strategicMerge(live, withContainers({ image: 'x' }), schema)).toThrow(/does not contain declared merge key: name/)
  })
})

describe('merge patch', () => {
  test('null removes, objects are merged, all else is replaced', () => {
    expect(mergePatch({ a: { b: 1, c: 2 }, d: [1] }, { a: { b: null, e: 3 }, d: [2] })).toEqual({ a: { c: 2, e: 3 }, d: [2] })
  })

  test('a patch cannot reach the prototype', () => {
    const merged = mergePatch({}, JSON.parse('{"__proto__":{"polluted":true}}') as Json)
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined()
    expect(Object.keys(merged as object)).toEqual(['__proto__'])
  })
})

describe('JSON patch', () => {
  const refused: readonly (readonly [string, Json])[] = [
    ['a test that fails', [{ op: 'test', path: '/a', value: 2 }]],
    ['a path through the prototype', [{ op: 'add', path: '/constructor/prototype/x', value: 1 }]],
    ['an index beyond the list', [{ op: 'add', path: '/list/9', value: 1 }]],
    ['a pointer that is none', [{ op: 'add', path: 'a', value: 1 }]],
    ['a move from nowhere', [{ op: 'move', from: '/none', path: '/b' }]],
  ]

  test.for(refused)('%s is refused', ([, patch]) => {
    expect(() => jsonPatch({ a: 1, list: [1] }, patch)).toThrow(ApiError)
  })

  test('operations are carried out in order', () => {
    const patch = [
      { op: 'add', path: '/list/0', value: 0 },
      { op: 'add', path: '/list/-', value: 2 },
      { op: 'copy', from: '/list', path: '/other' },
      { op: 'remove', path: '/list/1' },
      { op: 'replace', path: '/a', value: null },
    ]
    expect(jsonPatch({ a: 1, list: [1] }, patch)).toEqual({ a: null, list: [0, 2], other: [0, 1, 2] })
  })
})
