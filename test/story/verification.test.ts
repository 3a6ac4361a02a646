import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { askPlayground } from '#playground/control/ask-playground.ts'
import { publicKeyOf } from '#record/dsse.ts'
import { verifyChain } from '#record/verify.ts'
import { openShop } from './shop.ts'
import type { Shop } from './shop.ts'

describe('what was delivered goes on being verified', () => {
  let shop: Shop
  let commit: string
  beforeAll(async () => {
    shop = await openShop()
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

  test('each change is a record on the chain of its environment, and no sample is', async () => {
    const { publicKey, chains } = await shop.client.exportRecords()
    const chain = chains.find((one) => one.environment === 'sandbox')
    expect(verifyChain(chain ?? { environment: '', records: [], checkpoints: [] }, [publicKeyOf(publicKey)])).toMatchObject({ defects: [] })
    const changes = (chain?.records ?? []).map((text) => JSON.parse(text) as { predicateType: string; predicate: { module: string; from: string; to: string } }).filter(({ predicateType }) => predicateType.includes('verdict-change'))
    expect(changes.filter(({ predicate }) => predicate.module === 'storefront-web').map(({ predicate }) => `${predicate.from} ${predicate.to}`)).toEqual(['passed failed', 'failed passed'])
  })
})
