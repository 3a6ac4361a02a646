import { afterAll, beforeAll, expect, test } from 'vitest'
import { kubernetesPlace, type KubernetesPlace } from '../../../test/kubernetes-place.ts'
import type { KubernetesWatchEvent } from './client.ts'
import { neverWritten } from './client.ts'

let place: KubernetesPlace
beforeAll(async () => {
  place = await kubernetesPlace()
})
afterAll(async () => place?.stop())

const never = new AbortController().signal
const map = (name: string, value = '1') => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: place.namespace }, data: { a: value } })
const manager = { manager: 'plumbline', force: false, dryRun: false }
const metaOf = (object: unknown) => (object as { metadata: { name: string; uid: string; resourceVersion: string } }).metadata

test('a list comes in pages, whole', async () => {
  const maps = await place.kind('v1', 'ConfigMap')
  await Promise.all(Array.from({ length: 520 }, (_, index) => place.client.apply(maps, { ...map(`page-${index}`), metadata: { ...map(`page-${index}`).metadata, labels: { paged: 'yes' } } }, manager, never)))
  const { items, version } = await place.client.list(maps, place.namespace, { labels: 'paged=yes' }, never)
  expect(new Set(items.map((item) => metaOf(item).name)).size).toBe(520)
  expect(Number(version)).toBeGreaterThan(0)
  expect(items[0]).toMatchObject({ apiVersion: 'v1', kind: 'ConfigMap' })
})

test('a creation creates, and never changes what came in between', async () => {
  const maps = await place.kind('v1', 'ConfigMap')
  const options = { ...manager, version: neverWritten }
  expect(await place.client.apply(maps, map('fresh'), options, never)).toMatchObject({ created: true })
  await expect(place.client.apply(maps, map('fresh', '2'), options, never)).rejects.toMatchObject({ code: 'kubernetes-conflict' })
  expect(await place.client.get(maps, place.namespace, 'fresh', never)).toMatchObject({ data: { a: '1' } })
})

test('an apply with the uid of an object that is gone makes none', async () => {
  const maps = await place.kind('v1', 'ConfigMap')
  await expect(place.client.apply(maps, map('ghost'), { ...manager, uid: '00000000-0000-0000-0000-000000000001', version: '5' }, never)).rejects.toMatchObject({ code: 'kubernetes-conflict' })
  expect(await place.client.get(maps, place.namespace, 'ghost', never)).toBeUndefined()
})

test('a deletion is of one uid and one version', async () => {
  const maps = await place.kind('v1', 'ConfigMap')
  const { uid, resourceVersion } = metaOf(await place.write(map('doomed')))
  const remove = (precondition: { uid: string; version?: string }) => place.client.delete(maps, place.namespace, 'doomed', { ...precondition, propagation: 'Background', dryRun: false }, never)
  await expect(remove({ uid: '00000000-0000-0000-0000-000000000001' })).rejects.toMatchObject({ code: 'kubernetes-conflict' })
  await place.write(map('doomed', '2'))
  await expect(remove({ uid, version: resourceVersion })).rejects.toMatchObject({ code: 'kubernetes-conflict' })
  expect(await remove({ uid })).toBe('gone')
  expect(await remove({ uid })).toBe('absent')
})

test('a watch sees what happens, also what happened before its version expired', async ({ skip }) => {
  const { inject, compact } = place.cluster
  if (inject === undefined || compact === undefined) return skip('only an embedded cluster forgets its history on purpose')
  const maps = await place.kind('v1', 'ConfigMap')
  await place.write(map('watched'))
  const over = new AbortController()
  const seen: KubernetesWatchEvent[] = []
  inject({ times: 1, path: '/configmaps?watch', answer: 'watch-close' })
  inject({ times: 1, path: '/configmaps?watch', answer: 'watch-expired' })
  const watched = (async () => {
    for await (const event of place.client.watch(maps, place.namespace, { fields: 'metadata.name=watched' }, undefined, over.signal)) seen.push(event)
  })()
  await expect.poll(() => seen.filter(({ type }) => type === 'RELIST').length).toBe(2)
  await place.write(map('watched', '2'))
  await expect.poll(() => seen.at(-1)).toMatchObject({ type: 'MODIFIED', object: { data: { a: '2' } } })
  over.abort()
  await watched
})
