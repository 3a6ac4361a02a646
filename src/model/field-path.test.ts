import { describe, expect, test } from 'vitest'
import { Failure } from '#lib/failure.ts'
import type { Json, JsonObject } from '#lib/json.ts'
import { formatPath, isWithin, parsePath, readPath, removePath, removePaths, setPath, type Segment } from './field-path.ts'

/** A small seeded generator (mulberry32), so that a failing case can be run again. */
function seeded(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) % below
  }
}

const pieces = ['a', 'B9', '_', '-', '.', '/', '"', '\\', ']', '[', '=', ',', ' ', 'é', '😀', '\n', '__proto__', 'name', '0']
const text = (next: (below: number) => number): string => Array.from({ length: next(4) }, () => pieces[next(pieces.length)]).join('')
const scalar = (next: (below: number) => number): Json => [text(next), next(70000), -1.5e-7, true, false, ''][next(6)] as Json
function anySegment(next: (below: number) => number): Segment {
  const keys = (): JsonObject => Object.fromEntries(Array.from({ length: 1 + next(3) }, () => [text(next), scalar(next)]))
  return [(): Segment => ({ field: text(next) }), (): Segment => ({ keys: keys() }), (): Segment => ({ value: scalar(next) }), (): Segment => ({ index: next(1000) })][next(4)]?.() as Segment
}

function codeOf(call: () => unknown): string {
  try {
    call()
    return 'fine'
  } catch (error) {
    return error instanceof Failure ? error.code : String(error)
  }
}

describe('the text of a path', () => {
  test.each<[string, Segment[]]>([
    ['', []],
    ['spec.replicas', [{ field: 'spec' }, { field: 'replicas' }]],
    ['metadata.labels["a.b/c"]', [{ field: 'metadata' }, { field: 'labels' }, { field: 'a.b/c' }]],
    ['spec.containers[name="app"].ports[containerPort=8080,protocol="TCP"].name', [{ field: 'spec' }, { field: 'containers' }, { keys: { name: 'app' } }, { field: 'ports' }, { keys: { protocol: 'TCP', containerPort: 8080 } }, { field: 'name' }]],
    ['metadata.finalizers[="x"]', [{ field: 'metadata' }, { field: 'finalizers' }, { value: 'x' }]],
    ['spec.rules[0].host', [{ field: 'spec' }, { field: 'rules' }, { index: 0 }, { field: 'host' }]],
    ['data["app.conf"]', [{ field: 'data' }, { field: 'app.conf' }]],
    ['["$ref"]', [{ field: '$ref' }]],
    ['[""]', [{ field: '' }]],
    ['a["x\\"]y"]', [{ field: 'a' }, { field: 'x"]y' }]],
  ])('%s', (path, segments) => {
    expect(formatPath(segments)).toBe(path)
    expect(parsePath(path)).toEqual(segments)
  })

  test('every path reads back from its text, whatever its names and values hold', () => {
    for (let seed = 1; seed <= 3000; seed += 1) {
      const next = seeded(seed)
      const segments = Array.from({ length: next(6) }, () => anySegment(next))
      const path = formatPath(segments)
      expect({ seed, path, segments: parsePath(path) }).toEqual({ seed, path, segments })
      expect(formatPath(parsePath(path))).toBe(path)
      for (let depth = 0; depth <= segments.length; depth += 1) expect(isWithin(path, formatPath(segments.slice(0, depth)))).toBe(true)
    }
  })

  test('what is no path is refused with the place, and never hangs', () => {
    const broken = ['.', 'a.', 'a..b', 'a[', 'a[]', 'a[01]', 'a[x]', 'a[x=]', 'a[x=1', 'a[=', 'a[="x]', 'a[x=1,]', 'a[x=1,x=2]', 'a[={}]', 'a[=null]', 'a]b', 'a b', 'ä', '[0]x', 'a[9999999999]']
    for (const path of broken) expect(codeOf(() => parsePath(path))).toBe('field-path-invalid')
    for (let seed = 1; seed <= 3000; seed += 1) {
      const next = seeded(seed)
      const path = Array.from({ length: next(12) }, () => pieces[next(pieces.length)]).join('')
      expect(codeOf(() => parsePath(formatPath(parsePath(path))))).toMatch(/^(fine|field-path-invalid)$/)
    }
    expect(() => parsePath('['.repeat(1_000_000))).toThrow(/unexpected/)
  })
})

const body: JsonObject = {
  metadata: { name: 'a', labels: { app: 'x' }, finalizers: ['one', 'two'] },
  spec: {
    replicas: 2,
    empty: {},
    note: null,
    containers: [
      { name: 'app', image: 'app:1', ports: [{ containerPort: 53, protocol: 'UDP' }, { containerPort: 53, name: 'dns' }] },
      { name: 'side', image: 'side:1' },
    ],
  },
}

test('reads fields, items by their keys (with the default of a key), members, and nulls', () => {
  expect(readPath(body, '')).toBe(body)
  expect(readPath(body, 'spec.containers[name="side"].image')).toBe('side:1')
  expect(readPath(body, 'spec.containers[name="app"].ports[containerPort=53,protocol="TCP"].name')).toBe('dns')
  expect(readPath(body, 'spec.containers[name="app"].ports[containerPort=53,protocol="SCTP"]')).toBeUndefined()
  expect(readPath(body, 'metadata.finalizers[="two"]')).toBe('two')
  expect(readPath(body, 'metadata.finalizers[1]')).toBe('two')
  expect(readPath(body, 'spec.note')).toBeNull()
  for (const none of ['spec.gone', 'spec.replicas.x', 'metadata.finalizers[="three"]', 'metadata.finalizers[2]', 'spec.containers[nom="app"]', 'spec.toString', 'spec.__proto__', 'spec.containers.length']) expect({ none, value: readPath(body, none) }).toEqual({ none, value: undefined })
})

test('sets without touching what it was given, and makes what is missing on the way', () => {
  const before = structuredClone(body)
  expect(readPath(setPath(body, 'spec.replicas', 3), 'spec.replicas')).toBe(3)
  expect(setPath({}, 'spec.containers[name="app"].env[name="A"].value', '1')).toEqual({ spec: { containers: [{ name: 'app', env: [{ name: 'A', value: '1' }] }] } })
  expect(setPath({}, 'metadata.finalizers[="x"]', 'x')).toEqual({ metadata: { finalizers: ['x'] } })
  expect(setPath(body, 'metadata.finalizers[="one"]', 'one')).toEqual(body)
  expect(setPath({ a: [1] }, 'a[1]', 2)).toEqual({ a: [1, 2] })
  expect(Object.getPrototypeOf(setPath({}, '__proto__.x', 1))).toBe(Object.prototype)
  expect(body).toEqual(before)
  expect(() => setPath(body, 'spec.replicas.x', 1)).toThrow(/something else/)
  expect(() => setPath({ a: [] }, 'a[5]', 1)).toThrow(/something else/)
  expect(() => setPath({}, '', 5)).toThrow(/something else/)
})

describe('leaving paths out of a body that is applied', () => {
  test.each<[string, JsonObject, string[], JsonObject]>([
    ['a field', { spec: { a: 1, b: 2 } }, ['spec.a'], { spec: { b: 2 } }],
    ['a map that this empties goes too: sent, it would be a new field of ours', { metadata: { name: 'x' }, spec: { strategy: { type: 'a' }, b: 1 } }, ['spec.strategy.type'], { metadata: { name: 'x' }, spec: { b: 1 } }],
    ['a map that was empty before stays', { spec: { a: {}, b: { c: 1 } } }, ['spec.b.c'], { spec: { a: {} } }],
    ['a keyed item keeps its keys while anything of it stays', { c: [{ name: 'app', image: 'i', tty: true }] }, ['c[name="app"].image', 'c[name="app"].name'], { c: [{ name: 'app', tty: true }] }],
    ['an item of which only its key is left still declares that it exists', { c: [{ name: 'app', image: 'i' }] }, ['c[name="app"].image'], { c: [{ name: 'app' }] }],
    ['an item goes when all its leaves go', { c: [{ name: 'app', image: 'i' }, { name: 'b' }] }, ['c[name="app"].name', 'c[name="app"].image'], { c: [{ name: 'b' }] }],
    ['a list that this empties goes', { c: [{ name: 'app' }], d: 1 }, ['c[name="app"].name'], { d: 1 }],
    ['an item by its own path', { o: [{ uid: '1', name: 'a' }, { uid: '2', name: 'b' }] }, ['o[uid="1"]'], { o: [{ uid: '2', name: 'b' }] }],
    ['a set’s members', { f: ['a', 'b', 'c'] }, ['f[="c"]', 'f[="a"]'], { f: ['b'] }],
    ['several indexes, all of the list as it was', { f: ['a', 'b', 'c'] }, ['f[0]', 'f[1]'], { f: ['c'] }],
    ['what is not there', { f: 1 }, ['g', 'f.x', 'f[0]'], { f: 1 }],
  ])('%s', (_name, from, paths, to) => {
    const before = structuredClone(from)
    expect(removePaths(from, paths)).toEqual(to)
    expect(removePaths(from, paths.toReversed())).toEqual(to)
    expect(from).toEqual(before)
  })

  test('one path', () => {
    expect(removePath({ a: 1, b: 2 }, 'a')).toEqual({ b: 2 })
  })
})
