import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { isEnded } from '#model/run.ts'
import { configMap, moduleFile, openSmallShop } from './small-shop.ts'
import type { SmallShop } from './small-shop.ts'

const path = '/api/v1/namespaces/default/configmaps/app'

describe('a run that another one overtakes while its plan is made', () => {
  let shop: SmallShop
  beforeAll(async () => {
    shop = await openSmallShop({
      environment: '  targets: { cluster: { kubernetes: { context: dev } } }\n  drift: { missing: report, unknown: report, manual: report }\n',
      files: { 'app/module.yaml': moduleFile('app'), 'app/manifests/map.yaml': configMap('app') },
    })
    await shop.until('it is there', async () => (await shop.module('app'))?.delivery === 'synced')
  })
  afterAll(() => shop?.stop())

  const ended = (run: string) =>
    shop.until(`run ${run} has ended`, async () => {
      const now = await shop.client.show(run)
      return isEnded(now.state) ? now : undefined
    })

  /** The next run stands still between its plan and its first effect, until another one has ended. */
  function overtaken(by: () => Promise<string>): void {
    const mirror = shop.plane.parts.repositories.mirror('shop')
    const { keep } = mirror
    mirror.keep = async (sha) => {
      mirror.keep = keep
      expect(await ended(await by())).toMatchObject({ state: 'succeeded' })
      await mirror.keep(sha)
    }
  }

  test('is planned anew, and ends with the thing delivered: by a revert of the same object', async () => {
    await shop.kubernetes('DELETE', path)
    const finding = await shop.until('it is found', async () => (await shop.client.findings({})).findings.find(({ state }) => state === 'open'))
    overtaken(async () => (await shop.client.revert(finding.id, { reason: 'as it was', ticket: null })).run ?? '')
    const { run } = await shop.client.deploy('dev', { modules: ['app'], reason: 'somebody deleted it' })
    expect(await ended(run ?? '')).toMatchObject({ state: 'succeeded', failure: null, steps: [{ delivery: 'delivered', effects: [{ action: 'unchanged' }] }] })
    expect(await shop.module('app')).toMatchObject({ delivery: 'synced', failure: null, run })
    expect(await shop.kubernetes('GET', path)).toMatchObject({ data: { a: '1' } })
    expect((await shop.client.runs({})).runs.map(({ kind }) => kind)).toEqual(['revert', 'deploy', 'change'])
  })
})
