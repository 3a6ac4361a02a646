import { afterAll, beforeAll, expect, test } from 'vitest'
import { isEnded } from '#model/run.ts'
import { openShop } from './shop.ts'
import type { Shop } from './shop.ts'

// The example's drill, on real processes: every pod of the storefront is replaced, and the shop lives through it.

let shop: Shop
beforeAll(async () => {
  shop = await openShop({ environments: ['sandbox'] })
  await shop.delivered('sandbox')
})
afterAll(() => shop?.stop())

test('every pod is another one afterwards, the page answers, and the delivery is as it was', async () => {
  const pods = async (): Promise<string[]> => {
    const client = await shop.plane.parts.kubernetes({ kubernetes: { context: 'sandbox' } })
    const signal = AbortSignal.timeout(10_000)
    const kind = await client.kind('v1', 'Pod', signal)
    if (kind === undefined) throw new Error('no pods are served')
    const { items } = await client.list(kind, 'storefront', {}, signal)
    return items.map((item) => String((item['metadata'] as { uid?: string }).uid))
  }
  const before = await pods()
  const { run: id } = await shop.client.operate('sandbox', 'rehearse-restart', { from: null, reason: 'we want to know' })
  const run = await shop.until('the drill has ended', async () => {
    const now = await shop.client.show(id ?? '')
    return isEnded(now.state) ? now : undefined
  })
  expect(run).toMatchObject({ state: 'succeeded', failure: null, operation: { name: 'rehearse-restart', steps: [{ name: 'pre', state: 'done' }, { name: 'replace', state: 'done' }, { name: 'replaced', state: 'done' }, { name: 'post', state: 'done' }] } })
  expect(run.operation?.steps[1]?.message).toContain(`spec.template.metadata.annotations.plumbline.dev/rehearsed-by: nothing -> "${id}"`)
  const after = await pods()
  expect(after).toHaveLength(before.length)
  expect(after.filter((uid) => before.includes(uid))).toEqual([])
  await shop.delivered('sandbox')
  // What the drill set, Git never declared: it is no drift.
  expect((await shop.module('sandbox', 'storefront-web'))?.findings).toBe(0)
  expect((await shop.client.operations({})).operations).toMatchObject([{ name: 'rehearse-restart', environment: 'sandbox', schedule: '0 4 1 * *', nextAt: expect.stringContaining('T04:00:00'), last: { run: id, state: 'succeeded' } }])
})
