import { beforeEach, expect, test } from 'vitest'
import type { DeclaredField } from '#model/plan.ts'
import { LiveIndex } from './live-index.ts'

const key = 'apps/Deployment/shop/web'
const kind = 'apps/Deployment/shop/any'
const fields: DeclaredField[] = [{ path: 'spec.image', git: 'a:1', answered: 'registry/a:1' }, { path: 'spec.replicas', git: 2 }]
const body = (replicas: number) => ({ spec: { image: 'registry/a:1', replicas, never: 'declared' } })

let index: LiveIndex
beforeEach(() => {
  index = new LiveIndex()
  index.expect({ key, uid: 'u', fields })
})

test('what is seen as it was answered is fine; another value, another object or a stranger is not', () => {
  expect(index.see(key, 'u', body(2))).toBe('fine')
  expect(index.see(key, 'u', body(3))).toBe('look')
  expect(index.see(key, 'v', body(2))).toBe('look')
  expect(index.see('apps/Deployment/shop/other', 'u', body(2))).toBe('stranger')
})

test('what a look settled is fine in that form, until it moves', () => {
  index.settle(key, 'u', body(3), 'fine')
  expect(index.see(key, 'u', body(3))).toBe('fine')
  expect(index.see(key, 'u', body(4))).toBe('look')
})

test('what is fine only as long as somebody else is there expires: with every list, and when something beside it goes', () => {
  index.settle(key, 'u', body(3), 'yielded')
  index.begin(kind)
  expect(index.see(key, 'u', body(3))).toBe('fine')
  expect(index.end(kind)).toEqual([key])
  expect(index.beside('autoscaling/HorizontalPodAutoscaler/shop/web')).toEqual([key])
  expect(index.beside('autoscaling/HorizontalPodAutoscaler/other/web')).toEqual([])
  index.settle(key, 'u', body(3), 'fine')
  index.begin(kind)
  index.see(key, 'u', body(3))
  expect(index.end(kind)).toEqual([])
})

test('what is marked is looked at whatever is seen, and is known where nobody was told of it', () => {
  index.see(key, 'u', body(2))
  expect(index.mark(key)).toBe('seen as fine')
  expect(index.see(key, 'u', body(2))).toBe('look')
  expect(index.marked()).toEqual([key])
  index.settle(key, 'u', body(2), 'fine')
  expect(index.marked()).toEqual([])
})

test('a list tells what it did not show, of its own kind', () => {
  index.expect({ key: 'core/ConfigMap/shop/a', uid: 'u', fields: [] })
  index.begin(kind)
  expect(index.end(kind)).toEqual([key])
})

test('what was declared anew is held against what was seen last, where the paths are the same', () => {
  index.see(key, 'u', body(3))
  expect(index.expect({ key, uid: 'u', fields: [fields[0]!, { path: 'spec.replicas', git: 3 }] })).toBe('fine')
  expect(index.expect({ key, uid: 'u', fields: [fields[0]!] })).toBe('look')
  index.forget(key)
  expect(index.size).toBe(0)
  expect(index.see(key, 'u', body(3))).toBe('stranger')
})

test('sets of paths are kept as long as somebody declares them', () => {
  for (let at = 0; at < 5; at += 1) index.expect({ key: `core/ConfigMap/shop/${at}`, uid: 'u', fields: [{ path: 'data.a', git: '1' }, { path: `metadata.labels["a.b/${at % 2}"]`, git: 'x' }] })
  expect(index.sets).toBe(3)
  expect(index.see('core/ConfigMap/shop/1', 'u', { data: { a: '1' }, metadata: { labels: { 'a.b/1': 'x' } } })).toBe('fine')
  for (let at = 0; at < 4; at += 1) index.forget(`core/ConfigMap/shop/${at}`)
  expect(index.sets).toBe(2)
  index.expect({ key, uid: 'u', fields: [{ path: 'spec.other', git: 1 }] })
  expect(index.sets).toBe(2)
})
