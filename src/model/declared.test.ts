import { expect, test } from 'vitest'
import { declaredFields } from './declared.ts'
import { listKeysOf } from './list-keys.ts'
import type { DeclaredField } from './plan.ts'

const listKeys = listKeysOf('apps/Deployment/shop/web')
const desired = { kind: 'Deployment', metadata: { name: 'web' }, spec: { replicas: 3, cpu: '1000m', note: null, image: 'a:2' } }
const held: DeclaredField[] = [{ path: 'spec.replicas', git: 2 }, { path: 'spec.gone', git: 1 }]

test('after an apply: what Git says, what the server answered where that differs, and what it dropped as null', () => {
  const answer = { body: { spec: { replicas: 3, cpu: '1', image: 'a:2', defaulted: true } } }
  expect(declaredFields({ desired, listKeys, held, answer, effect: { changes: [], omit: [] } })).toEqual([
    { path: 'spec.cpu', git: '1000m', answered: '1' },
    { path: 'spec.image', git: 'a:2' },
    { path: 'spec.note', git: null },
    { path: 'spec.replicas', git: 3 },
  ])
})

test('what the server says is ours is declared, and nothing else of the body but what was left out', () => {
  const effect = { changes: [{ path: 'spec.image', state: 'held' as const }], omit: ['spec.image'] }
  expect(declaredFields({ desired, listKeys, held, answer: { body: { spec: { replicas: 3 } }, own: ['spec.replicas'] }, effect })).toEqual([{ path: 'spec.image', git: 'a:2', mark: 'held' }, { path: 'spec.replicas', git: 3 }])
})

test('what was left out is marked, and keeps the answer to this very value alone', () => {
  const effect = { changes: [{ path: 'spec.replicas', state: 'yielded' as const }], omit: ['spec.replicas'] }
  const fields = declaredFields({ desired, listKeys, held, answer: { body: { spec: { replicas: 9, cpu: '1000m', image: 'a:2' } } }, effect })
  expect(fields.at(-1)).toEqual({ path: 'spec.replicas', git: 3, mark: 'yielded' })
  const answered = [{ path: 'spec.replicas', git: 3, answered: 4 }]
  expect(declaredFields({ desired, listKeys, held: answered, answer: { body: {} }, effect }).at(-1)).toEqual({ ...answered[0], mark: 'yielded' })
})

test('without an apply: the answers to the same values stay, Git’s values are those of now', () => {
  const before: DeclaredField[] = [{ path: 'spec.cpu', git: '1000m', answered: '1' }, { path: 'spec.image', git: 'a:2' }, { path: 'spec.note', git: null }, { path: 'spec.replicas', git: 2, mark: 'held' }]
  const effect = { changes: [{ path: 'spec.replicas', state: 'yielded' as const }], omit: [] }
  expect(declaredFields({ desired, listKeys, held: before, effect })).toEqual([...before.slice(0, 3), { path: 'spec.replicas', git: 3, mark: 'yielded' }])
})

test('what was yielded stays marked so while it is left out, and no longer when it is sent', () => {
  const before: DeclaredField[] = [{ path: 'spec.replicas', git: 3, mark: 'yielded' }]
  const effect = { changes: [{ path: 'spec.replicas', state: 'held' as const }], omit: ['spec.replicas'] }
  expect(declaredFields({ desired, listKeys, held: before, answer: { body: { spec: { replicas: 9 } } }, effect }).at(-1)).toEqual({ path: 'spec.replicas', git: 3, mark: 'yielded' })
  expect(declaredFields({ desired, listKeys, held: before, answer: { body: { spec: { replicas: 3 } } }, effect: { changes: [], omit: [] } }).at(-1)).toEqual({ path: 'spec.replicas', git: 3 })
})

test('a field that is held in an object that is sent is not marked: it was sent', () => {
  const effect = { changes: [{ path: 'spec.image', state: 'held' as const }], omit: [] }
  expect(declaredFields({ desired, listKeys, held, answer: { body: { spec: { image: 'a:2' } } }, effect }).find(({ path }) => path === 'spec.image')).toEqual({ path: 'spec.image', git: 'a:2' })
})
