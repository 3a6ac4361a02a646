import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { openShop } from './shop.ts'
import type { Shop } from './shop.ts'
import { resume } from '#run/follow.ts'
import { newestSnapshot } from '#store/snapshots.ts'
import type { SnapshotRow } from '#store/snapshots.ts'
import { asItWas, expectRecordsVerify, headOf, inventory, plumb, problem } from './troubled-shop.ts'

const say = 'Bo Lind <bo@storefront.example>'

describe('configuration that is wrong freezes nobody else, and deletes nothing', () => {
  let shop: Shop
  let before: string[]
  let count = 0
  const firsts: Record<string, string> = {}
  beforeAll(async () => {
    shop = await openShop({ environments: ['sandbox', 'staging'] })
    await shop.delivered('sandbox', 'staging')
    for (const repository of ['platform', 'orders']) firsts[repository] = await headOf(shop, repository)
    before = await inventory(shop, 'sandbox')
  })
  afterAll(async () => {
    if (shop === undefined) return
    await expectRecordsVerify(shop)
    await shop.stop()
  })

  /** Whatever a story broke is mended by a commit, and is delivered again without anybody's help. */
  afterEach(async () => {
    for (const [repository, first] of Object.entries(firsts)) await asItWas(shop, repository, first)
    await shop.until('no problem is left, and all is delivered', async () => {
      const status = await shop.client.status()
      const modules = status.environments.find((one) => one.name === 'sandbox')?.modules ?? []
      return status.problems.length === 0 && modules.every((one) => one.delivery === 'synced' && one.verification === 'passed') ? true : undefined
    })
    expect(await inventory(shop, 'sandbox')).toEqual(before)
  })

  /** A change of the other team's page, which must go through whatever is wrong elsewhere. */
  async function othersGoOn(): Promise<void> {
    const commit = await shop.push('storefront', { 'deploy/sandbox/configmap.yaml': (text) => text.replace(/message: .*/, `message: number ${(count += 1)}`) }, 'A page', say)
    expect(await shop.settled('sandbox', commit)).toMatchObject({ state: 'succeeded' })
  }

  test('a broken plumbline.yaml leaves the last configuration standing, and says where it is broken', async () => {
    await shop.push('platform', { 'plumbline.yaml': (text) => text.replace('allow: everything', 'allow: everything\n      colour: [red') }, 'Oops', say)
    const said = await problem(shop, 'yaml-invalid', /^platform\/plumbline\.yaml:\d+:\d+$/)
    expect(said.hint ?? said.message).not.toBe('')
    await othersGoOn()
    const { code, out } = await plumb(shop, 'status')
    expect(code).toBe(2)
    expect(out).toMatch(/yaml-invalid:? platform\/plumbline\.yaml:\d+:\d+/)
    expect(out).toContain('baseline')
    expect((await shop.client.status()).environments.map((one) => one.name)).toEqual(['sandbox', 'staging'])
  })

  test('an environment with an unknown field or an unknown environment to come after leaves the last one standing', async () => {
    await shop.push('platform', { 'environments/staging.yaml': (text) => text.replace('automatic: true', 'automatic: true\n    afterr: {}').replace('environment: sandbox', 'environment: sandbx') }, 'Oops', say)
    const said = await problem(shop, 'configuration-invalid', /^platform\/environments\/staging\.yaml:\d+:\d+$/)
    expect(said.message).toContain('afterr')
    expect(said.message).toContain('expected one of automatic, after')
    await othersGoOn()
    await shop.push('platform', { 'environments/staging.yaml': (text) => text.replace('\n    afterr: {}', '') }, 'Half', say)
    const other = await shop.until('the other problem', async () => (await shop.client.status()).problems.find((one) => one.message.includes('sandbx')))
    expect(other).toMatchObject({ code: 'configuration-invalid', subject: expect.stringMatching(/staging\.yaml:\d+:\d+$/), hint: expect.stringContaining('sandbox') })
  })

  test('nothing is tried in vain while the workspace is broken, and a restart keeps the last configuration too', async () => {
    await shop.push('platform', { 'plumbline.yaml': 'kind: Nonsense\n' }, 'Oops', say)
    await problem(shop, 'configuration-invalid', /plumbline\.yaml/)
    await resume(shop.plane.parts, (await newestSnapshot(shop.plane.parts.sql)) as SnapshotRow)
    await shop.push('orders', { 'deploy/module.yaml': (text) => text.replace('dependsOn:', 'dependOn:') }, 'Oops too')
    await problem(shop, 'configuration-invalid', /^orders\/deploy\/module\.yaml/)
    await problem(shop, 'configuration-invalid', /^platform\/plumbline\.yaml/)
    await othersGoOn()
    expect(await shop.plane.parts.sql.query('select 1 from work where attempts > 1')).toEqual([])
  })

  test.each([
    ['broken YAML', (text: string) => `${text}  nonsense: [\n`, 'yaml-invalid'],
    ['an unknown field', (text: string) => text.replace('dependsOn:', 'dependOn:'), 'configuration-invalid'],
    ['an unknown dependency', (text: string) => text.replace('[baseline]', '[baselin]'), 'configuration-invalid'],
    ['an unknown target', (text: string) => text.replace('target: cluster\n', 'target: clustr\n'), 'configuration-invalid'],
    ['an unknown environment', (text: string) => text.replace('track: declarative', 'track: declarative\n  environments: [sandbox, mars]'), 'configuration-invalid'],
    ['an address that no environment lists', (text: string) => text.replace('address: ingress', 'address: backdoor'), 'configuration-invalid'],
    ['an alias bomb', () => bomb, 'yaml-aliases'],
  ])('a module.yaml with %s leaves its module as it is, and its siblings go on', async (_, edit, code) => {
    await shop.push('orders', { 'deploy/module.yaml': (text) => edit(text), 'deploy/sandbox/configmap.yaml': (text) => text.replace(/MAX_ITEMS: .*/, 'MAX_ITEMS: "77"') }, 'Oops')
    const said = await problem(shop, code, /^orders\/deploy\/module\.yaml:\d+:\d+$/)
    expect(said.message.length).toBeGreaterThan(10)
    await othersGoOn()
    expect(await inventory(shop, 'sandbox')).toEqual(before)
    const module = await shop.module('sandbox', 'orders-api')
    expect(module).toMatchObject({ verification: 'passed', delivery: 'behind', failure: { code }, note: expect.stringContaining(said.message.slice(0, 20)) })
    expect((await plumb(shop, 'status')).out).toContain(said.subject)
  })
})

const bomb = `a: &a [x,x,x,x,x,x,x,x,x]\n${[...'bcdefghij'].map((name, index) => `${name}: &${name} [${Array.from({ length: 9 }, () => `*${'abcdefghij'[index]}`).join(',')}]`).join('\n')}\n`
