import { execFileSync } from 'node:child_process'
import { createHmac } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { systemClock } from '#lib/clock.ts'
import { startPlayground } from '#playground/playground.ts'
import { startControlPlane } from '../../src/control-plane.ts'
import { openShop } from './shop.ts'
import type { Shop } from './shop.ts'
import { expectRecordsVerify, inventory, plumbWith } from './troubled-shop.ts'

const page = (shop: Shop, message: string): Promise<string> =>
  shop.push('storefront', { 'deploy/sandbox/configmap.yaml': (text) => text.replace(/message: .*/, `message: ${message}`) }, 'A page', 'Bo Lind <bo@storefront.example>')

describe('the control plane’s own door and folder', () => {
  let shop: Shop
  beforeAll(async () => {
    shop = await openShop({ environments: ['sandbox'] })
    await shop.delivered('sandbox')
  })
  afterAll(() => shop?.stop())

  test('a second control plane and a second playground on the same folder are refused, and the first goes on', async () => {
    const { dir } = shop
    const second = startControlPlane({ dir, workspace: { url: shop.playground.repositories['platform'] ?? '', branch: 'main' }, kubeconfig: shop.playground.kubeconfig, host: '127.0.0.1', port: 0, clock: systemClock, env: {}, log: () => {} })
    await expect(second).rejects.toMatchObject({ code: 'store-locked', subject: expect.stringContaining(dir), hint: expect.stringMatching(/./) })
    await expect(startPlayground({ dir, clock: systemClock, log: () => {} })).rejects.toMatchObject({ code: 'playground-locked', hint: expect.stringMatching(/./) })
    expect(JSON.parse(readFileSync(join(dir, 'server.json'), 'utf8'))).toMatchObject({ url: shop.plane.url })
    expect(await shop.settled('sandbox', await page(shop, 'still one'))).toMatchObject({ state: 'succeeded' })
  })

  test('a thousand webhooks at once are each answered soon, and become one look', async () => {
    const body = JSON.stringify({ repository: 'orders', ref: 'refs/heads/main', before: '0'.repeat(40), after: '1'.repeat(40) })
    const signature = `sha256=${createHmac('sha256', shop.plane.webhookSecret).update(body).digest('hex')}`
    const before = shop.plane.parts.clock.now()
    const post = async (): Promise<number> =>
      (await fetch(`${shop.plane.url}/v1/webhooks`, { method: 'POST', headers: { 'content-type': 'application/json', 'x-plumbline-signature-256': signature }, body })).status
    const answers: number[] = []
    for (let wave = 0; wave < 20; wave += 1) answers.push(...(await Promise.all(Array.from({ length: 50 }, post))))
    expect(new Set(answers).size).toBeLessThanOrEqual(2)
    expect(answers.every((status) => status === 202 || status === 200 || status === 429)).toBe(true)
    expect((shop.plane.parts.clock.now() - before) / 1000).toBeLessThan(20)
    const queued = await shop.plane.parts.sql.query("select key from work where key = 'repository/orders'")
    expect(queued).toHaveLength(1)
    expect(await shop.settled('sandbox', await page(shop, 'after the storm'))).toMatchObject({ state: 'succeeded' })
  })

  test('a token that was taken back opens nothing any more', async () => {
    const { token } = await shop.client.createToken({ name: 'sam', role: 'viewer', environments: ['*'], emails: [] })
    expect(await plumbWith(shop, { server: shop.plane.url, token }, 'status')).toMatchObject({ out: expect.stringContaining('sandbox'), err: '' })
    await shop.client.revokeTokens('sam')
    const refused = await plumbWith(shop, { server: shop.plane.url, token }, 'status')
    expect(refused.code).not.toBe(0)
    expect(refused.err).toMatch(/token/)
  })
})

const noMount = (): string | undefined => {
  const dir = mkdtempSync(join(tmpdir(), 'plumbline-mount-'))
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', dir], { stdio: 'ignore' })
    execFileSync('umount', [dir], { stdio: 'ignore' })
    return undefined
  } catch {
    return 'this user may not mount a small disk'
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}
const why = noMount()

describe(`a full disk${why === undefined ? '' : ` (skipped: ${why})`}`, { skip: why !== undefined }, () => {
  for (const what of ['store', 'mirrors'] as const) {
    test(`of the ${what}: it is said, nothing is lost, and it goes on when there is room`, async () => {
      const dir = mkdtempSync(join(tmpdir(), 'plumbline-full-'))
      const disk = join(dir, what)
      mkdirSync(disk)
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256m', 'tmpfs', disk])
      const shop = await openShop({ dir, environments: ['sandbox'] })
      try {
        await shop.delivered('sandbox')
        const before = await inventory(shop, 'sandbox')
        const { bavail, bsize } = statfsSync(disk)
        writeFileSync(join(disk, 'filler'), Buffer.alloc(bavail * bsize))
        await page(shop, 'on a full disk').catch(() => '')
        const told = what === 'store' ? /store-unavailable|store: |No space|could not extend|disk/ : /repository-fetch-failed|No space|space left/
        await shop.until('it is said', async () => (shop.log.some((line) => told.test(line)) ? true : undefined)).catch((error: unknown) => {
          if (!shop.log.some((line) => told.test(line))) throw error
        })
        rmSync(join(disk, 'filler'))
        await shop.until('it is delivered', async () => ((await shop.kubectl('sandbox', 'get', 'configmap', 'storefront-page', '-n', 'storefront', '-o', 'yaml')).includes('on a full disk') ? true : undefined), 25_000)
        await shop.delivered('sandbox')
        expect(await inventory(shop, 'sandbox')).toEqual(before)
        await expectRecordsVerify(shop)
      } finally {
        await shop.stop()
        execFileSync('umount', ['-l', disk])
        rmSync(dir, { recursive: true, force: true })
      }
    }, 90_000)
  }
})
