import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Client, ShowAnswer } from '#api/client.ts'
import { publicKeyOf } from '#record/dsse.ts'
import { runRecordType } from '#record/statement.ts'
import { verifyChain } from '#record/verify.ts'
import { heldBy } from '#store/inventory.ts'
import { git, openShop } from './shop.ts'
import type { Shop } from './shop.ts'

const ada = 'Ada Park <ada@orders.example>'
const module = (name: string, more = '') => `apiVersion: plumbline.dev/v1alpha1
kind: Module
metadata: { name: ${name} }
spec: { track: declarative, driver: kubernetes, target: cluster, environments: [sandbox], source: { path: manifests }${more} }
`
const configMap = (name: string, more = '', namespace = 'default') => `apiVersion: v1\nkind: ConfigMap\nmetadata: { name: ${name}, namespace: ${namespace} }\ndata: { a: "1"${more} }\n`
const codes = (run: ShowAnswer): string[] => run.waiting.map((one) => one.code)

describe('gates: who and what a delivery waits for', () => {
  let shop: Shop
  let bo: Client
  const commit = async (environment: string, repository: string, files: Parameters<Shop['push']>[1], message: string, author = ada) =>
    shop.settled(environment, await shop.push(repository, files, message, author))
  const waiting = async (environment: string, but?: string): Promise<ShowAnswer> =>
    shop.until(`${environment} waits`, async () => (await shop.client.runs({ environment })).runs.find((run) => run.state === 'waiting' && run.id !== but && run.kind !== 'policy'))
  const failure = async (call: Promise<unknown>): Promise<unknown> => call.then(() => 'it was done', (error: unknown) => error)

  beforeAll(async () => {
    shop = await openShop()
    bo = await shop.person('bo', 'approver')
    await shop.delivered('sandbox', 'staging')
  })
  afterAll(() => shop.stop())

  test('an approval needs the role, in that very environment', async () => {
    const run = await waiting('production')
    const hint = (role: string) => expect.stringContaining(`plumb token create ${role}`)
    expect(await failure((await shop.person('vera', 'developer')).approve(run.id, { plan: run.plan?.digest ?? '', reason: 'fine', objects: [] }))).toMatchObject({ code: 'forbidden', subject: 'vera', hint: hint('vera') })
    expect(await failure((await shop.person('sam', 'approver', [], ['staging'])).approve(run.id, { plan: run.plan?.digest ?? '', reason: 'fine', objects: [] }))).toMatchObject({ code: 'run-unknown' })
    expect(await shop.client.show(run.id)).toMatchObject({ state: 'waiting', approvals: [] })
    await bo.approve(run.id, { plan: run.plan?.digest ?? '', reason: 'the first one', objects: [] })
    expect(await shop.ended(run.id)).toMatchObject({ state: 'succeeded', approvals: [{ principal: 'bo', reason: 'the first one' }] })
    expect(await failure(bo.approve(run.id, { plan: run.plan?.digest ?? '', reason: 'again', objects: [] }))).toMatchObject({ code: 'run-ended', subject: `run ${run.id}` })
  })

  test('the author does not count; an unrelated commit costs no approval; a change of the plan does', async () => {
    const own = await shop.person('ada', 'approver', ['ada@orders.example'])
    const first = await commit('production', 'orders', { 'deploy/production/configmap.yaml': (text) => text.replace('"100"', '"101"') }, 'One more item')
    expect(first).toMatchObject({ state: 'waiting', waiting: [{ code: 'review.approvals', waitingFor: 'approval' }] })
    await own.approve(first.id, { plan: first.plan?.digest ?? '', reason: 'mine', objects: [] })
    const told = await shop.until('it says that this does not count', async () => {
      const run = await shop.client.show(first.id)
      return run.waiting[0]?.message.includes('does not count') === true ? run : undefined
    })
    expect(told.waiting[0]?.message).toContain('That of ada does not count: an author does not approve the own change.')
    expect(told.waiting[0]?.hint).toMatch(new RegExp(`^plumb approve ${first.id} --reason "…", as one of those who may: admin, bo\\. `))

    const sha = await shop.push('storefront', { 'README.md': (text) => `${text}\nHello.\n` }, 'A word')
    await shop.until('the snapshot is taken', async () => ((await shop.client.status()).repositories.some((one) => one.head === sha) ? true : undefined))
    await shop.until('staging has seen it', async () => ((await shop.module('staging', 'storefront-web'))?.snapshot === (await shop.client.status()).snapshot ? true : undefined))
    expect(await shop.client.show(first.id)).toMatchObject({ state: 'waiting', plan: { digest: first.plan?.digest } })

    const second = await commit('production', 'orders', { 'deploy/production/configmap.yaml': (text) => text.replace('"101"', '"102"') }, 'And one more', 'Kim <kim@orders.example>')
    const replaced = await shop.client.show(first.id)
    expect(replaced).toMatchObject({ state: 'superseded', failure: { code: 'run-superseded', hint: `plumb show ${second.id}` }, record: { digest: expect.any(String) } })
    expect(second.waiting[0]?.message).toContain('An earlier approval was for another plan and does not count.')
    expect(second.changes.map((change) => change.subject)).toEqual(['And one more', 'One more item'])
    await bo.approve(second.id, { plan: second.plan?.digest ?? '', reason: 'two more, then', objects: [] })
    expect(await shop.ended(second.id)).toMatchObject({ state: 'succeeded' })
    expect(await shop.kubectl('production', 'get', 'configmap', 'orders-api', '-n', 'orders', '-o', 'yaml')).toContain('MAX_ITEMS: "102"')
  })

  test('an author is one however many commits lie upon theirs', async () => {
    const own = await shop.person('ada', 'approver', ['ada@orders.example'])
    const clone = await shop.clone('orders')
    const file = join(clone, 'deploy/production/configmap.yaml')
    writeFileSync(file, readFileSync(file, 'utf8').replace('"102"', '"110"'))
    await git(clone, '-c', 'user.name=Ada', '-c', 'user.email=ada@orders.example', 'commit', '-q', '-a', '-m', 'Many more items')
    for (let count = 0; count < 55; count += 1) await git(clone, '-c', 'user.name=Kim', '-c', 'user.email=kim@orders.example', 'commit', '-q', '--allow-empty', '-m', `Nothing ${count}`)
    await git(clone, 'push', '-q', 'origin', 'HEAD:main')
    const run = await shop.settled('production', (await git(clone, 'rev-parse', 'HEAD')).trim())
    expect(run.changes.map((change) => change.author.name)).toEqual(Array.from({ length: 50 }, () => 'Kim'))
    await own.approve(run.id, { plan: run.plan?.digest ?? '', reason: 'mine', objects: [] })
    await shop.until('it does not count', async () => ((await shop.client.show(run.id)).waiting[0]?.message.includes('That of ada does not count') === true ? true : undefined))
    await bo.approve(run.id, { plan: run.plan?.digest ?? '', reason: 'well', objects: [] })
    expect(await shop.ended(run.id)).toMatchObject({ state: 'succeeded' })
  })

  test('a look at what is there replaces nothing; a cancelled run comes again only when a person asks', async () => {
    const run = await commit('production', 'orders', { 'deploy/production/configmap.yaml': (text) => text.replace('"110"', '"103"') }, 'A third')
    const { run: look } = await shop.client.verify('production', { reason: 'is it well?' })
    expect(await shop.ended(look ?? '')).toMatchObject({ kind: 'verify', state: 'succeeded' })
    expect(await shop.client.show(run.id)).toMatchObject({ state: 'waiting' })
    await shop.client.cancel(run.id, { reason: 'not now' })
    expect(await shop.client.show(run.id)).toMatchObject({ state: 'cancelled', failure: { code: 'run-cancelled', message: 'cancelled by admin: not now', hint: '`plumb deploy -e production` begins it again' }, record: { digest: expect.any(String) } })
    expect(await failure(shop.client.cancel(run.id, { reason: 'again' }))).toMatchObject({ code: 'run-ended' })
    expect(await shop.module('production', 'orders-api')).toMatchObject({ delivery: 'behind' })
    const { run: again } = await shop.client.deploy('production', { reason: 'now' })
    const asked = await waiting('production')
    expect(asked).toMatchObject({ id: again, kind: 'deploy', actor: 'admin', reason: 'now' })
    await bo.approve(asked.id, { plan: asked.plan?.digest ?? '', reason: 'now', objects: [] })
    expect(await shop.ended(asked.id)).toMatchObject({ state: 'succeeded' })
    expect(await shop.module('production', 'orders-api')).toMatchObject({ delivery: 'synced' })
  })

  test('an approval counts only while its approver may approve', async () => {
    const run = await commit('production', 'orders', { 'deploy/production/configmap.yaml': (text) => text.replace('"103"', '"104"') }, 'A fourth')
    const asks = (code: string, but: string) => shop.until(`it asks for ${code} and not for ${but}`, async () => {
      const now = codes(await shop.client.show(run.id))
      return now.includes(code) && !now.includes(but) ? true : undefined
    })
    await shop.client.pause('production', { module: null, reason: 'a moment', forMs: 3_600_000 })
    await (await shop.person('guest', 'approver')).approve(run.id, { plan: run.plan?.digest ?? '', reason: 'fine', objects: [] })
    await asks('pause', 'review.approvals')
    await shop.client.revokeTokens('guest')
    await shop.client.resume('production', { module: null })
    await asks('review.approvals', 'pause')
    await bo.approve(run.id, { plan: run.plan?.digest ?? '', reason: 'fine indeed', objects: [] })
    expect(await shop.ended(run.id)).toMatchObject({ state: 'succeeded', gates: expect.arrayContaining([expect.objectContaining({ code: 'review.approvals', by: ['bo'] })]) })
  })

  test('a pause holds a module with its reason, until somebody resumes it or it ends', async () => {
    await shop.client.pause('sandbox', { module: 'storefront-web', reason: 'we are counting', forMs: 3_600_000 })
    const run = await commit('sandbox', 'storefront', { 'deploy/sandbox/configmap.yaml': (text) => text.replace('Good', 'Fine') }, 'Fine things')
    expect(codes(run)).toEqual(['pause'])
    expect(run.waiting[0]).toMatchObject({ waitingFor: 'pause', message: expect.stringMatching(/^storefront-web is paused by admin until \S+Z: we are counting/) })
    expect(await shop.module('sandbox', 'storefront-web')).toMatchObject({ delivery: 'behind', note: expect.stringContaining('we are counting') })
    expect((await shop.client.status()).environments.find((one) => one.name === 'sandbox')?.pauses).toMatchObject([{ module: 'storefront-web', by: 'admin', reason: 'we are counting' }])
    // Another one, of the whole environment, ends by itself.
    await shop.client.pause('sandbox', { module: null, reason: 'a moment', forMs: 2000 })
    const until = (await shop.client.status()).environments.find((one) => one.name === 'sandbox')?.pauses.find((one) => one.module === null)?.until
    expect(await shop.client.resume('sandbox', { module: 'storefront-web' })).toEqual({ done: true })
    const done = await shop.ended(run.id)
    expect(done).toMatchObject({ state: 'succeeded' })
    expect(Date.parse(done.endedAt ?? '')).toBeGreaterThanOrEqual(Date.parse(until ?? ''))
    expect(await shop.client.resume('sandbox', { module: null })).toEqual({ done: false })
  })

  test('a commit that removes most of a module waits, and says what and how many; then the whole module goes', async () => {
    const crowd = Object.fromEntries(['a', 'b', 'c', 'd', 'e', 'f'].map((name) => [`crowd/manifests/${name}.yaml`, configMap(`crowd-${name}`)]))
    expect(await commit('sandbox', 'platform', { 'crowd/module.yaml': module('crowd'), ...crowd }, 'A crowd')).toMatchObject({ state: 'succeeded' })
    const gone = Object.fromEntries(['a', 'b', 'c'].map((name) => [`crowd/manifests/${name}.yaml`, null]))
    const run = await commit('sandbox', 'platform', gone, 'Half of it')
    expect(codes(run)).toEqual(['deletion.mass'])
    expect(run.waiting[0]?.message).toBe('This deletes 3 objects (ConfigMap default/crowd-a, ConfigMap default/crowd-b, ConfigMap default/crowd-c): 3 of the 6 objects of crowd.')
    expect(run.waiting[0]?.hint).toContain(`plumb cancel ${run.id}`)
    expect(await shop.kubectl('sandbox', 'get', 'configmaps', '-o', 'name')).toContain('crowd-a')
    // A newer commit that takes the whole module away changes the plan: it replaces the run.
    const rest = Object.fromEntries(['d', 'e', 'f'].map((name) => [`crowd/manifests/${name}.yaml`, null]))
    const all = await commit('sandbox', 'platform', { ...rest, 'crowd/module.yaml': null }, 'All of it')
    expect(await shop.client.show(run.id)).toMatchObject({ state: 'superseded' })
    expect(all.waiting[0]?.message).toMatch(/^This deletes 6 objects .*6 of the 6 objects of crowd\.$/)
    await shop.client.approve(all.id, { plan: all.plan?.digest ?? '', reason: 'nobody needs it', objects: [] })
    expect(await shop.ended(all.id)).toMatchObject({ state: 'succeeded', plan: { summary: { deleted: 6 } } })
    expect(await shop.kubectl('sandbox', 'get', 'configmaps', '-o', 'name')).not.toContain('crowd')
    expect(await heldBy(shop.plane.parts.sql, 'sandbox', 'crowd')).toEqual([])
    expect(await shop.module('sandbox', 'crowd')).toBeUndefined()
  })

  test('what holds data goes only when a person names it', async () => {
    const run = await commit('sandbox', 'orders', {
      'deploy/sandbox/volume.yaml': null,
      'deploy/sandbox/deployment.yaml': (text) => text.replace(/persistentVolumeClaim:\n\s+claimName: orders-data/, 'emptyDir: {}'),
    }, 'Orders are kept elsewhere now')
    expect(codes(run)).toEqual(['deletion.state'])
    expect(run.waiting[0]?.message).toBe('This deletes data: PersistentVolumeClaim orders/orders-data. A person has to name each of them.')
    expect(run.waiting[0]?.hint).toContain('--object core/PersistentVolumeClaim/orders/orders-data')
    await bo.approve(run.id, { plan: run.plan?.digest ?? '', reason: 'whatever it is', objects: ['core/PersistentVolumeClaim/orders/other'] })
    await shop.until('the approval was looked at', async () => ((await shop.client.show(run.id)).approvals.length > 0 ? true : undefined))
    expect(await shop.client.show(run.id)).toMatchObject({ state: 'waiting' })
    await bo.approve(run.id, { plan: run.plan?.digest ?? '', reason: 'that one', objects: ['core/PersistentVolumeClaim/orders/orders-data'] })
    expect(await shop.ended(run.id)).toMatchObject({ state: 'succeeded', gates: expect.arrayContaining([expect.objectContaining({ code: 'deletion.state', outcome: 'allow', by: ['bo'] })]) })
    expect(await shop.kubectl('sandbox', 'get', 'pvc', '-n', 'orders', '-o', 'name')).toBe('')
  })

  test.each([
    ['another team’s namespace', { 'deploy/sandbox/x.yaml': configMap('x', '', 'storefront') }, 'limits', 'namespace storefront is not listed (allow.namespaces)'],
    ['a cluster-scoped kind', { 'deploy/sandbox/x.yaml': 'apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: { name: x }\nrules: []\n' }, 'limits', 'the kind ClusterRole.rbac.authorization.k8s.io is not listed (allow.kinds)'],
  ])('a repository that reaches beyond its limits is refused: %s', async (_, files, rule, what) => {
    const run = await commit('sandbox', 'orders', files, 'Further')
    expect(run).toMatchObject({ state: 'failed', failure: { code: 'gate-refused', subject: rule, message: expect.stringContaining(what), hint: expect.stringContaining('spec.repositories.<name>.allow in plumbline.yaml') }, record: { digest: expect.any(String) } })
    expect(run.steps.flatMap((step) => step.effects).filter((one) => one.outcome !== undefined)).toEqual([])
    expect(await shop.module('sandbox', 'orders-api')).toMatchObject({ delivery: 'failed', note: expect.stringContaining(what) })
    expect(await commit('sandbox', 'orders', { 'deploy/sandbox/x.yaml': null }, 'Not so far')).toMatchObject({ state: 'succeeded' })
    expect(await shop.module('sandbox', 'orders-api')).toMatchObject({ delivery: 'synced', failure: null })
  })

  test('a secret reference that is not its own is refused, and no value is read', async () => {
    const run = await commit('sandbox', 'orders', { 'deploy/module.yaml': (text) => `${text}  secrets:\n    - { name: theirs, namespace: orders, keys: { url: { secretRef: "env:PATH" } } }\n` }, 'Their secret')
    const orders = run.steps.find((step) => step.module === 'orders-api')
    expect(orders?.failure).toMatchObject({ code: 'limits-secret', message: 'repository orders may not use the secret reference env:PATH', hint: expect.stringContaining('spec.repositories.orders.allow.secrets') })
    expect(run.state).toBe('failed')
    expect(await shop.kubectl('sandbox', 'get', 'secrets', '-n', 'orders', '-o', 'name')).not.toContain('theirs')
    expect(await commit('sandbox', 'orders', { 'deploy/module.yaml': (text) => text.replace(/ {2}secrets:\n.*\n$/, '') }, 'Not theirs')).toMatchObject({ state: 'succeeded' })
  })

  test('what fails stops what depends on it, and nothing else', async () => {
    const probe = ', probes: [{ name: never, within: 1s, every: 1s, kubernetes: { target: cluster, apiVersion: v1, kind: ConfigMap, namespace: default, name: first, cel: "object.data.a == \'2\'" } }]'
    const run = await commit('sandbox', 'platform', {
      'first/module.yaml': module('first', probe), 'first/manifests/a.yaml': configMap('first'),
      'second/module.yaml': module('second', ', dependsOn: [first]'), 'second/manifests/a.yaml': configMap('second'),
      'third/module.yaml': module('third'), 'third/manifests/a.yaml': configMap('third'),
    }, 'Three of them')
    expect(run.state).toBe('failed')
    expect(Object.fromEntries(run.steps.map((step) => [step.module, [step.delivery, step.verification]]))).toEqual({ first: ['delivered', 'failed'], second: ['halted', 'unknown'], third: ['delivered', 'passed'] })
    expect(run.steps.find((step) => step.module === 'second')?.failure).toMatchObject({ code: 'dependency-failed', message: 'first, which it depends on, is delivered but not verified' })
    expect(await shop.module('sandbox', 'first')).toMatchObject({ delivery: 'synced', verification: 'failed' })
    expect(await shop.module('sandbox', 'second')).toMatchObject({ delivery: 'behind', failure: { code: 'dependency-failed' } })
    expect(await shop.kubectl('sandbox', 'get', 'configmaps', '-o', 'name')).not.toContain('second')
    const mended = await commit('sandbox', 'platform', { 'first/manifests/a.yaml': (text) => text.replace('"1"', '"2"') }, 'Mend it')
    expect(mended.state).toBe('succeeded')
    await shop.delivered('sandbox')
    expect(await shop.kubectl('sandbox', 'get', 'configmaps', '-o', 'name')).toContain('second')
  })

  test('after all that, every record verifies, and every run that has ended has one', async () => {
    const { publicKey, chains } = await shop.client.exportRecords()
    for (const chain of chains) expect(verifyChain(chain, [publicKeyOf(publicKey)])).toMatchObject({ records: chain.records.length, sealed: chain.records.length, defects: [] })
    const { runs } = await shop.client.runs({ limit: 200 })
    expect(runs.filter((run) => run.endedAt !== null && run.record === null)).toEqual([])
    // Verdicts that change later have records of their own.
    expect(chains.flatMap((chain) => chain.records).filter((text) => (JSON.parse(text) as { predicateType: string }).predicateType === runRecordType)).toHaveLength(runs.filter((run) => run.endedAt !== null).length)
  })
})
