import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openShop } from './shop.ts'
import type { Shop } from './shop.ts'
import { expectRecordsVerify, inventory } from './troubled-shop.ts'

const configMap = (name: string, value = '1', namespace = 'orders'): string => `apiVersion: v1\nkind: ConfigMap\nmetadata: { name: ${name}, namespace: ${namespace} }\ndata: { a: "${value}" }\n`
const module = (name: string, target = 'cluster'): string => `apiVersion: plumbline.dev/v1alpha1\nkind: Module\nmetadata: { name: ${name} }\nspec: { target: ${target}, environments: [sandbox], source: { path: manifests } }\n`
const broken = 'a: [1,\n  b: }'

describe('what is not known of a module is not taken for nothing', () => {
  let shop: Shop
  beforeAll(async () => {
    shop = await openShop({ environments: ['sandbox', 'staging'] })
    const far = '\n    far:\n      kubernetes:\n        context: staging'
    await shop.push('platform', {
      'environments/sandbox.yaml': (text) => text.replace('context: sandbox', `context: sandbox${far}`),
      'm1/module.yaml': module('m1'), 'm1/manifests/a.yaml': configMap('a'), 'm1/manifests/b.yaml': configMap('b'), 'm1/manifests/d.yaml': configMap('d'),
      'm2/module.yaml': module('m2'), 'm2/manifests/c.yaml': configMap('c'),
      'going/module.yaml': module('going'), 'going/manifests/slow.yaml': configMap('slow'),
      'far/module.yaml': module('far', 'far'), 'far/manifests/far.yaml': configMap('far', '1', 'default'),
    }, 'Modules')
    await shop.delivered('sandbox')
  })
  afterAll(async () => {
    if (shop === undefined) return
    await expectRecordsVerify(shop)
    await shop.stop()
  })

  const held = async (name: string): Promise<string[]> => (await inventory(shop, 'sandbox')).filter((row) => row.includes(`/${name} `))
  const holder = async (name: string): Promise<string[]> => (await held(name)).map((row) => row.split(' ')[0] ?? '')
  const step = async (commit: string, name: string) => (await shop.settled('sandbox', commit)).steps.find((one) => one.module === name)

  test('an object that moves to a module that cannot be rendered stays; mended, it is handed over, and what nobody declares goes', async () => {
    const [before = ''] = await held('a')
    const commit = await shop.push('platform', { 'm1/manifests/a.yaml': null, 'm1/manifests/b.yaml': null, 'm1/manifests/d.yaml': configMap('d', '2'), 'm2/manifests/a.yaml': configMap('a'), 'm2/manifests/c.yaml': broken }, 'Move')
    expect(await step(commit, 'm1')).toMatchObject({ delivery: 'failed', failure: { code: 'prune-unsure', retry: 'later', message: expect.stringContaining('module m2') } })
    expect(await held('a')).toEqual([before])
    expect(await shop.kubectl('sandbox', 'get', 'configmaps', '-n', 'orders', '-o', 'name')).toMatch(/\/a\n[^]*\/b\n/)
    // Its other effects went on.
    expect(await shop.kubectl('sandbox', 'get', 'configmap', 'd', '-n', 'orders', '-o', 'jsonpath={.data.a}')).toBe('2')
    expect(await shop.module('sandbox', 'm1')).toMatchObject({ delivery: 'failed', failure: { code: 'prune-unsure' } })

    await shop.push('platform', { 'm2/manifests/c.yaml': configMap('c') }, 'Mend')
    await shop.delivered('sandbox')
    expect(await held('a')).toEqual([before.replace('m1 ', 'm2 ')])
    expect(await held('b')).toEqual([])
    expect(await shop.kubectl('sandbox', 'get', 'configmaps', '-n', 'orders', '-o', 'name')).not.toContain('/b\n')
  })

  test('a tenant does not take what the platform’s broken module holds, and loses what it claims beside it', async () => {
    const [before = ''] = await held('d')
    await shop.push('platform', { 'm1/module.yaml': module('m1').replace('target: cluster', 'target: [cluster') }, 'Oops')
    const commit = await shop.push('orders', { 'deploy/sandbox/d.yaml': configMap('d', 'mine') }, 'Mine')
    expect(await shop.settled('sandbox', commit)).toMatchObject({ state: 'failed' })
    expect(await shop.module('sandbox', 'orders-api')).toMatchObject({ delivery: 'failed', failure: { code: 'hand-over-unsure', message: expect.stringMatching(/m1.*orders-api/) } })
    expect(await held('d')).toEqual([before])
    await shop.push('platform', { 'm1/module.yaml': module('m1'), 'm1/manifests/d.yaml': configMap('d', '3') }, 'Mend')
    await shop.until('the platform has its own', async () => ((await shop.kubectl('sandbox', 'get', 'configmap', 'd', '-n', 'orders', '-o', 'jsonpath={.data.a}')) === '3' ? true : undefined))
    await shop.until('the tenant is told', async () => ((await shop.module('sandbox', 'orders-api'))?.failure?.code === 'object-declared-twice' ? true : undefined))
    expect(await held('d')).toEqual([before])
    await shop.push('orders', { 'deploy/sandbox/d.yaml': null }, 'Not mine')
    await shop.delivered('sandbox')
  })

  test('a cluster that cannot be reached stops its own modules alone', async () => {
    const path = Object.assign(/\//, { on: true })
    path.test = () => path.on
    shop.playground.clusters['staging']?.api.inject({ times: 1_000_000, path, answer: 'drop' })
    const one = await shop.push('platform', { 'm2/manifests/c.yaml': configMap('c', '2') }, 'One')
    expect(await step(one, 'm2')).toMatchObject({ delivery: 'delivered' })
    const both = await shop.push('platform', { 'm2/manifests/c.yaml': configMap('c', '3'), 'far/manifests/far.yaml': configMap('far', '2', 'default') }, 'Both')
    expect(await step(both, 'm2')).toMatchObject({ delivery: 'delivered' })
    expect(await step(both, 'far')).toMatchObject({ delivery: 'failed', failure: { code: 'kubernetes-unreachable', retry: 'later' } })
    path.on = false
    await shop.delivered('sandbox')
    expect(await shop.kubectl('staging', 'get', 'configmap', 'far', '-n', 'default', '-o', 'jsonpath={.data.a}')).toBe('2')
  })

  test('a module that is gone while its object is being deleted is waited for, with patience, and then forgotten', async () => {
    await shop.kubectl('sandbox', 'patch', 'configmap', 'slow', '-n', 'orders', '--type=merge', '-p', '{"metadata":{"finalizers":["shop.example/wait"]}}')
    await shop.kubectl('sandbox', 'delete', 'configmap', 'slow', '-n', 'orders', '--wait=false')
    const commit = await shop.push('platform', { 'going/module.yaml': null, 'going/manifests/slow.yaml': null }, 'Gone')
    expect(await step(commit, 'going')).toMatchObject({ delivery: 'failed', failure: { code: 'object-terminating' } })
    const other = await shop.push('platform', { 'm2/manifests/c.yaml': configMap('c', '4') }, 'Another')
    await shop.settled('sandbox', other)
    const tries = (await shop.client.runs({ environment: 'sandbox', module: 'going' })).runs.filter((run) => run.changes.some((change) => change.sha === commit))
    expect(tries.length).toBeLessThan(4)
    expect(await holder('slow')).toEqual(['going'])
    await shop.kubectl('sandbox', 'patch', 'configmap', 'slow', '-n', 'orders', '--type=merge', '-p', '{"metadata":{"finalizers":null}}')
    await shop.until('it is forgotten', async () => ((await shop.module('sandbox', 'going')) === undefined ? true : undefined))
    expect(await held('slow')).toEqual([])
  }, 60_000)
})
