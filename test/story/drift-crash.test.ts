import { setImmediate as turn } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Finding } from '#api/client.ts'
import { isEnded } from '#model/run.ts'
import { postgresMissing, startPostgres } from '../postgres.ts'
import { openCrashShop } from './crash-shop.ts'
import type { CrashShop } from './crash-shop.ts'
import { configMap, moduleFile } from './small-shop.ts'
import type { Child } from '../child.ts'

const names = ['a', 'b', 'c', 'd', 'e', 'f']
const path = (name: string) => `/api/v1/namespaces/default/configmaps/${name}`
const environment = `apiVersion: plumbline.dev/v1alpha1
kind: Environment
metadata: { name: dev }
spec:
  tier: sandbox
  deliver: { automatic: true }
  drift: { manual: report, missing: report, unknown: report, controller: report }
  targets: { cluster: { kubernetes: { context: dev } } }
`

describe.each(['pglite', 'postgres'] as const)('findings of a control plane that is killed, on %s', (kind) => {
  const missing = kind === 'postgres' ? postgresMissing() : undefined
  describe.skipIf(missing !== undefined)(missing ?? 'with kill -9', () => {
    let shop: CrashShop
    let plane: Child
    let dropDatabase = async (): Promise<void> => {}
    const findings = async (): Promise<readonly Finding[]> => (await shop.client().findings({ resolved: 'with' })).findings
    const found = (name: string, is: (one: Finding) => boolean) =>
      shop.until(`a finding of ${name}`, async () => (await findings()).find((one) => one.object === `core/ConfigMap/default/${name}` && is(one)))
    /** What a person does with kubectl. */
    const edit = (name: string, value: string) =>
      shop.kubernetes('PATCH', `${path(name)}?fieldManager=kubectl&force=true`, JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'default' }, data: { a: value } }))
    const watching = () => shop.until('the watch', async () => ((await shop.client().findings({})).watches.every((one) => one.state === 'watching' && one.objects === names.length) ? true : undefined))
    const start = async () => {
      plane = await shop.start()
      await watching()
    }

    beforeAll(async () => {
      const database = kind === 'postgres' ? await startPostgres() : undefined
      if (database !== undefined) dropDatabase = database.stop
      shop = await openCrashShop(database === undefined ? {} : { databaseUrl: database.url })
      plane = await shop.start()
      await shop.until('the environment is known', async () => ((await shop.client().status()).environments.length === 1 ? true : undefined))
      const commit = await shop.push({ 'environments/dev.yaml': environment, 'toys/module.yaml': moduleFile('toys'), ...Object.fromEntries(names.map((name) => [`toys/manifests/${name}.yaml`, configMap(name, '0')])) }, 'Toys')
      await shop.run(commit, (run) => isEnded(run.state))
      await watching()
    })
    afterAll(async () => {
      await shop.stop()
      await dropDatabase()
    })

    test('what it did itself is no finding, though it was killed before it could write that it did', async () => {
      const commit = await shop.push(Object.fromEntries(names.map((name) => [`toys/manifests/${name}.yaml`, configMap(name)])), 'One')
      while (names.reduce((sum, name) => sum + shop.applies(name), 0) < names.length + 2) await turn()
      await plane.kill()
      await start()
      expect(await shop.run(commit, (run) => isEnded(run.state))).toMatchObject({ state: 'succeeded' })
      await shop.until('it is as was declared', async () => ((await shop.client().status()).environments[0]?.modules[0]?.delivery === 'synced' ? true : undefined))
      expect(await findings()).toEqual([])
    })

    test('killed before it can have seen an edit: one finding', async () => {
      await edit('b', 'by hand')
      await plane.kill()
      await start()
      expect(await found('b', () => true)).toMatchObject({ cause: 'manual', state: 'open', count: 1, fields: [{ path: 'data.a', declared: '1', live: 'by hand' }] })
      expect(await findings()).toHaveLength(1)
    })

    test('killed when it has just written findings: they stay; what happens while nobody watches is found, and what was undone is resolved', async () => {
      for (const name of ['a', 'c']) await edit(name, 'by hand')
      for (const name of ['a', 'c']) await found(name, () => true)
      const before = await findings()
      await plane.kill()
      await edit('a', '1')
      await edit('d', 'by night')
      await edit('e', 'there')
      await edit('e', '1')
      await shop.kubernetes('DELETE', path('f'))
      await start()
      await found('a', (one) => one.state === 'resolved')
      await found('d', (one) => one.cause === 'manual' && one.state === 'open')
      await found('f', (one) => one.cause === 'missing' && one.state === 'open')
      const now = await findings()
      expect(now.filter((one) => before.some((old) => old.id === one.id)).map((one) => [one.object.slice(-1), one.state, one.count]).sort()).toEqual([['a', 'resolved', 1], ['b', 'open', 1], ['c', 'open', 1]])
      expect(now).toHaveLength(5)
    })

    test('after all that each change of a finding has one record, and each run too', async () => {
      const told = async (): Promise<string[]> => {
        const { chains } = await shop.client().exportRecords()
        const said = chains.flatMap((chain) => chain.records.map((text) => (JSON.parse(text) as { predicate: { finding?: string; decision?: string } }).predicate))
        return said.flatMap((one) => (one.finding === undefined ? [] : [`${one.finding} ${one.decision}`])).sort()
      }
      const all = (await findings()).flatMap((one) => [`${one.id} opened`, ...(one.state === 'resolved' ? [`${one.id} resolved`] : [])]).sort()
      await shop.until('the records', async () => ((await told()).length >= all.length ? true : undefined))
      expect(await told()).toEqual(all)
      await shop.verify()
    })
  })
})
