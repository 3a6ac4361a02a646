import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { publicKeyOf } from '#record/dsse.ts'
import { verifyChain } from '#record/verify.ts'
import { postgresMissing, startPostgres } from '../postgres.ts'
import { openShop } from './shop.ts'
import type { Shop } from './shop.ts'

const missing = postgresMissing()

describe.skipIf(missing !== undefined)(`the path on a PostgreSQL server${missing === undefined ? '' : ` (${missing})`}`, () => {
  let shop: Shop
  let database: { url: string; stop: () => Promise<void> }
  beforeAll(async () => {
    database = await startPostgres()
    shop = await openShop({ databaseUrl: database.url })
    await shop.delivered('sandbox', 'staging')
  })
  afterAll(async () => {
    await shop.stop()
    await database.stop()
  })

  test('a change, an approval, a removal, and what nothing changes', async () => {
    const first = await shop.until('production waits', async () => (await shop.client.runs({ environment: 'production' })).runs.find((run) => run.state === 'waiting' && run.waiting.every((one) => one.waitingFor === 'approval')))
    expect(first.waiting.map((one) => one.code)).toEqual(['review.approvals'])
    await shop.client.approve(first.id, { plan: first.plan?.digest ?? '', reason: 'the first delivery', objects: [] })
    expect(await shop.ended(first.id)).toMatchObject({ state: 'succeeded', approvals: [{ principal: 'admin' }] })

    const added = await shop.settled('sandbox', await shop.push('storefront', {
      'deploy/sandbox/extra.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: extra, namespace: storefront }\ndata: { ü: "\\u00e4\\n", quote: "it’s \\"so\\"", zero: "\\\\u0000" }\n'.replace('ü', 'ue'),
      'deploy/sandbox/configmap.yaml': (text) => text.replace('Good', 'Bessere'),
    }, 'Größer — "besser"', 'Jörg Ångström <joerg@storefront.example>'))
    expect(added).toMatchObject({ state: 'succeeded', actor: 'Jörg Ångström <joerg@storefront.example>', reason: 'Größer — "besser"', plan: { summary: { created: 1, configured: 1 } } })
    expect(added.probes.every((probe) => probe.verdict === 'passed')).toBe(true)

    const sent = () => shop.playground.clusters['sandbox']?.api.requests().filter((request) => request.method !== 'GET').length
    const before = sent()
    const quiet = await shop.push('orders', { 'deploy/sandbox/configmap.yaml': (text) => `# a word\n${text}` }, 'Explain')
    await shop.until('it is seen', async () => {
      const { snapshot, repositories } = await shop.client.status()
      return repositories.some((one) => one.head === quiet) && (await shop.module('sandbox', 'orders-api'))?.snapshot === snapshot ? true : undefined
    })
    expect(sent()).toBe(before)

    const removed = await shop.settled('sandbox', await shop.push('storefront', { 'deploy/sandbox/extra.yaml': null }, 'Smaller'))
    expect(removed).toMatchObject({ state: 'succeeded', plan: { summary: { deleted: 1 } } })
    expect(await shop.kubectl('sandbox', 'get', 'configmaps', '-n', 'storefront', '-o', 'name')).not.toContain('extra')
  })

  test('every record verifies', async () => {
    const { publicKey, chains } = await shop.client.exportRecords()
    expect(chains).toHaveLength(3)
    for (const chain of chains) expect(verifyChain(chain, [publicKeyOf(publicKey)])).toMatchObject({ records: chain.records.length, sealed: chain.records.length, defects: [] })
  })
})
