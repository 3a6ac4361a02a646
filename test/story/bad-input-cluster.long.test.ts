import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { ShowAnswer } from '#api/client.ts'
import { openShop } from './shop.ts'
import type { Shop } from './shop.ts'
import { expectRecordsVerify, plumb } from './troubled-shop.ts'

/** A fault that lasts until it is over: matches while it is on. */
class Trouble extends RegExp {
  on = true
  override test(url: string): boolean {
    return this.on && super.test(url)
  }
}

describe('a cluster in trouble is waited for, and what is not known is never fine', () => {
  let shop: Shop
  let count = 0
  beforeAll(async () => {
    shop = await openShop({ environments: ['sandbox'] })
    await shop.delivered('sandbox')
  })
  afterAll(async () => {
    if (shop === undefined) return
    await expectRecordsVerify(shop)
    await shop.stop()
  })

  const troubles: Trouble[] = []
  afterEach(() => {
    for (const one of troubles.splice(0)) one.on = false
  })
  function trouble(answer: '500' | 'drop' | 'hang' | '429', what: { method?: string; path?: string } = {}): Trouble {
    const path = new Trouble(what.path ?? '/')
    troubles.push(path)
    shop.playground.clusters['sandbox']?.api.inject({ times: 1_000_000, path, answer, ...(what.method === undefined ? {} : { method: what.method }) })
    return path
  }
  const page = (): Promise<string> =>
    shop.push('storefront', { 'deploy/sandbox/configmap.yaml': (text) => text.replace(/message: .*/, `message: number ${(count += 1)}`) }, 'A page', 'Bo Lind <bo@storefront.example>')
  const runOf = async (commit: string): Promise<ShowAnswer | undefined> => {
    const found = (await shop.client.runs({ environment: 'sandbox' })).runs.find((run) => run.changes.some((change) => change.sha === commit))
    return found === undefined ? undefined : shop.client.show(found.id)
  }
  const live = (): Promise<string> => shop.kubectl('sandbox', 'get', 'configmap', 'storefront-page', '-n', 'storefront', '-o', 'yaml')

  test.each([
    ['drops every connection', 'drop', 'kubernetes-unreachable'],
    ['answers 500', '500', 'kubernetes-failing'],
  ] as const)('it %s while a run is planned: the run waits, says so, gives way to a newer push, and goes on by itself', async (_, answer, code) => {
    const over = trouble(answer)
    const commit = await page()
    const waiting = await shop.until('the run says what it waits for', async () => {
      const run = await runOf(commit)
      return (run?.failure ?? null) === null ? undefined : run
    })
    expect(waiting).toMatchObject({ state: 'planning', failure: { code, retry: 'later', hint: expect.stringMatching(/./) }, plan: null })
    expect(await shop.module('sandbox', 'storefront-web')).toMatchObject({ delivery: 'behind', verification: 'passed', note: waiting.failure?.message })
    const asked = await plumb(shop, 'plan', '-e', 'sandbox')
    expect(asked).toMatchObject({ code: 4, err: expect.stringContaining(code) })
    const newer = await page()
    await shop.until('the newer push has replaced it', async () => ((await shop.client.show(waiting.id)).state === 'superseded' ? true : undefined))
    over.on = false
    expect(await shop.settled('sandbox', newer)).toMatchObject({ state: 'succeeded' })
    expect(await live()).toContain(`number ${count}`)
  })

  test('it answers 429 with Retry-After: it is left alone for that long', async () => {
    shop.playground.clusters['sandbox']?.api.inject({ times: 2, method: 'PATCH', answer: '429', retryAfterSeconds: 1 })
    const commit = await page()
    expect(await shop.settled('sandbox', commit)).toMatchObject({ state: 'succeeded' })
    expect(await live()).toContain(`number ${count}`)
  })

  test('it fails while a run applies: the run says so, asks what became of it, and goes on', async () => {
    const over = trouble('500', { method: 'PATCH' })
    const commit = await page()
    const waiting = await shop.until('the run says what it waits for', async () => {
      const run = await runOf(commit)
      return run?.steps.some((step) => step.failure !== undefined) === true ? run : undefined
    })
    expect(waiting).toMatchObject({ state: 'delivering' })
    expect(waiting.steps.find((step) => step.module === 'storefront-web')).toMatchObject({ delivery: 'delivering', failure: { code: 'kubernetes-failing' } })
    expect(await shop.module('sandbox', 'storefront-web')).toMatchObject({ delivery: 'progressing' })
    over.on = false
    const run = await shop.settled('sandbox', commit)
    expect(run).toMatchObject({ id: waiting.id, state: 'succeeded', failure: null })
    expect(await live()).toContain(`number ${count}`)
  })

  test('it loses the answer to an apply that it carried out: nothing is done twice', async () => {
    const over = trouble('drop', { method: 'PATCH', path: 'configmaps' })
    const commit = await page()
    await shop.until('it was met', async () => ((await runOf(commit))?.steps.some((step) => step.failure !== undefined) === true ? true : undefined))
    over.on = false
    expect(await shop.settled('sandbox', commit)).toMatchObject({ state: 'succeeded' })
  })

  test('it fails until the deadline: what became of it is unknown, and a run of its own finds out when it is back', async () => {
    await shop.push('storefront', { 'deploy/module.yaml': (text) => text.replace('deadline: 2m', 'deadline: 2s') }, 'Be quick')
    await shop.delivered('sandbox')
    const over = trouble('500', { method: 'PATCH' })
    const commit = await page()
    const failed = await shop.settled('sandbox', commit)
    expect(failed).toMatchObject({ state: 'failed', failure: { code: 'kubernetes-failing' }, record: { digest: expect.stringMatching(/^sha256:/) } })
    const effect = failed.steps.flatMap((step) => step.effects).find((one) => one.action === 'configured')
    expect(effect).toMatchObject({ outcome: 'unknown', failure: { code: 'kubernetes-failing' } })
    expect(await shop.module('sandbox', 'storefront-web')).toMatchObject({ delivery: 'unknown', failure: { code: 'kubernetes-failing', retry: 'later' } })
    over.on = false
    await shop.delivered('sandbox')
    const later = await runOf(commit)
    expect(later).toMatchObject({ state: 'succeeded' })
    expect(later?.id).not.toBe(failed.id)
    expect(await live()).toContain(`number ${count}`)
  })

  test('it does not tell until the deadline whether objects are ready: that is unknown, and is found out later', async () => {
    await shop.push('storefront', { 'deploy/module.yaml': (text) => text.replace(/deadline: \d+[sm]/, 'deadline: 3s') }, 'Be quick')
    await shop.delivered('sandbox')
    const over = trouble('500', { method: 'GET', path: 'deployments\\?' })
    const commit = await shop.push('storefront', { 'deploy/sandbox/deployment.yaml': (text) => text.replace('value: light', 'value: green') }, 'Green')
    const run = await shop.settled('sandbox', commit)
    expect(run).toMatchObject({ state: 'failed', failure: { code: expect.stringMatching(/^(readiness-unknown|kubernetes-failing)$/) } })
    expect(await shop.module('sandbox', 'storefront-web')).toMatchObject({ delivery: 'unknown' })
    over.on = false
    await shop.delivered('sandbox')
  })

  test('a probe whose host does not resolve: delivered, and nobody knows whether it works', async () => {
    const edit = { 'environments/sandbox.yaml': (text: string) => text.replace(/ingress: .*/, 'ingress: "http://nowhere.invalid"') }
    const tight = await shop.push('storefront', { 'deploy/module.yaml': (text) => text.replaceAll(/within: \d+s/g, 'within: 1s') }, 'Be quick')
    expect(await shop.settled('sandbox', tight)).toMatchObject({ state: 'succeeded' })
    await shop.push('platform', edit, 'Elsewhere')
    await shop.until('the address is followed', async () => ((await shop.client.status()).snapshot === (await shop.plane.parts.sql.query<{ id: string }>('select id from snapshot order by seq desc limit 1'))[0]?.id ? true : undefined))
    const asked = await shop.until('somebody asks', async () => {
      const answer = await plumb(shop, 'verify', '-e', 'sandbox', '-m', 'storefront-web', '--reason', 'does it work?')
      return answer.code === 4 ? answer : undefined
    })
    expect(asked.out + asked.err).toMatch(/nowhere\.invalid|no address is known/)
    expect(await shop.module('sandbox', 'storefront-web')).toMatchObject({ delivery: 'synced', verification: 'unknown' })
  })
})
