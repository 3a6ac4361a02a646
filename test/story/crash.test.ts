import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { isEnded } from '#model/run.ts'
import { postgresMissing, startPostgres } from '../postgres.ts'
import { openCrashShop } from './crash-shop.ts'
import type { CrashShop } from './crash-shop.ts'
import type { Child } from '../child.ts'

const configMap = (name: string, value: string) => `apiVersion: v1\nkind: ConfigMap\nmetadata: { name: ${name}, namespace: default }\ndata: { a: "${value}" }\n`
const account = (name: string) => `apiVersion: v1\nkind: ServiceAccount\nmetadata: { name: ${name}, namespace: default }\n`
const document = (of: string, name: string, spec: string) => `apiVersion: plumbline.dev/v1alpha1\nkind: ${of}\nmetadata: { name: ${name} }\nspec:\n${spec}`
const module = (probe: string) => `apiVersion: plumbline.dev/v1alpha1
kind: Module
metadata: { name: toys }
spec: { track: declarative, driver: kubernetes, target: cluster, source: { path: manifests }, probes: [${probe}] }
`

describe.each(['pglite', 'postgres'] as const)('a control plane that is killed, on %s', (kind) => {
  const missing = kind === 'postgres' ? postgresMissing() : undefined
  describe.skipIf(missing !== undefined)(missing ?? 'with kill -9', () => {
    let shop: CrashShop
    let plane: Child
    const dir = mkdtempSync(join(tmpdir(), 'plumbline-killed-'))
    let dropDatabase = async (): Promise<void> => {}
    const ended = (commit: string) => shop.run(commit, (run) => isEnded(run.state))
    const again = async (): Promise<void> => {
      await plane.kill()
      plane = await shop.start()
    }

    beforeAll(async () => {
      const database = kind === 'postgres' ? await startPostgres() : undefined
      if (database !== undefined) dropDatabase = database.stop
      shop = await openCrashShop(database === undefined ? {} : { databaseUrl: database.url })
      plane = await shop.start()
      await shop.until('the environment is known', async () => ((await shop.client().status()).environments.length === 1 ? true : undefined))
    })
    afterAll(async () => {
      await shop.stop()
      await dropDatabase()
      rmSync(dir, { recursive: true, force: true })
    })

    test('while an effect is under way: it is done once, and the run ends with one record', async () => {
      shop.cluster.inject({ times: 1, method: 'PATCH', path: '/configmaps/one?', answer: 'hang' })
      const commit = await shop.push({ 'toys/module.yaml': module(''), 'toys/manifests/a.yaml': configMap('one', '1'), 'toys/manifests/b.yaml': configMap('two', '1'), 'toys/manifests/s.yaml': account('first') }, 'Toys')
      await shop.until('the apply is under way', async () => (shop.applies('one') === 1 && shop.applies('two') === 1 ? true : undefined))
      const before = await shop.run(commit, (run) => run.state === 'delivering')
      await again()
      const run = await ended(commit)
      expect(run).toMatchObject({ id: before.id, state: 'succeeded', plan: { digest: before.plan?.digest } })
      expect(run.steps.flatMap((step) => step.effects.map((effect) => effect.outcome))).toEqual(['created', 'created', 'created'])
      expect([shop.applies('first'), shop.applies('one'), shop.applies('two')]).toEqual([1, 2, 1]) // the one that hung did not happen
    })

    test('at any moment: every run ends, and no effect happens twice', async () => {
      const names = ['p', 'q', 'r', 's'].map((name) => `round-${name}`)
      // Right after the push, and as soon as so many applies have reached the cluster, whose answers then find nobody.
      for (const [round, point] of (kind === 'pglite' ? [0, 1, 4] : [1, 3]).entries()) {
        const before = names.map((name) => shop.applies(name))
        const done = (): number => names.reduce((sum, name, index) => sum + shop.applies(name) - (before[index] ?? 0), 0)
        const commit = await shop.push(Object.fromEntries(names.map((name) => [`toys/manifests/${name}.yaml`, configMap(name, String(round))])), `Round ${round}`)
        while (done() < point) await turn()
        await again()
        // At its start it looks at every repository, so that a push of which nobody was told is seen too.
        const run = await ended(commit)
        expect(run, `killed after ${point} applies`).toMatchObject({ state: 'succeeded' })
        expect(names.map((name, index) => shop.applies(name) - (before[index] ?? 0)), `killed after ${point} applies`).toEqual([1, 1, 1, 1])
        const { runs } = await shop.client().runs({ environment: 'dev', module: 'toys' })
        expect(runs.filter((one) => one.changes.some((change) => change.sha === commit))).toHaveLength(1)
      }
    }, 60_000)

    test('while it waits: it waits on, and goes on with the yes', async () => {
      const commit = await shop.push(Object.fromEntries(['p', 'q', 'r', 's'].map((name) => [`toys/manifests/round-${name}.yaml`, null])), 'None of these')
      const waiting = await shop.run(commit, (run) => run.state === 'waiting')
      await again()
      expect(await shop.client().show(waiting.id)).toMatchObject({ state: 'waiting', plan: { digest: waiting.plan?.digest } })
      await shop.client().approve(waiting.id, { plan: waiting.plan?.digest ?? '', reason: 'none', objects: [] })
      expect(await ended(commit)).toMatchObject({ id: waiting.id, state: 'succeeded', plan: { summary: { deleted: 4 } } })
    })

    test('while it verifies: nothing is applied again, and the probes decide', async () => {
      const probe = '{ name: flag, within: 60s, every: 1s, kubernetes: { target: cluster, apiVersion: v1, kind: ConfigMap, namespace: default, name: one, cel: "object.metadata.annotations.flag == \'up\'" } }'
      const commit = await shop.push({ 'toys/module.yaml': module(probe), 'toys/manifests/b.yaml': configMap('two', '2') }, 'Prove it')
      const verifying = await shop.run(commit, (run) => run.state === 'verifying')
      const applies = shop.applies('two')
      await again()
      await shop.run(commit, (run) => run.state === 'verifying')
      const flag = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'one', namespace: 'default', annotations: { flag: 'up' } } }
      await shop.kubernetes('PATCH', '/api/v1/namespaces/default/configmaps/one?fieldManager=somebody', JSON.stringify(flag))
      expect(await ended(commit)).toMatchObject({ id: verifying.id, state: 'succeeded', probes: [{ probe: 'flag', verdict: 'passed' }] })
      expect(shop.applies('two')).toBe(applies)
    })

    test('in the middle of an operation: what is the same twice is done again, and a command that was begun is not: a person says where to go on', async () => {
      const [mark, gate] = [join(dir, `mark-${kind}`), join(dir, `gate-${kind}`)]
      const script = `echo $$ >> ${mark}; while [ ! -e ${gate} ]; do sleep 0.05; done`
      const label = (name: string): string => `    - { name: ${name}, patch: { target: cluster, apiVersion: v1, kind: ConfigMap, namespace: default, name: one, fields: { metadata: { annotations: { ${name}: "\${run}" } } } } }\n`
      await ended(await shop.push({
        'environments/dev.yaml': document('Environment', 'dev', `  tier: sandbox\n  deliver: { automatic: true }\n  targets:\n    cluster: { kubernetes: { context: dev } }\n    here: { host: { commands: { slow: { argv: [/bin/sh, -c, ${JSON.stringify(script)}] } } } }\n`),
        'operations/drill.yaml': document('Operation', 'drill', `  about: Is killed in the middle.\n  steps:\n${label('first')}    - { name: slow, command: { target: here, run: slow } }\n${label('last')}`),
        'toys/manifests/b.yaml': configMap('two', '3'),
      }, 'A drill'))
      await shop.until('the operation is known', async () => ((await shop.client().operations({})).operations.length === 1 ? true : undefined))
      const steps = async (id: string): Promise<string[]> => ((await shop.client().show(id)).operation?.steps ?? []).map(({ name, state }) => `${name} ${state}`)
      const applied = shop.applies('one')
      shop.cluster.inject({ times: 1, method: 'PATCH', path: '/configmaps/one?', answer: 'hang' })
      const { run: id = '' } = await shop.client().operate('dev', 'drill', { from: null, reason: 'what if it dies?' })
      await shop.until('the first step hangs', async () => (shop.applies('one') === applied + 1 ? true : undefined))
      expect(await steps(id ?? '')).toEqual(['first started', 'slow pending', 'last pending'])
      await again()
      await shop.until('the command is under way', async () => (existsSync(mark) ? true : undefined))
      expect(await steps(id ?? '')).toEqual(['first done', 'slow started', 'last pending'])
      await again()
      writeFileSync(gate, '')
      const over = await shop.until('the run has ended', async () => {
        const run = await shop.client().show(id ?? '')
        return isEnded(run.state) ? run : undefined
      })
      expect(over).toMatchObject({ state: 'interrupted', failure: { code: 'operation-interrupted', subject: 'step slow', hint: expect.stringContaining('--from slow') as string } })
      expect(readFileSync(mark, 'utf8').trim().split('\n')).toHaveLength(1)
      const { run: rest = '' } = await shop.client().operate('dev', 'drill', { from: 'last', reason: 'it had been done' })
      await shop.until('it went on', async () => ((await shop.client().show(rest ?? '')).state === 'succeeded' ? true : undefined))
      expect(await steps(rest ?? '')).toEqual(['first skipped', 'slow skipped', 'last done'])
    })

    test('after all that, every record verifies, and every run that has ended has one', async () => {
      await shop.verify()
    })
  })
})
