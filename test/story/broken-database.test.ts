import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { askPlayground } from '#playground/control/ask-playground.ts'
import { findPostgres } from '#playground/databases/programs.ts'
import { openShop } from './shop.ts'
import type { Shop } from './shop.ts'

const hasPostgres = findPostgres(process.env['PATH'] ?? '') !== undefined

describe.skipIf(!hasPostgres)('a database that breaks while everything is delivered (skipped where there is no PostgreSQL)', () => {
  let shop: Shop
  const verified = async () => {
    const { run } = await shop.client.verify('production', { modules: ['orders-database'], reason: 'after it was touched' })
    return shop.ended(run ?? '')
  }
  const verdicts = (run: Awaited<ReturnType<Shop['ended']>>): Record<string, string> => Object.fromEntries(run.probes.map(({ probe, verdict }) => [probe, verdict]))

  beforeAll(async () => {
    shop = await openShop()
    await shop.push('orders', { 'database/module.yaml': (text) => text.replaceAll('within: 60s', 'within: 2s') }, 'Say at once what is wrong')
    await shop.delivered('sandbox', 'staging')
    const waiting = await shop.until('production waits for an approval', async () => {
      const { runs } = await shop.client.runs({ environment: 'production' })
      return runs.find((run) => run.state === 'waiting' && run.waiting.length > 0 && run.waiting.every((one) => one.waitingFor === 'approval'))
    })
    await shop.client.approve(waiting.id, { plan: waiting.plan?.digest ?? '', reason: 'the first delivery', objects: [] })
    await shop.delivered('production')
  })
  afterAll(() => shop.stop())

  test('is still synced, and no longer verified: the probe says what it met, and mended it passes again', async () => {
    await askPlayground(shop.dir, { do: 'break', what: 'replica', environment: 'production' })
    const broken = await verified()
    expect(broken.state).toBe('failed')
    // What could not be reached is failed or unknown, and never passed.
    expect(verdicts(broken)).toMatchObject({ connects: 'passed', 'accepts-writes': 'passed', 'holds-orders': 'passed', 'replica-follows': expect.stringMatching(/failed|unknown/), 'replica-lag': expect.stringMatching(/failed|unknown/) })
    expect(await shop.module('production', 'orders-database')).toMatchObject({ delivery: 'synced', verification: expect.stringMatching(/failed|unknown/) })
    await askPlayground(shop.dir, { do: 'mend', what: 'replica', environment: 'production' })
    expect(verdicts(await verified())).toMatchObject({ 'replica-follows': 'passed', 'replica-lag': 'passed' })
    expect(await shop.module('production', 'orders-database')).toMatchObject({ delivery: 'synced', verification: 'passed' })
  })

  test('a replica that falls behind is seen by itself, with an onset, and so is that it follows again', async () => {
    const lag = async () => {
      const module = await shop.module('production', 'orders-database')
      return { module, probe: module?.probes.find((one) => one.probe === 'replica-lag') }
    }
    const brokenAt = Date.now()
    await askPlayground(shop.dir, { do: 'break', what: 'replication', environment: 'production' })
    const failed = await shop.until('the lag is too long', async () => {
      const found = await lag()
      return found.probe?.verdict === 'failed' ? found : undefined
    }, 60_000)
    expect(failed.module).toMatchObject({ delivery: 'synced', verification: 'failed' })
    expect(failed.probe?.message).toMatch(/^replica lag \d+(\.\d+)? s, threshold 10 s$/)
    // Since the lag is more than 10 s, seen within one verifyEvery (10 s); what lies just before is the run that delivered it.
    expect(Date.parse(failed.probe?.onset ?? '') - brokenAt).toBeLessThan(30_000)
    expect(failed.probe?.causes).toMatchObject([{ kind: 'run' }])
    await askPlayground(shop.dir, { do: 'mend', what: 'replication', environment: 'production' })
    const mendedAt = Date.now()
    const passed = await shop.until('it follows again', async () => {
      const found = await lag()
      return found.probe?.verdict === 'passed' && found.module?.verification === 'passed' ? found : undefined
    }, 60_000)
    expect(Date.parse(passed.probe?.onset ?? '') - mendedAt).toBeLessThan(20_000)
    expect(passed.probe?.history.map(({ from, to }) => `${from} ${to}`).at(-1)).toMatch(/^(failed|warned) passed$/)
  })

  test('no password of the database is in a run, a status or the log', async () => {
    const secrets = ['orders-db', 'orders-db-replica'].map((name) => join(shop.playground.credentials, name))
    const { runs } = await shop.client.runs({ environment: 'production' })
    const told = JSON.stringify([await Promise.all(runs.map((run) => shop.client.show(run.id))), await shop.client.status(), shop.log])
    for (const path of secrets) {
      const password = new URL(readFileSync(path, 'utf8').trim()).password
      expect(password.length).toBeGreaterThan(20)
      expect(told).not.toContain(password)
    }
  })
})
