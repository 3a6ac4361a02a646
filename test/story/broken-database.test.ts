import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { askPlayground } from '#playground/control/ask-playground.ts'
import { findPostgres } from '#playground/databases/programs.ts'
import { openShop } from './shop.ts'
import type { Shop } from './shop.ts'
import { expectRecordsVerify, plumbWith } from './troubled-shop.ts'

const hasPostgres = findPostgres(process.env['PATH'] ?? '') !== undefined
const verifyEveryMs = 5_000

/** Fewer questions at once, asked more often, and one of them as long as the example asks it: what a server that hangs is told by. */
function hurried(module: string): string {
  const [connects = '', ...others] = module.replaceAll('within: 60s', 'within: 2s').replace(/verifyEvery: \S+/, `verifyEvery: ${verifyEveryMs}ms`).split('    # A primary')
  return [connects, ...others.map((text) => text.replaceAll('within: 2s', 'within: 2s\n      timeout: 1s'))].join('    # A primary')
}

describe.skipIf(!hasPostgres)('a database that breaks while everything is delivered (skipped where there is no PostgreSQL)', () => {
  let shop: Shop
  const tell = (verb: 'break' | 'mend', what: string) => askPlayground(shop.dir, { do: verb, what, environment: 'production' })
  const probe = async (name: string) => {
    const module = await shop.module('production', 'orders-database')
    const found = module?.probes.find((one) => one.probe === name)
    return module === undefined || found === undefined ? undefined : { module, probe: found }
  }
  /** What a probe says when the module is verified as that. */
  const seen = (name: string, verdict: 'passed' | 'failed') => shop.until(`${name} ${verdict}`, async () => {
    const found = await probe(name)
    return found?.probe.verdict === verdict && found.module.verification === verdict ? found : undefined
  }, 60_000)
  const approved = async (commit: string) => {
    const waiting = await shop.until('production waits for an approval', async () => {
      const { runs } = await shop.client.runs({ environment: 'production' })
      return runs.find((run) => run.state === 'waiting' && run.changes.some(({ sha }) => sha === commit) && run.waiting.length > 0 && run.waiting.every((one) => one.waitingFor === 'approval'))
    })
    await shop.client.approve(waiting.id, { plan: waiting.plan?.digest ?? '', reason: 'as it should be', objects: [] })
    return shop.ended(waiting.id)
  }

  beforeAll(async () => {
    shop = await openShop()
    const commit = await shop.push('orders', { 'database/module.yaml': hurried }, 'Say at once what is wrong')
    await shop.delivered('sandbox', 'staging')
    await approved(commit)
    await shop.delivered('production')
  })
  afterAll(() => shop.stop())

  test('replication that is paused: seen by itself; a delivery is synced, and its verification fails; mended, it passes', async () => {
    const brokenAt = Date.now()
    await tell('break', 'replication')
    const failed = await seen('replica-lag', 'failed')
    expect(failed.module).toMatchObject({ delivery: 'synced', verification: 'failed' })
    expect(failed.probe.message).toMatch(/^replica lag \d+(\.\d+)? s, threshold 10 s$/)
    // Ten seconds of lag are there after ten seconds, and are seen within one interval, and the time that a look takes.
    const late = Date.parse(failed.probe.onset) - brokenAt - 10_000
    expect(late).toBeGreaterThan(-1_500)
    expect(late).toBeLessThan(verifyEveryMs + 2_000)

    const run = await approved(await shop.push('orders', { 'database/production/connection.yaml': (text) => `${text.trimEnd()}\n  DATABASE_POOL: "8"\n` }, 'Name the size of the pool'))
    expect(run.probes.find(({ probe: name }) => name === 'replica-lag')).toMatchObject({ verdict: 'failed', samples: expect.arrayContaining([expect.objectContaining({ message: expect.stringMatching(/^replica lag \d+(\.\d+)? s, threshold 10 s$/) })]) })
    expect(run.state).toBe('failed')
    expect(run.steps.find(({ module }) => module === 'orders-database')).toMatchObject({ delivery: 'delivered', verification: 'failed' })
    expect(await shop.module('production', 'orders-database')).toMatchObject({ delivery: 'synced', verification: 'failed' })

    const mendedAt = Date.now()
    await tell('mend', 'replication')
    const passed = await seen('replica-lag', 'passed')
    expect(passed.module.delivery).toBe('synced')
    expect(Date.parse(passed.probe.onset) - mendedAt).toBeLessThan(verifyEveryMs + 2_000)
    expect(passed.probe.history.map(({ from, to }) => `${from} ${to}`).at(-1)).toMatch(/^(failed|warned) passed$/)
  })

  test('a primary that hangs: the connection is timed out, what needs it is unknown, and mended it passes', async () => {
    const brokenAt = Date.now()
    await tell('break', 'primary')
    const failed = await seen('connects', 'failed')
    expect(failed.module).toMatchObject({ delivery: 'synced', verification: 'failed' })
    expect(failed.probe.message).toMatch(/^connection: timed out after 5(\.\d)? s$/)
    expect(Date.parse(failed.probe.onset) - brokenAt).toBeLessThan(verifyEveryMs + 2_000)
    expect(failed.module.probes.find((one) => one.probe === 'replica-lag')).toMatchObject({ verdict: 'unknown', message: expect.stringContaining('connection to orders-db: timed out') })
    const mendedAt = Date.now()
    await tell('mend', 'primary')
    const passed = await seen('connects', 'passed')
    expect(Date.parse(passed.probe.onset) - mendedAt).toBeLessThan(verifyEveryMs + 5_000)
  })

  test('the line of time tells the whole of it', async () => {
    const { code, out } = await plumbWith(shop, { dir: shop.dir }, 'timeline', '-e', 'production', '-m', 'orders-database', '--since', '10m')
    expect(code).toBe(0)
    const told = [
      /(●|▲) verdict {3}.*(verification|is) (passed|warned)/,
      /✗ verdict {3}.*replica-lag failed: replica lag \d+(\.\d+)? s, threshold 10 s/,
      /run {7}began: Name the size of the pool/,
      /✗ verdict {3}verification failed: replica lag \d+(\.\d+)? s, threshold 10 s/,
      /● verdict {3}.*replica-lag passed: replica lag/,
      /✗ verdict {3}.*connects failed: connection: timed out after 5(\.\d)? s/,
      /● verdict {3}.*connects passed: connected/,
    ]
    expect(out).toMatch(/change {4}orders [0-9a-f]{8}: Name the size of the pool/)
    const lines = out.split('\n')
    // The run found what was so already: it tells no time of its own since when that is so.
    const began = lines.findIndex((line) => line.includes('began: Name the size of the pool'))
    expect(lines.slice(began, lines.findIndex((line) => /✗ verdict {3}verification failed/.test(line))).filter((line) => line.includes('so it is from here on'))).toEqual([])
    let at = -1
    for (const one of told) {
      const next = lines.findIndex((line, index) => index > at && one.test(line))
      expect(next, `${one} after line ${at} of\n${out}`).toBeGreaterThan(at)
      at = next
    }
    await expectRecordsVerify(shop)
  })

  test('the failover is an operation: with a yes of somebody else the replica takes over, and the record has each condition and step', async () => {
    const { run: id = '' } = await shop.client.operate('production', 'promote-replica', { from: null, reason: 'Does the failover work?' })
    const waiting = await shop.until('the failover waits for an approval', async () => {
      const run = await shop.client.show(id ?? '')
      return run.state === 'waiting' ? run : undefined
    })
    const noor = await shop.person('noor', 'approver')
    await noor.approve(waiting.id, { plan: waiting.plan?.digest ?? '', reason: 'it is a drill', objects: [] })
    const run = await shop.ended(waiting.id)
    expect(run).toMatchObject({ state: 'succeeded', failure: null, record: { digest: expect.any(String) } })
    expect(run.operation?.steps.map(({ name, state, message }) => [name, state, message])).toEqual([
      ['pre', 'done', expect.stringMatching(/primary-accepts-writes passed: accepts writes; replica-lag passed: replica lag/)],
      ['promote', 'done', 'it was carried out, and answered 1 row'],
      ['post', 'done', expect.stringMatching(/replica-accepts-writes passed: accepts writes; holds-orders passed/)],
    ])
    const { chains } = await shop.client.exportRecords({ environment: 'production' })
    const record = chains[0]?.records.map((text) => JSON.parse(text) as { predicate: { run?: string; approvals?: object[] } }).find(({ predicate }) => predicate.run === run.id)
    expect(record?.predicate).toMatchObject({ operation: { steps: [{ name: 'pre' }, { name: 'promote' }, { name: 'post' }] }, approvals: [{ principal: 'noor' }] })
    // There is nothing left to promote: the conditions say so before anything is done.
    expect(await askPlayground(shop.dir, { do: 'list' })).toContainEqual(expect.objectContaining({ name: 'promote', state: 'broken' }))
    await seen('replica-follows', 'failed')
  })

  test('no password of the database is in a run, a status or the log', async () => {
    const secrets = ['orders-db', 'orders-db-replica', 'orders-db-failover'].map((name) => join(shop.playground.credentials, name))
    const { runs } = await shop.client.runs({ environment: 'production' })
    const told = JSON.stringify([await Promise.all(runs.map((run) => shop.client.show(run.id))), await shop.client.status(), shop.log])
    for (const path of secrets) {
      const password = new URL(readFileSync(path, 'utf8').trim()).password
      expect(password.length).toBeGreaterThan(20)
      expect(told).not.toContain(password)
    }
  })
})
