import { existsSync, renameSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { StatusAnswer } from '#api/client.ts'
import { enqueue } from '#store/queue.ts'
import { git, openShop } from './shop.ts'
import type { Shop } from './shop.ts'
import { expectRecordsVerify, headOf, inventory, plumb } from './troubled-shop.ts'

describe('a repository that is rewritten, away or without its branch', () => {
  let shop: Shop
  let before: string[]
  let first: string
  beforeAll(async () => {
    shop = await openShop({ environments: ['sandbox'] })
    await shop.delivered('sandbox')
    first = await headOf(shop, 'orders')
    before = await inventory(shop, 'sandbox')
  })
  afterAll(async () => {
    if (shop === undefined) return
    await expectRecordsVerify(shop)
    await shop.stop()
  })

  const items = (count: number) => ({ 'deploy/sandbox/configmap.yaml': (text: string) => text.replace(/MAX_ITEMS: .*/, `MAX_ITEMS: "${count}"`) })
  const live = (): Promise<string> => shop.kubectl('sandbox', 'get', 'configmap', 'orders-api', '-n', 'orders', '-o', 'jsonpath={.data.MAX_ITEMS}')
  const isLive = (count: number): Promise<true> => shop.until(`${count} items are live`, async () => ((await live()) === String(count) && (await shop.module('sandbox', 'orders-api'))?.delivery === 'synced' ? true : undefined))
  type Repository = StatusAnswer['repositories'][number]
  const repository = async (): Promise<Repository | undefined> => (await shop.client.status()).repositories.find((one) => one.name === 'orders')
  const failing = (code: string): Promise<Repository> =>
    shop.until(`orders fails with ${code}`, async () => {
      const row = await repository()
      return row?.failure?.code === code ? row : undefined
    })
  /** As a webhook does: the repository is looked at now. */
  const look = (): Promise<void> => enqueue(shop.plane.parts.sql, shop.plane.parts.clock, 'repository/orders')

  test('forced back to an older commit: that is what is delivered', async () => {
    await shop.push('orders', items(31), 'More')
    await isLive(31)
    await git(await shop.clone('orders'), 'push', '-q', '--force', 'origin', `${first}:main`)
    await isLive(20)
    expect(shop.log.some((line) => line.includes('orders: its branch was rewritten'))).toBe(true)
    expect(await repository()).toMatchObject({ head: first, failure: null })
    expect(await inventory(shop, 'sandbox')).toEqual(before)
  })

  test('forced to a history that is not related: that is what is delivered, and the run tells of its newest commit', async () => {
    const path = await shop.clone('orders')
    await git(path, 'checkout', '-q', '--orphan', 'fresh')
    await git(path, 'commit', '-q', '-m', 'Begin anew', '--author', 'Ada Park <ada@orders.example>').catch(() => git(path, '-c', 'user.name=Ada Park', '-c', 'user.email=ada@orders.example', 'commit', '-q', '-m', 'Begin anew'))
    await git(path, 'push', '-q', '--force', 'origin', 'HEAD:main')
    await git(path, 'checkout', '-q', '-B', 'main', 'fresh')
    const commit = await shop.push('orders', items(32), 'From here')
    expect(await shop.settled('sandbox', commit)).toMatchObject({ state: 'succeeded', reason: 'From here' })
    await isLive(32)
    expect(await inventory(shop, 'sandbox')).toEqual(before)
  })

  test('gone: the last snapshot stands and says so; the others go on; it is found again by itself', async () => {
    const path = shop.playground.repositories['orders'] ?? ''
    renameSync(path, `${path}.away`)
    await look()
    const row = await failing('repository-unreachable')
    expect(row.failure).toMatchObject({ subject: expect.stringContaining('orders'), retry: 'later', message: expect.stringMatching(/./) })
    expect(row.head).not.toBeNull()
    const page = await shop.push('storefront', { 'deploy/sandbox/configmap.yaml': (text) => text.replace(/message: .*/, 'message: still here') }, 'A page', 'Bo Lind <bo@storefront.example>')
    expect(await shop.settled('sandbox', page)).toMatchObject({ state: 'succeeded' })
    expect((await plumb(shop, 'status')).out).toMatch(/repository-unreachable: repository orders: .*\n.*\n.*last head stands/)
    expect(await shop.module('sandbox', 'orders-api')).toMatchObject({ delivery: 'synced', verification: 'passed' })
    // What was rendered before can be delivered again while it is away.
    const { run } = await shop.client.deploy('sandbox', { modules: ['orders-api'], reason: 'is it all there?', ticket: null })
    await shop.until('it is delivered from what is kept', async () => ((await shop.client.show(run ?? '')).state === 'succeeded' ? true : undefined))
    expect(await inventory(shop, 'sandbox')).toEqual(before)
    renameSync(`${path}.away`, path)
    await shop.until('it is there again', async () => ((await repository())?.failure === null ? true : undefined), 25_000)
    await shop.push('orders', items(33), 'Back')
    await isLive(33)
  }, 60_000)

  test('its branch deleted: nothing is pruned, and it goes on when the branch is back', async () => {
    const path = shop.playground.repositories['orders'] ?? ''
    expect(existsSync(path)).toBe(true)
    const head = await headOf(shop, 'orders')
    await git(path, 'update-ref', '-d', 'refs/heads/main')
    await look()
    const row = await failing('branch-missing')
    expect(row).toMatchObject({ head, failure: { hint: expect.stringMatching(/./), message: expect.stringContaining('main') } })
    expect(await inventory(shop, 'sandbox')).toEqual(before)
    expect(await shop.module('sandbox', 'orders-api')).toMatchObject({ delivery: 'synced' })
    await git(path, 'update-ref', 'refs/heads/main', head)
    await shop.push('orders', items(34), 'Back again')
    await isLive(34)
    expect(await repository()).toMatchObject({ failure: null })
  })
})
