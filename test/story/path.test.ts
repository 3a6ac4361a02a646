import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { publicKeyOf } from '#record/dsse.ts'
import { verifyChain } from '#record/verify.ts'
import { openShop } from './shop.ts'
import type { Shop } from './shop.ts'

describe('a commit becomes a verified run with a signed record', () => {
  let shop: Shop
  beforeAll(async () => {
    shop = await openShop()
    await shop.delivered('sandbox', 'staging')
  })
  afterAll(() => shop.stop())

  test('the first delivery of production waits for an approval, and is delivered with it', async () => {
    const waiting = await shop.until('production waits for an approval', async () => {
      const { runs } = await shop.client.runs({ environment: 'production' })
      return runs.find((run) => run.state === 'waiting' && run.waiting.every((one) => one.waitingFor === 'approval'))
    })
    expect(waiting.waiting.map((one) => one.code)).toEqual(['review.approvals'])
    await shop.client.approve(waiting.id, { plan: waiting.plan?.digest ?? '', reason: 'the first delivery', objects: [] })
    await shop.delivered('production')
    const run = await shop.client.show(waiting.id)
    expect(run).toMatchObject({ state: 'succeeded', approvals: [{ principal: 'admin', reason: 'the first delivery' }] })
    expect(run.plan?.digest).toBe(waiting.plan?.digest)
  })

  test('a change of a page is delivered, verified and recorded, and tells who, why and what', async () => {
    const commit = await shop.push('storefront', { 'deploy/sandbox/configmap.yaml': (text) => `${text}  CHANGED: "yes"\n` }, 'Say it louder\n\nTicket: SHOP-7', 'Bo Lind <bo@storefront.example>')
    const run = await shop.settled('sandbox', commit)
    expect(run).toMatchObject({ state: 'succeeded', actor: 'Bo Lind <bo@storefront.example>', reason: 'Say it louder', ticket: 'SHOP-7' })
    const effect = run.steps.find((step) => step.module === 'storefront-web')?.effects.find((one) => one.action === 'configured')
    expect(effect).toMatchObject({ key: expect.stringContaining('ConfigMap/storefront/'), outcome: 'configured', changes: [{ path: 'data.CHANGED', state: 'added', to: 'yes' }] })
    expect(run.probes.filter((probe) => probe.module === 'storefront-web').length).toBeGreaterThan(0)
    expect(run.probes.every((probe) => probe.verdict === 'passed')).toBe(true)
    expect(run.record).toMatchObject({ digest: expect.stringMatching(/^sha256:/) })
    expect(await shop.kubectl('sandbox', 'get', 'configmaps', '-n', 'storefront', '-o', 'yaml')).toContain('CHANGED: "yes"')
  })

  test('a commit that changes nothing costs the cluster nothing but reads', async () => {
    const server = shop.playground.clusters['sandbox']?.api
    const before = server?.requests().length ?? 0
    const commit = await shop.push('orders', { 'deploy/sandbox/configmap.yaml': (text) => `# a word for the reader\n${text}` }, 'Explain')
    await shop.until('the snapshot is where sandbox is', async () => {
      const { snapshot, repositories } = await shop.client.status()
      const module = await shop.module('sandbox', 'orders-api')
      return repositories.some((one) => one.head === commit) && module?.snapshot === snapshot ? true : undefined
    })
    expect(await shop.module('sandbox', 'orders-api')).toMatchObject({ delivery: 'synced', verification: 'passed' })
    const writes = (server?.requests() ?? []).slice(before).filter((request) => request.method !== 'GET')
    expect(writes).toEqual([])
    const { runs } = await shop.client.runs({ environment: 'sandbox' })
    expect(runs.some((run) => run.changes.some((change) => change.sha === commit))).toBe(false)
  })

  test('a probe that fails leaves the delivery synced and the verification failed', async () => {
    const commit = await shop.push('storefront', {
      'deploy/module.yaml': (text) => text.replace(/status: 200\n/, 'status: 418\n').replaceAll(/within: \d+s/g, 'within: 2s'),
    }, 'Expect a teapot')
    const run = await shop.settled('sandbox', commit)
    expect(run.state).toBe('failed')
    expect(run.steps.find((step) => step.module === 'storefront-web')).toMatchObject({ delivery: 'delivered', verification: 'failed' })
    const probe = run.probes.find((one) => one.verdict === 'failed')
    expect(probe?.samples.at(-1)?.message).toMatch(/200.*418/)
    expect(await shop.module('sandbox', 'storefront-web')).toMatchObject({ delivery: 'synced', verification: 'failed' })
    const mended = await shop.push('storefront', { 'deploy/module.yaml': (text) => text.replace('status: 418\n', 'status: 200\n') }, 'No teapot')
    expect(await shop.settled('sandbox', mended)).toMatchObject({ state: 'succeeded' })
  })

  test('what is removed from Git is pruned, and nothing else', async () => {
    await shop.push('storefront', { 'deploy/sandbox/extra.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: extra, namespace: storefront }\ndata: { a: b }\n' }, 'Something extra')
    await shop.until('it is there', async () => ((await shop.kubectl('sandbox', 'get', 'configmaps', '-n', 'storefront')).includes('extra') ? true : undefined))
    await shop.kubectl('sandbox', 'create', 'configmap', 'by-hand', '-n', 'storefront')
    await shop.kubectl('sandbox', 'label', 'configmap', 'by-hand', '-n', 'storefront', 'plumbline.dev/module=storefront-web')
    const commit = await shop.push('storefront', { 'deploy/sandbox/extra.yaml': null }, 'Nothing extra')
    const run = await shop.settled('sandbox', commit)
    expect(run).toMatchObject({ state: 'succeeded', plan: { summary: { deleted: 1 } } })
    const left = await shop.kubectl('sandbox', 'get', 'configmaps', '-n', 'storefront')
    expect(left).not.toContain('extra')
    expect(left).toContain('by-hand')
  })

  test('every record verifies offline, with the public key alone', async () => {
    const { publicKey, chains } = await shop.client.exportRecords()
    expect(chains.map((chain) => chain.environment).sort()).toEqual(['production', 'sandbox', 'staging'])
    for (const chain of chains) expect(verifyChain(chain, [publicKeyOf(publicKey)])).toMatchObject({ records: chain.records.length, sealed: chain.records.length, defects: [] })
  })
})
