import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { askPlayground } from '#playground/control/ask-playground.ts'
import { publicKeyOf } from '#record/dsse.ts'
import { verifyChain } from '#record/verify.ts'
import { openShop } from './shop.ts'
import type { Shop } from './shop.ts'

const document = (kind: string, name: string, spec: string): string => `apiVersion: plumbline.dev/v1alpha1\nkind: ${kind}\nmetadata: { name: ${name} }\nspec: ${spec}\n`

describe('what was delivered goes on being verified', () => {
  let shop: Shop
  let commit: string
  beforeAll(async () => {
    shop = await openShop({ environments: ['sandbox'] })
    commit = await shop.push('storefront', { 'deploy/module.yaml': (text) => text.replace(/verifyEvery: \w+/, 'verifyEvery: 1s') }, 'Look every second')
    await shop.settled('sandbox', commit)
    await shop.delivered('sandbox')
  })
  afterAll(() => shop.stop())

  const page = async () => {
    const module = await shop.module('sandbox', 'storefront-web')
    return { module, probe: module?.probes.find((one) => one.probe === 'page') }
  }

  test('what breaks later is synced and failed, says since when and after what, and passes again by itself', async () => {
    const before = await shop.until('it was looked at again', async () => {
      const { probe } = await page()
      return probe !== undefined && probe.onset !== probe.askedAt ? probe : undefined
    })
    expect(before).toMatchObject({ verdict: 'passed', causes: [{ kind: 'run', about: 'Look every second' }], flapping: false, history: [] })
    await askPlayground(shop.dir, { do: 'break', what: 'ingress', environment: 'sandbox' })
    const failed = await shop.until('the page fails', async () => {
      const { module, probe } = await page()
      return module?.verification === 'failed' ? { module, probe } : undefined
    })
    expect(failed.module).toMatchObject({ delivery: 'synced', verification: 'failed', verifiedSince: null })
    expect(failed.probe).toMatchObject({ verdict: 'failed', message: expect.stringMatching(/refused|closed|reset/), causes: [{ kind: 'run', about: 'Look every second' }], history: [{ from: 'passed', to: 'failed' }] })
    const onset = Date.parse(failed.probe?.onset ?? '')
    // A sample is collected from when it is asked for: that may be the moment before the break.
    expect(onset).toBeGreaterThan(Date.parse(before.askedAt))
    expect(Date.parse(failed.probe?.lastBefore ?? '')).toBeLessThan(onset)
    await askPlayground(shop.dir, { do: 'mend', what: 'ingress', environment: 'sandbox' })
    const mended = await shop.until('the page passes', async () => {
      const { module, probe } = await page()
      return module?.verification === 'passed' ? { module, probe } : undefined
    })
    expect(mended.probe).toMatchObject({ verdict: 'passed', history: [{ to: 'failed' }, { from: 'failed', to: 'passed' }] })
    expect(Date.parse(mended.module?.verifiedSince ?? '')).toBeGreaterThan(onset)
  })

  test('a set of the platform team proves a module that names it, and a change as a whole fails its run', async () => {
    const policy = await shop.push('platform', {
      'probes/web.yaml': document('ProbeSet', 'web', '{ probes: [{ name: front, http: { address: ingress, host: "shop.${environment}.example", path: /, status: 200 } }] }'),
      'environments/sandbox.yaml': (text) => `${text.trimEnd()}\n  onFailure: alert\n  changeProbes: [{ name: teapot, http: { address: ingress, host: shop.sandbox.example, path: /, status: 418 }, within: 1s }]\n`,
    }, 'A change is a teapot')
    expect(await shop.settled('sandbox', policy)).toMatchObject({ kind: 'policy', state: 'succeeded' })
    const run = await shop.settled('sandbox', await shop.push('storefront', { 'deploy/module.yaml': (text) => text.replace('  verifyEvery', '  probeSets: [web]\n  verifyEvery') }, 'Proven as the platform says'))
    expect(run).toMatchObject({ state: 'failed', failure: null })
    expect(run.steps.find((step) => step.module === 'storefront-web')).toMatchObject({ delivery: 'delivered', verification: 'passed' })
    expect(run.probes).toEqual(expect.arrayContaining([
      expect.objectContaining({ module: 'storefront-web', probe: 'web/front', verdict: 'passed' }),
      expect.objectContaining({ module: '@environment', probe: 'change/teapot', verdict: 'failed' }),
    ]))
    const sandbox = (await shop.client.status()).environments.find((one) => one.name === 'sandbox')
    expect(sandbox).toMatchObject({ verification: 'failed', probes: [{ probe: 'change/teapot', verdict: 'failed', causes: [{ kind: 'run', id: run.id }] }] })
  })

  test('where a verification that fails is only told, what depends on it goes on', async () => {
    const run = await shop.settled('sandbox', await shop.push('platform', { 'baseline/module.yaml': (text) => text.replace('== "Active"', '== "Nonesuch"').replace(/within: \w+/, 'within: 1s') }, 'Expect what is not'))
    const step = (module: string) => run.steps.find((one) => one.module === module)
    expect(step('baseline')).toMatchObject({ delivery: 'delivered', verification: 'failed', onFailure: 'alert' })
    expect(step('orders-api')).toMatchObject({ delivery: 'delivered', verification: 'passed' })
    const told = await shop.plane.parts.sql.query<{ module: string }>(`select module from notification where kind = 'alert' and environment = 'sandbox'`)
    expect(told).toEqual([{ module: 'baseline' }])
  })

  test('each change is a record on the chain of its environment, and no sample is', async () => {
    const { publicKey, chains } = await shop.client.exportRecords()
    const chain = chains.find((one) => one.environment === 'sandbox')
    expect(verifyChain(chain ?? { environment: '', records: [], checkpoints: [] }, [publicKeyOf(publicKey)])).toMatchObject({ defects: [] })
    const changes = (chain?.records ?? []).map((text) => JSON.parse(text) as { predicateType: string; predicate: { module: string; from: string; to: string } }).filter(({ predicateType }) => predicateType.includes('verdict-change'))
    expect(changes.filter(({ predicate }) => predicate.module === 'storefront-web').map(({ predicate }) => `${predicate.from} ${predicate.to}`)).toEqual(['passed failed', 'failed passed'])
  })
})
