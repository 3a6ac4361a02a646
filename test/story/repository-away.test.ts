import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { StatusAnswer } from '#api/client.ts'
import { systemClock } from '#lib/clock.ts'
import type { SourceRepository } from '#source/fixture.ts'
import { startControlPlane } from '../../src/control-plane.ts'
import { configMap, moduleFile, openSmallShop } from './small-shop.ts'
import type { SmallShop } from './small-shop.ts'

describe('a repository that is rewritten or away, a name that nobody knows, and a second process', () => {
  let shop: SmallShop
  let team: SourceRepository
  let first: string
  let before: string
  const files = (value: string, more = '') => ({ 'app/module.yaml': moduleFile('app', more), 'app/manifests/map.yaml': configMap('app', value) })

  beforeAll(async () => {
    shop = await openSmallShop({
      repositories: '    team: { url: ../team.git, poll: 1h, allow: { environments: ["*"], targets: [cluster], namespaces: [default], kinds: namespaced } }\n',
      environment: '  addresses: { elsewhere: "http://nowhere.invalid" }\n  reach: [elsewhere]\n  targets: { cluster: { kubernetes: { context: dev } } }\n  drift: { missing: report, unknown: report }\n', // what a story deletes, it delivers again itself
      files: { 'base/module.yaml': moduleFile('base'), 'base/manifests/map.yaml': configMap('base') },
      prepare: (fixture) => void (first = (team = fixture.repository('team')).commit(files('1'))),
    })
    await isLive('1')
    before = await kept()
  })
  afterAll(() => shop.stop())

  const kept = async (): Promise<string> => (await shop.plane.parts.sql.query<{ row: string }>("select concat_ws(' ', module, key, uid) as row from inventory order by 1")).map((one) => one.row).join('\n')
  const isLive = (value: string): Promise<true> =>
    shop.until(`it is delivered with ${value}`, async () => {
      const there = await shop.kubernetes('GET', '/api/v1/namespaces/default/configmaps/app').catch(() => undefined)
      return (there?.['data'] as { a?: string } | undefined)?.a === value && (await shop.module('app'))?.delivery === 'synced' ? true : undefined
    })
  const repository = async (): Promise<StatusAnswer['repositories'][number] | undefined> => (await shop.client.status()).repositories.find((one) => one.name === 'team')
  const failing = (code: string): Promise<StatusAnswer['repositories'][number]> =>
    shop.until(`team fails with ${code}`, async () => {
      const row = await repository()
      return row?.failure?.code === code ? row : undefined
    })
  async function expectStands(code: string, message: RegExp): Promise<void> {
    const row = await failing(code)
    expect(row).toMatchObject({ head: expect.stringMatching(/^[0-9a-f]{40}$/), failure: { subject: expect.stringContaining('team'), message: expect.stringMatching(message), hint: expect.stringMatching(/./), retry: 'later' } })
    expect((await shop.plumb('status')).out).toMatch(new RegExp(`${code}: repository team: .*\\n.*\\n.*last head stands`))
    expect(await shop.module('app')).toMatchObject({ delivery: 'synced', verification: 'passed' })
    expect(await kept()).toBe(before)
    // The others go on.
    const sha = await shop.push({ 'base/manifests/map.yaml': configMap('base', String(Math.random())) })
    expect(await shop.settled(sha)).toMatchObject({ state: 'succeeded' })
  }

  test('forced back, and forced to a history that is not related: that is what is delivered', async () => {
    team.commit(files('2'))
    await shop.look('team')
    await isLive('2')
    team.run('update-ref', 'refs/heads/main', first)
    await shop.look('team')
    await isLive('1')
    expect(shop.log.some((line) => line.includes('team: its branch was rewritten'))).toBe(true)
    team.run('update-ref', '-d', 'refs/heads/main')
    team.commit(files('3'))
    await shop.look('team')
    await isLive('3')
    expect(await kept()).toBe(before)
  })

  test('gone: what was delivered stands, and it is followed again when it is back', async () => {
    renameSync(team.path, `${team.path}.away`)
    await shop.look('team')
    await expectStands('repository-unreachable', /./)
    // What was delivered can be delivered again without it.
    await shop.kubernetes('DELETE', '/api/v1/namespaces/default/configmaps/app')
    const { run } = await shop.client.deploy('dev', { modules: ['app'], reason: 'somebody deleted it' })
    await shop.until('it is there again', async () => (await shop.client.show(run ?? '')).state === 'succeeded')
    expect(await shop.kubernetes('GET', '/api/v1/namespaces/default/configmaps/app')).toMatchObject({ data: { a: '3' } })
    before = await kept()
    renameSync(`${team.path}.away`, team.path)
    team.commit(files('4'))
    await shop.look('team')
    await isLive('4')
    expect(await repository()).toMatchObject({ failure: null })
  })

  test('without its branch: nothing is pruned', async () => {
    const head = team.run('rev-parse', 'refs/heads/main')
    team.run('update-ref', '-d', 'refs/heads/main')
    await shop.look('team')
    await expectStands('branch-missing', /main/)
    team.run('update-ref', 'refs/heads/main', head)
    await shop.look('team')
    await shop.until('it is there again', async () => (await repository())?.failure === null || undefined)
  })

  test('a probe whose host does not resolve: delivered, and nobody knows whether it works', async () => {
    team.commit(files('5', '  probes: [{ name: page, http: { address: elsewhere }, within: 1ms, every: 1ms }]\n'))
    await shop.look('team')
    await isLive('5')
    const module = await shop.until('it was asked', async () => {
      const now = await shop.module('app')
      return now?.verification === 'unknown' && now.readinessOnly === false ? now : undefined
    })
    expect(module).toMatchObject({ delivery: 'synced', verification: 'unknown' })
    const { out } = await shop.plumb('show', module.run ?? '')
    expect(out).toMatch(/probe +unknown +page .*nowhere\.invalid/)
    expect(out).toMatch(/dns-(not-found|failed): /)
    expect((await shop.plumb('status')).out).toMatch(/page unknown for .*nowhere\.invalid.*\(dns-(not-found|failed);/)
    expect(await kept()).toBe(before)
  })

  test('a head of records that Git does not take is told in the status, with what it means, and no longer when it is there', async () => {
    const hook = join(shop.repository.path, 'hooks', 'pre-receive')
    mkdirSync(dirname(hook), { recursive: true })
    writeFileSync(hook, '#!/bin/sh\necho "not today" >&2\nexit 1\n', { mode: 0o755 })
    expect(await shop.settled(await shop.push({ 'base/manifests/map.yaml': configMap('base', 'unpublished') }))).toMatchObject({ state: 'succeeded' })
    const status = await shop.until('it is told', async () => {
      const { out } = await shop.plumb('status')
      return out.includes('the head of its records is not published') ? out : undefined
    })
    expect(status).toMatch(/the head of its records is not published: push-refused: /)
    expect(status).toContain('a tail that is cut would not show')
    rmSync(hook)
    await shop.until('it is there', async () => ((await shop.client.status()).environments[0]?.unpublished === null ? true : undefined))
  })

  test('a second process on the same folder is refused, and the first goes on', async () => {
    const second = startControlPlane({ dir: shop.dir, workspace: { url: shop.repository.path, branch: 'main' }, kubeconfig: `${shop.dir}/kubeconfig`, host: '127.0.0.1', port: 0, clock: systemClock, env: {}, log: () => {} })
    await expect(second).rejects.toMatchObject({ code: 'store-locked', subject: expect.stringContaining(shop.dir), hint: expect.stringMatching(/./) })
    expect((await shop.plumb('status')).out).toContain('app')
    const sha = await shop.push({ 'base/manifests/map.yaml': configMap('base', 'still one') })
    expect(await shop.settled(sha)).toMatchObject({ state: 'succeeded' })
  })
})
