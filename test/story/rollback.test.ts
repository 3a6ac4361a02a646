import { rename } from 'node:fs/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ShowAnswer } from '#api/client.ts'
import { isEnded } from '#model/run.ts'
import { configMap, moduleFile, openSmallShop } from './small-shop.ts'
import type { SmallShop } from './small-shop.ts'

// A module goes back to what worked, by a verdict or at a person's word, and stays there until Git says something else.

const probe = (value: string, rest = ''): string =>
  `  probes:\n    - { name: works, within: 50ms, every: 10ms, kubernetes: { target: cluster, apiVersion: v1, kind: ConfigMap, namespace: default, name: web, cel: '${value}' } }\n${rest}`
const works = `object.data.a != "bad"`
const rollback = '  onFailure: rollback\n'

let shop: SmallShop
let first: string
beforeAll(async () => {
  shop = await openSmallShop({
    files: {
      'web/module.yaml': moduleFile('web', probe(works, rollback)), 'web/manifests/web.yaml': configMap('web', '1'),
      'front/module.yaml': moduleFile('front', '  dependsOn: [web]\n'), 'front/manifests/front.yaml': configMap('front', '1'),
      'other/module.yaml': moduleFile('other'), 'other/manifests/other.yaml': configMap('other', '1'),
    },
  })
  await shop.until('all is there', async () => ((await web())?.verification === 'passed' && (await shop.module('front'))?.delivery === 'synced' && (await shop.module('other'))?.delivery === 'synced' ? true : undefined))
  first = (await web())?.run ?? ''
})
afterAll(() => shop?.stop())

const web = () => shop.module('web')
const live = async (): Promise<unknown> => ((await shop.kubernetes('GET', '/api/v1/namespaces/default/configmaps/web'))['data'] as { a?: unknown }).a
const push = (value: string, message: string) => shop.push({ 'web/manifests/web.yaml': configMap('web', value) }, message)
const runs = async (): Promise<ShowAnswer[]> => (await shop.client.runs({ environment: 'dev', module: 'web', limit: 50 })).runs
const rollbacks = async (): Promise<ShowAnswer[]> => (await runs()).filter((run) => run.kind === 'rollback')
const ended = (id: string) => shop.until(`${id} has ended`, async () => {
  const run = await shop.client.show(id)
  return isEnded(run.state) ? run : undefined
})
const records = async (type: string): Promise<Record<string, unknown>[]> => {
  const { chains } = await shop.client.exportRecords({ environment: 'dev' })
  const all = (chains[0]?.records ?? []).map((text) => JSON.parse(text) as { predicateType: string; predicate: Record<string, unknown> })
  return all.filter((record) => record.predicateType.includes(`/${type}/`)).map((record) => record.predicate)
}

test('a delivery whose verification fails goes back by itself, is held there, and says so', async () => {
  const commit = await push('bad', 'It looked fine')
  const bad = await shop.settled(commit)
  const [back] = await shop.until('a run goes back', async () => ((await rollbacks()).length === 1 ? rollbacks() : undefined))
  expect(await ended(back?.id ?? '')).toMatchObject({
    state: 'succeeded', actor: 'plumbline', reason: `web failed its verification in ${bad.id}`, rollback: { of: bad.id, by: 'verdict' },
    gates: expect.arrayContaining([expect.objectContaining({ code: 'rollback', outcome: 'allow' })]),
    steps: [{ module: 'web', delivery: 'delivered', verification: 'passed' }, { module: 'front', delivery: 'delivered' }],
    record: { digest: expect.any(String) },
  })
  expect(await live()).toBe('1')
  expect(await shop.client.show(bad.id)).toMatchObject({ state: 'rolled-back', steps: [{ module: 'web', delivery: 'delivered', verification: 'failed', onFailure: 'rollback' }, { module: 'front', delivery: 'halted' }] })
  expect(await web()).toMatchObject({ delivery: 'behind', verification: 'passed', pinned: { by: 'rollback', actor: 'plumbline', run: back?.id, reason: expect.stringContaining('failed its verification') } })
  expect(await records('pin')).toMatchObject([{ module: 'web', decision: 'pinned', by: 'rollback', run: back?.id }])
  const said = await shop.plumb('status')
  expect(said).toMatchObject({ code: 3, out: expect.stringContaining('behind (pinned)') })
  expect(said.out).toContain('until Git says something else than what was rolled back')
})

test('the next push does not bring the bad state back, and what is pushed beside it is delivered', async () => {
  await shop.settled(await shop.push({ 'other/manifests/other.yaml': configMap('other', '2') }, 'Something else'))
  await shop.until('the other is there', async () => ((await shop.module('other'))?.delivery === 'synced' ? true : undefined))
  expect(await live()).toBe('1')
  expect(await web()).toMatchObject({ delivery: 'behind', verification: 'passed', pinned: { by: 'rollback' } })
  expect((await shop.client.plan('dev', { modules: ['web'] })).plan.summary).toMatchObject({ configured: 0 })
})

test('a revert in Git lifts the pin, and there is nothing to deliver', async () => {
  const before = (await runs()).length
  await push('1', 'Revert: it looked fine')
  await shop.until('it follows Git again', async () => {
    const module = await web()
    return module?.pinned === null && module.delivery === 'synced' ? true : undefined
  })
  expect(await runs()).toHaveLength(before)
  expect((await records('pin')).at(-1)).toMatchObject({ module: 'web', decision: 'lifted', actor: 'plumbline', reason: 'Git no longer says what was rolled back' })
  expect(await shop.plumb('status')).toMatchObject({ code: 0 })
})

test('the same again is not rolled back a second time: it stays, what depends on it waits, and a person is told', async () => {
  const before = (await rollbacks()).length
  const again = await shop.settled(await push('bad', 'Once more'))
  expect(again).toMatchObject({ state: 'failed', steps: [{ module: 'web', onFailure: 'rollback', failure: { code: 'not-rolled-back', message: expect.stringContaining('a second time a person decides') } }, { module: 'front', delivery: 'halted' }] })
  expect(await live()).toBe('bad')
  expect(await rollbacks()).toHaveLength(before)
  expect(await web()).toMatchObject({ delivery: 'synced', verification: 'failed', pinned: null })
})

test('a person rolls back while Git is away: what was delivered can be rendered from what is here', async () => {
  const { path } = shop.repository
  await rename(path, `${path}-away`)
  try {
    const said = await shop.plumb('rollback', 'web', '-e', 'dev', '--reason', 'customers cannot pay', '--ticket', 'OPS-1')
    expect(said).toMatchObject({ code: 0, out: expect.stringContaining('customers cannot pay') })
    expect(await live()).toBe('1')
    expect(await web()).toMatchObject({ delivery: 'behind', verification: 'passed', pinned: { by: 'rollback', actor: 'admin', ticket: 'OPS-1' } })
  } finally {
    await rename(`${path}-away`, path)
  }
})

test('a fix in Git is delivered: it is not what was rolled back', async () => {
  await shop.settled(await push('2', 'A fix'))
  await shop.until('it is there', async () => ((await web())?.delivery === 'synced' ? true : undefined))
  expect(await live()).toBe('2')
  expect(await web()).toMatchObject({ verification: 'passed', pinned: null })
})

test('a pin by a person holds whatever Git says, until a person lifts it', async () => {
  await expect(shop.client.pin('dev', { module: 'web', to: 'run-of-nobody', reason: 'x' })).rejects.toMatchObject({ code: 'not-delivered', message: expect.stringContaining('no run that delivered it') })
  expect(await shop.plumb('pin', 'web', '-e', 'dev', '--to', first, '--reason', 'the campaign runs until Monday')).toMatchObject({ code: 0 })
  expect(await live()).toBe('1')
  await push('3', 'Not for now')
  await shop.until('it is known that Git is ahead', async () => {
    const module = await web()
    return module?.delivery === 'behind' && module.pinned !== null ? true : undefined
  })
  await shop.settled(await shop.push({ 'other/manifests/other.yaml': configMap('other', '3') }, 'Again something else'))
  expect(await live()).toBe('1')
  expect(await web()).toMatchObject({ pinned: { by: 'person', actor: 'admin', reason: 'the campaign runs until Monday' } })
  expect(await shop.plumb('pin', 'web', '-e', 'dev', '--lift', '--reason', 'it is Monday')).toMatchObject({ code: 0, out: 'web follows Git again in dev.' })
  await shop.until('Git is there', async () => ((await live()) === '3' && (await web())?.delivery === 'synced' ? true : undefined))
  expect((await records('pin')).slice(-2)).toMatchObject([{ decision: 'pinned', by: 'person', actor: 'admin' }, { decision: 'lifted', reason: 'it is Monday', actor: 'admin' }])
  expect(await shop.plumb('pin', 'web', '-e', 'dev', '--lift', '--reason', 'x')).toMatchObject({ out: 'web was not held in dev.' })
})

test('a person rolls back a run: all that it changed goes back in one', async () => {
  const both = await shop.settled(await shop.push({ 'web/manifests/web.yaml': configMap('web', '4'), 'front/manifests/front.yaml': configMap('front', '4') }, 'Both'))
  expect(both).toMatchObject({ state: 'succeeded', steps: [{ module: 'web' }, { module: 'front' }] })
  // What was never begun has nothing that could go back, and is not the latest that could.
  await shop.client.pause('dev', { module: null, reason: 'lunch', forMs: 600_000 })
  const held = await shop.settled(await shop.push({ 'other/manifests/other.yaml': configMap('other', '4') }, 'Not yet'))
  expect(await shop.plumb('rollback', held.id, '-e', 'dev', '--reason', 'x')).toMatchObject({ code: 1, err: expect.stringContaining(`not-rolled-back: run ${held.id}: it is waiting, and has changed nothing that could go back`) })
  await shop.client.cancel(held.id, { reason: 'no' })
  await shop.client.resume('dev', { module: null })
  expect(await shop.plumb('rollback', 'latest', '-e', 'dev', '--reason', 'the campaign is off')).toMatchObject({ code: 0, out: expect.stringContaining(`to what was delivered before ${both.id}`) })
  expect(await live()).toBe('3')
  expect(((await shop.kubernetes('GET', '/api/v1/namespaces/default/configmaps/front'))['data'] as { a?: unknown }).a).toBe('1')
  for (const name of ['web', 'front']) expect(await shop.module(name)).toMatchObject({ delivery: 'behind', pinned: { by: 'rollback' } })
  expect((await shop.client.show(both.id)).state).toBe('succeeded')
  await shop.push({ 'web/manifests/web.yaml': configMap('web', '3'), 'front/manifests/front.yaml': configMap('front', '1') }, 'Revert: both')
  for (const name of ['web', 'front']) await shop.until(`${name} follows Git again`, async () => ((await shop.module(name))?.pinned === null && (await shop.module(name))?.delivery === 'synced' ? true : undefined))
})

test('what only a person could decide stops a rollback, and everything stands as it stood', async () => {
  await shop.client.pause('dev', { module: 'web', reason: 'nobody touches it', forMs: 600_000 })
  const { run: id } = await shop.client.rollback('dev', { module: 'web', reason: 'perhaps' })
  await shop.until('it waits', async () => ((await shop.client.show(id ?? '')).state === 'waiting' ? true : undefined))
  expect(await web()).toMatchObject({ delivery: 'behind', pinned: { run: id } })
  await shop.client.cancel(id ?? '', { reason: 'better not' })
  expect(await web()).toMatchObject({ delivery: 'synced', pinned: null })
  expect(await live()).toBe('3')
  await shop.client.resume('dev', { module: 'web' })
})

test('where going back would delete data, nothing is done and everything stands as it stood', async () => {
  await shop.until('web is verified', async () => ((await web())?.verification === 'passed' ? true : undefined))
  const claim = 'apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: { name: data, namespace: default }\nspec: { accessModes: [ReadWriteOnce], resources: { requests: { storage: 1Gi } } }\n'
  const commit = await shop.push({ 'web/manifests/web.yaml': configMap('web', 'bad'), 'web/manifests/claim.yaml': claim, 'web/module.yaml': moduleFile('web', probe(`object.data.a != "bad" || false`, rollback)) }, 'With a claim')
  const path = '/api/v1/namespaces/default/persistentvolumeclaims/data/status?fieldManager=binder'
  await shop.until('it is bound', () => shop.kubernetes('PATCH', path, 'apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: { name: data }\nstatus: { phase: Bound }\n').catch(() => undefined))
  const bad = await shop.settled(commit)
  expect(bad).toMatchObject({ state: 'failed', steps: [{ module: 'web', verification: 'failed', onFailure: 'rollback' }, {}] })
  const [back] = await shop.until('going back is refused', async () => {
    const all = await rollbacks()
    return all[0]?.rollback?.of === bad.id && isEnded(all[0].state) ? all : undefined
  })
  expect(back).toMatchObject({ state: 'failed', failure: { code: 'gate-refused', message: expect.stringContaining('Going back would delete data: PersistentVolumeClaim default/data') } })
  expect(await live()).toBe('bad')
  expect(await web()).toMatchObject({ delivery: 'synced', verification: 'failed', pinned: null, note: expect.stringContaining('would delete data') })
  expect((await shop.client.show(bad.id)).state).toBe('failed')
})

test('the records of all of it verify', async () => {
  expect(await shop.plumb('record', 'verify')).toMatchObject({ code: 0 })
})
