import { renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { systemClock } from '#lib/clock.ts'
import type { SourceRepository } from '#source/fixture.ts'
import { enqueue } from '#store/queue.ts'
import { startControlPlane } from '../../src/control-plane.ts'
import type { ControlPlane } from '../../src/control-plane.ts'
import { configMap, moduleFile, openSmallShop } from './small-shop.ts'
import type { SmallShop } from './small-shop.ts'

let shop: SmallShop
let team: SourceRepository
let plane: ControlPlane | undefined
const path = '/api/v1/namespaces/default/configmaps/app'

beforeAll(async () => {
  shop = await openSmallShop({
    repositories: '    team: { url: ../team.git, poll: 1h, allow: { environments: ["*"], targets: [cluster], namespaces: [default], kinds: namespaced } }\n',
    environment: '  targets: { cluster: { kubernetes: { context: dev } } }\n  drift: { missing: report, unknown: report, manual: report }\n',
    files: { 'base/module.yaml': moduleFile('base'), 'base/manifests/map.yaml': configMap('base') },
    prepare: (fixture) => void (team = fixture.repository('team')).commit({ 'module.yaml': moduleFile('app'), 'manifests/map.yaml': configMap('app') }),
  })
  for (const name of ['app', 'base']) await shop.until(`${name} is there`, async () => (await shop.module(name))?.delivery === 'synced')
})
afterAll(async () => {
  await plane?.stop()
  await shop?.stop()
})

/** The control plane is started again, on what is left of its folder. */
async function restarted(): Promise<void> {
  await (plane ?? shop.plane).stop()
  plane = await startControlPlane({ dir: shop.dir, workspace: { url: shop.repository.path, branch: 'main' }, kubeconfig: `${shop.dir}/kubeconfig`, host: '127.0.0.1', port: 0, clock: systemClock, env: { PATH: process.env['PATH'] }, log: () => {} })
}

/** As a webhook does. */
async function look(repository: string): Promise<void> {
  const { sql, clock } = (plane ?? shop.plane).parts
  await enqueue(sql, clock, `repository/${repository}`)
}

const untilStatus = (code: number, says: RegExp) =>
  shop.until(`the status ends with ${code} and says ${says.source}`, async () => {
    const said = await shop.plumb('status')
    return said.code === code && says.test(said.out) ? said : undefined
  })

test('without the mirror of a repository that is away, what the others have goes on, and nothing of it is taken for gone', async () => {
  rmSync(join(shop.dir, 'mirrors', 'team'), { recursive: true })
  renameSync(team.path, `${team.path}.away`)
  await restarted()
  expect((await untilStatus(4, /repository-unreachable: repository team/)).out).toMatch(/app +synced/)
  shop.repository.commit({ 'plumbline.yaml': shop.repository.run('show', 'main:plumbline.yaml'), 'environments/dev.yaml': shop.repository.run('show', 'main:environments/dev.yaml'), 'base/module.yaml': moduleFile('base'), 'base/manifests/map.yaml': configMap('base', '2') })
  await look('shop')
  await shop.until('the other is delivered', async () => ((await shop.kubernetes('GET', '/api/v1/namespaces/default/configmaps/base'))['data'] as { a?: string })['a'] === '2')
  expect(await shop.kubernetes('GET', path)).toMatchObject({ data: { a: '1' } })
  renameSync(`${team.path}.away`, team.path)
  await look('team')
  await untilStatus(0, /all 2 delivered and verified/)
})

test('without the mirror of the workspace, and while it is away, that nothing can be read is said; it goes on when Git is back', async () => {
  rmSync(join(shop.dir, 'mirrors'), { recursive: true })
  renameSync(shop.repository.path, `${shop.repository.path}.away`)
  await restarted()
  // How it stood last is told, and that it is not known whether it stands so.
  const { out } = await untilStatus(4, /repository-unreachable: repository shop/)
  expect(out).toMatch(/snapshot-unread: snapshot s-\w+: its commit [0-9a-f]{8} of shop is not on this machine.*\n +`plumb status` says whether the repository answers/)
  // What came just before may not have been delivered to its end: then that is how it stood.
  expect(out).toMatch(/dev\n +app +(synced|behind) +passed/)
  for (const words of [['deploy'], ['rollback', 'app'], ['verify'], ['plan'], ['operations']])
    expect(await shop.plumb(...words, '-e', 'dev', ...(words[0] === 'plan' || words[0] === 'operations' ? [] : ['--reason', 'it is gone']))).toMatchObject({ code: 4, err: expect.stringMatching(/^snapshot-unread: snapshot s-.*\n.*goes on by itself/) })
  expect(await shop.plumb('runs')).toMatchObject({ code: 0, out: expect.stringContaining('succeeded') })

  renameSync(`${shop.repository.path}.away`, shop.repository.path)
  await look('shop')
  await untilStatus(0, /all 2 delivered and verified/)
  await shop.kubernetes('DELETE', path)
  expect(await shop.plumb('deploy', '-e', 'dev', '--reason', 'it is gone')).toMatchObject({ code: 0 })
  expect(await shop.kubernetes('GET', path)).toMatchObject({ data: { a: '1' } })
})
