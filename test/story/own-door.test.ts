import { execFileSync } from 'node:child_process'
import { createHmac } from 'node:crypto'
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { systemClock } from '#lib/clock.ts'
import { startPlayground } from '#playground/playground.ts'
import { configMap, moduleFile, openSmallShop } from './small-shop.ts'
import type { SmallShop } from './small-shop.ts'
import { expectRecordsVerify, plumbWith } from './troubled-shop.ts'

const files = { 'app/module.yaml': moduleFile('app'), 'app/manifests/map.yaml': configMap('app') }
const inventory = (shop: SmallShop): Promise<unknown> => shop.plane.parts.sql.query('select module, key, uid from inventory order by key')
const delivered = (shop: SmallShop): Promise<unknown> => shop.until('it is delivered', async () => (await shop.module('app'))?.delivery === 'synced')

describe('the control plane’s own door and folder', () => {
  let shop: SmallShop
  beforeAll(async () => {
    shop = await openSmallShop({ files })
    await delivered(shop)
  })
  afterAll(() => shop?.stop())

  test('a second playground on the same folder is refused', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'plumbline-door-'))
    const first = await startPlayground({ dir, clock: systemClock, log: () => {}, environments: ['one'] })
    await expect(startPlayground({ dir, clock: systemClock, log: () => {} })).rejects.toMatchObject({ code: 'playground-locked', hint: expect.stringMatching(/./) })
    await first.stop()
    rmSync(dir, { recursive: true, force: true })
  })

  test('hundreds of webhooks at once are each answered, and become one look', async () => {
    const body = JSON.stringify({ repository: 'shop', ref: 'refs/heads/main', before: '0'.repeat(40), after: '1'.repeat(40) })
    const signature = `sha256=${createHmac('sha256', shop.plane.webhookSecret).update(body).digest('hex')}`
    const post = async (): Promise<number> =>
      (await fetch(`${shop.plane.url}/v1/webhooks`, { method: 'POST', headers: { 'content-type': 'application/json', 'x-plumbline-signature-256': signature }, body })).status
    const answers: number[] = []
    for (let wave = 0; wave < 8; wave += 1) answers.push(...(await Promise.all(Array.from({ length: 50 }, post))))
    expect(answers.every((status) => status === 202 || status === 429)).toBe(true)
    expect(answers).toContain(202)
    expect(await shop.plane.parts.sql.query("select key from work where key = 'repository/shop'")).toHaveLength(1)
    const sha = await shop.push({ 'app/manifests/map.yaml': configMap('app', 'after the storm') })
    expect(await shop.settled(sha)).toMatchObject({ state: 'succeeded' })
  })

  test('a token that was taken back opens nothing any more', async () => {
    const { token } = await shop.client.createToken({ name: 'sam', role: 'viewer', environments: ['*'], emails: [] })
    expect(await plumbWith(shop, { server: shop.plane.url, token }, 'status')).toMatchObject({ out: expect.stringContaining('dev'), err: '' })
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

/** Writes a file until there is no room for another page of it: others write there meanwhile. */
function fill(path: string): void {
  const file = openSync(path, 'w')
  for (const size of [1 << 20, 4096]) {
    try {
      for (;;) writeSync(file, Buffer.alloc(size))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
    }
  }
  closeSync(file)
}

describe(`a full disk${why === undefined ? '' : ` (skipped: ${why})`}`, { skip: why !== undefined }, () => {
  // Whoever wants something written is told; what was read before can be read still.
  test.each([
    ['store', ['token', 'create', 'sam', '--role', 'viewer'], /^store-unavailable: store: The store is not available: .*\n +The disk of the store is full: make room\. Nothing that was acknowledged is lost/],
    ['mirrors', ['status'], /repository-fetch-failed: repository shop: .*No space left on device.*\n +The disk of the mirrors is full: make room\. What was fetched last still stands/],
  ])('of the %s: it is said, nothing is lost, and it goes on when there is room', async (what, words, told) => {
    let disk = ''
    const shop = await openSmallShop({
      files,
      prepare: (_, dir) => {
        disk = join(dir, what)
        mkdirSync(disk)
        execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256m', 'tmpfs', disk])
      },
    })
    try {
      await delivered(shop)
      const before = await inventory(shop)
      fill(join(disk, 'filler'))
      await shop.push({ 'app/manifests/map.yaml': configMap('app', 'on a full disk') }).catch(() => '')
      await shop.until('it is said', async () => {
        await shop.look().catch(() => {})
        const { code, out, err } = await shop.plumb(...words)
        return code === 4 && told.test(`${err}${out}`)
      })
      rmSync(join(disk, 'filler'))
      await shop.look().catch(() => {})
      await shop.until('it is delivered', async () => ((await shop.kubernetes('GET', '/api/v1/namespaces/default/configmaps/app'))['data'] as { a?: string })['a'] === 'on a full disk')
      await shop.until('all is well', async () => (await shop.plumb('status')).code === 0)
      expect(await inventory(shop)).toEqual(before)
      await expectRecordsVerify(shop)
    } finally {
      // Detached, and gone with the last who has it open.
      execFileSync('umount', ['-l', disk])
      await shop.stop()
    }
  }, 90_000)
})
