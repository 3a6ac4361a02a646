import { renameSync } from 'node:fs'
import { expect, test } from 'vitest'
import { Fixture, never } from './fixture.ts'
import { takeSnapshot } from './snapshot.ts'

test('a snapshot holds every head; one that cannot be reached leaves its last head standing and is told', async () => {
  using fixture = new Fixture()
  const [orders, storefront] = [fixture.repository('orders'), fixture.repository('storefront')]
  const mirrors = [fixture.mirror(orders.path), fixture.mirror(storefront.path, { name: 'storefront' })]
  const [one, two] = [orders.commit({ a: '1' }), storefront.commit({ a: '1' })]
  const first = await takeSnapshot(mirrors, never)
  expect(first).toMatchObject({ snapshot: { commits: { orders: one, storefront: two } }, problems: [] })
  expect(Object.keys(first.moved)).toEqual(['orders', 'storefront'])
  expect((await takeSnapshot(mirrors, never)).moved).toEqual({})

  renameSync(storefront.path, `${storefront.path}.away`)
  const three = orders.commit({ a: '2' })
  const second = await takeSnapshot(mirrors, never)
  expect(second.snapshot.commits).toEqual({ orders: three, storefront: two })
  expect(second.problems).toMatchObject([{ repository: 'storefront', standing: two, failure: { code: 'repository-unreachable' } }])
  expect(second.moved).toEqual({ orders: { head: three, previous: one, forced: false } })
})

test('only the repositories that are named are asked', async () => {
  using fixture = new Fixture()
  const [orders, storefront] = [fixture.repository('orders'), fixture.repository('storefront')]
  const mirrors = [fixture.mirror(orders.path), fixture.mirror(storefront.path, { name: 'storefront' })]
  const [, old] = [orders.commit({ a: '1' }), storefront.commit({ a: '1' })]
  await takeSnapshot(mirrors, never)
  storefront.commit({ a: '2' })
  const head = orders.commit({ a: '2' })
  expect((await takeSnapshot(mirrors, never, new Set(['orders']))).snapshot.commits).toEqual({ orders: head, storefront: old })
})

test('a repository that was never read is not in the snapshot, and is a problem without a standing head', async () => {
  using fixture = new Fixture()
  const orders = fixture.repository('orders')
  const head = orders.commit({ a: '1' })
  const taken = await takeSnapshot([fixture.mirror(orders.path), fixture.mirror(`${fixture.folder}/nowhere`, { name: 'storefront' })], never)
  expect(taken.snapshot.commits).toEqual({ orders: head })
  expect(taken.problems).toMatchObject([{ repository: 'storefront', standing: undefined, failure: { code: 'repository-unreachable' } }])
})

test('an abort is no problem of a repository', async () => {
  using fixture = new Fixture()
  fixture.repository('orders').commit({ a: '1' })
  await expect(takeSnapshot([fixture.mirror(`${fixture.folder}/orders.git`)], AbortSignal.abort(new Error('enough')))).rejects.toThrow('enough')
})
