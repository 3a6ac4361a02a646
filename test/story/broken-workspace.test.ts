import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { FailureJson } from '#lib/failure.ts'
import { resume } from '#run/follow.ts'
import type { SourceRepository } from '#source/fixture.ts'
import { newestSnapshot } from '#store/snapshots.ts'
import type { SnapshotRow } from '#store/snapshots.ts'
import { configMap, moduleFile, openSmallShop, smallWorkspace } from './small-shop.ts'
import type { SmallShop } from './small-shop.ts'

const documents = smallWorkspace({ repositories: '    team: { url: ../team.git, poll: 1h, allow: { environments: ["*"], targets: [cluster], namespaces: [default], kinds: namespaced } }\n' })
const workspace = documents['plumbline.yaml'] ?? ''
const environment = documents['environments/dev.yaml'] ?? ''

describe('a workspace or an environment that is wrong freezes nobody else, and deletes nothing', () => {
  let shop: SmallShop
  let team: SourceRepository
  let before: unknown
  let count = 1

  const page = (more = ''): Parameters<SourceRepository['commit']>[0] => ({ 'web/module.yaml': `${moduleFile('web')}${more}`, 'web/manifests/map.yaml': configMap('web', String(count)) })
  const held = (): Promise<unknown> => shop.plane.parts.sql.query('select module, key, uid from inventory order by key')
  const delivered = (): Promise<unknown> =>
    shop.until('no problem is left, and all is delivered', async () => {
      const { problems, environments } = await shop.client.status()
      const modules = environments[0]?.modules ?? []
      return problems.length === 0 && modules.length === 2 && modules.every((one) => one.delivery === 'synced' && one.verification === 'passed')
    })
  const problem = (code: string, subject: RegExp): Promise<FailureJson> =>
    shop.until(`the problem ${code}`, async () => (await shop.client.status()).problems.find((one) => one.code === code && subject.test(one.subject)) as FailureJson | undefined)

  beforeAll(async () => {
    shop = await openSmallShop({
      repositories: workspace.split('\n').slice(6).join('\n'),
      files: { 'base/module.yaml': moduleFile('base'), 'base/manifests/map.yaml': configMap('base') },
      prepare: (fixture) => void (team = fixture.repository('team')).commit(page()),
    })
    await delivered()
    before = await held()
  })
  afterAll(() => shop?.stop())

  /** Whatever was broken is mended by a commit, and is delivered again without anybody's help. */
  afterEach(async () => {
    await shop.push(documents)
    team.commit(page())
    await shop.look('team')
    await delivered()
    expect(await held()).toEqual(before)
  })

  /** A change of the other team's, which must go through whatever is wrong elsewhere. */
  async function othersGoOn(): Promise<void> {
    count += 1
    const sha = team.commit(page())
    await shop.look('team')
    expect(await shop.settled(sha)).toMatchObject({ state: 'succeeded' })
  }

  test('a broken plumbline.yaml leaves the last configuration standing, and says where it is broken', async () => {
    await shop.push({ 'plumbline.yaml': workspace.replace('allow: everything', 'allow: everything, colour: [red') })
    const said = await problem('yaml-invalid', /^shop\/plumbline\.yaml:\d+:\d+$/)
    expect(said.hint).toMatch(/./)
    await othersGoOn()
    const { code, out } = await shop.plumb('status')
    expect(code).toBe(2)
    expect(out).toMatch(/yaml-invalid:? shop\/plumbline\.yaml:\d+:\d+/)
    expect(out).toContain('base')
    expect((await shop.client.status()).environments.map((one) => one.name)).toEqual(['dev'])
  })

  test('an environment with an unknown field, or that comes after one that is not there, leaves the last one standing', async () => {
    await shop.push({ 'environments/dev.yaml': environment.replace('automatic: true', 'automatic: true, afterr: {}') })
    const said = await problem('configuration-invalid', /^shop\/environments\/dev\.yaml:\d+:\d+$/)
    expect(said.message).toContain('afterr')
    expect(said.message).toContain('expected one of automatic, after')
    await othersGoOn()
    await shop.push({ 'environments/dev.yaml': environment.replace('automatic: true', 'automatic: true, after: { environment: devv }') })
    const other = await shop.until('the other problem', async () => (await shop.client.status()).problems.find((one) => one.message.includes('devv')))
    expect(other).toMatchObject({ code: 'configuration-invalid', subject: expect.stringMatching(/dev\.yaml:\d+:\d+$/), hint: expect.stringMatching(/./) })
  })

  test('nothing is tried in vain while the workspace is broken, and a restart keeps the last configuration too', async () => {
    await shop.push({ 'plumbline.yaml': 'kind: Nonsense\n' })
    await problem('configuration-invalid', /plumbline\.yaml/)
    await resume(shop.plane.parts, (await newestSnapshot(shop.plane.parts.sql)) as SnapshotRow)
    team.commit(page('  dependOn: []\n'))
    await shop.look('team')
    await problem('configuration-invalid', /^team\/web\/module\.yaml/)
    await problem('configuration-invalid', /^shop\/plumbline\.yaml/)
    await othersGoOn()
    expect(await shop.plane.parts.sql.query('select 1 from work where attempts > 1')).toEqual([])
  })
})
