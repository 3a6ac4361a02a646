import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ShowAnswer } from '#api/client.ts'
import { publicKeyOf } from '#record/dsse.ts'
import { verifyChain } from '#record/verify.ts'
import { heldBy } from '#store/inventory.ts'
import { openShop } from './shop.ts'
import type { Shop } from './shop.ts'

const module = (name: string, more = '') => `apiVersion: plumbline.dev/v1alpha1
kind: Module
metadata: { name: ${name} }
spec: { track: declarative, driver: kubernetes, target: cluster, environments: [sandbox], source: { path: manifests }${more} }
`
const configMap = (name: string, data: string, more = '') => `apiVersion: v1
kind: ConfigMap
metadata: { name: ${name}, namespace: toys${more} }
data: ${data}
`
const web = 'apps/Deployment/storefront/storefront-web'
const namespace = (name: string) => `apiVersion: v1\nkind: Namespace\nmetadata: { name: ${name} }\n`
const key = (name: string) => `core/ConfigMap/toys/${name}`
type Effect = ShowAnswer['steps'][number]['effects'][number]
const effect = (run: ShowAnswer, of: string): Effect | undefined => run.steps.flatMap((step) => step.effects).find((one) => one.key === of)

describe('declared fields, and everything that can become of them', () => {
  let shop: Shop
  /** Commits to the platform repository, and gives the run that it made in the sandbox. */
  const commit = async (files: Parameters<Shop['push']>[1], message: string, repository = 'platform') => shop.settled('sandbox', await shop.push(repository, files, message))
  const live = async (what: string, path: string) => shop.kubectl('sandbox', 'get', ...what.split(' '), '-o', `jsonpath={${path}}`)
  const writes = () => (shop.playground.clusters['sandbox']?.api.requests() ?? []).filter((one) => one.method !== 'GET' && one.path.includes('fieldManager=plumbline')).length

  beforeAll(async () => {
    shop = await openShop({ environments: ['sandbox'] })
    await shop.delivered('sandbox')
    await commit({
      'toys/module.yaml': module('toys'),
      'toys/manifests/namespace.yaml': namespace('toys'),
      'toys/manifests/a.yaml': configMap('a', '{ edited: "1", patched: "1", stays: "1" }', ', labels: { colour: red }, annotations: { note: first }'),
      'toys/manifests/b.yaml': configMap('b', '{ shared: "1", gone: "1", stays: "1" }'),
    }, 'Toys')
    await shop.delivered('sandbox')
  })
  afterAll(() => shop.stop())

  test('what people changed by hand is held: shown with who did it, and left alone when something else changes', async () => {
    const editor = join(shop.dir, 'editor')
    writeFileSync(editor, '#!/bin/sh\nsed -i \'s/edited: "1"/edited: "by-edit"/\' "$1"\n')
    chmodSync(editor, 0o755)
    await shop.kubectl('sandbox', 'label', 'configmap', 'a', '-n', 'toys', 'colour=blue', '--overwrite')
    await shop.kubectl('sandbox', 'annotate', 'configmap', 'a', '-n', 'toys', 'note=second', '--overwrite')
    await shop.kubectl('sandbox', 'patch', 'configmap', 'a', '-n', 'toys', '--type=merge', '-p', '{"data":{"patched":"by-patch"}}')
    await shop.kubectl('sandbox', 'patch', 'configmap', 'a', '-n', 'toys', '--type=json', '-p', '[]')
    await shop.kubectlWith({ KUBE_EDITOR: editor }, 'sandbox', 'edit', 'configmap', 'a', '-n', 'toys')
    const run = await commit({ 'toys/manifests/a.yaml': (text) => text.replace('stays: "1"', 'stays: "2"') }, 'Change another field of it')
    expect(run.state).toBe('succeeded')
    expect(effect(run, key('a'))).toMatchObject({
      action: 'configured',
      outcome: 'configured',
      changes: [
        { path: 'data.edited', state: 'held', from: 'by-edit', to: '1', owner: 'kubectl-edit/Update' },
        { path: 'data.patched', state: 'held', from: 'by-patch', to: '1', owner: 'kubectl-patch/Update' },
        { path: 'data.stays', state: 'changed', from: '1', to: '2' },
        { path: 'metadata.annotations.note', state: 'held', from: 'second', to: 'first', owner: 'kubectl-annotate/Update' },
        { path: 'metadata.labels.colour', state: 'held', from: 'blue', to: 'red', owner: 'kubectl-label/Update' },
      ],
    })
    expect(JSON.parse(await live('configmap a -n toys', '.data'))).toEqual({ edited: 'by-edit', patched: 'by-patch', stays: '2' })
    expect(await live('configmap a -n toys', '.metadata.labels.colour')).toBe('blue')
  })

  test('another file of the module changes: what is held is shown, and the object gets no request', async () => {
    const before = await live('configmap a -n toys', '.metadata.resourceVersion')
    const run = await commit({ 'toys/manifests/b.yaml': (text) => text.replace('stays: "1"', 'stays: "2"') }, 'Change another object')
    expect(run.state).toBe('succeeded')
    expect(effect(run, key('a'))).toMatchObject({ action: 'unchanged' })
    expect(effect(run, key('a'))?.changes.map((change) => [change.path, change.state])).toEqual([
      ['data.edited', 'held'], ['data.patched', 'held'], ['metadata.annotations.note', 'held'], ['metadata.labels.colour', 'held'],
    ])
    expect(await live('configmap a -n toys', '.metadata.resourceVersion')).toBe(before)
  })

  test('Git changes a held field too: a person is told the field and the other manager, and nothing happens before the yes', async () => {
    const waiting = await commit({ 'toys/manifests/a.yaml': (text) => text.replace('edited: "1"', 'edited: "3"') }, 'Git wants it too')
    expect(waiting).toMatchObject({ state: 'waiting', waiting: [{ code: 'contested', waitingFor: 'approval' }] })
    expect(waiting.waiting[0]?.message).toBe('Git changes what another changed too: data.edited of ConfigMap toys/a (owned by kubectl-edit/Update).')
    expect(waiting.waiting[0]?.hint).toContain(`plumb approve ${waiting.id}`)
    expect(await live('configmap a -n toys', '.data.edited')).toBe('by-edit')
    expect(await shop.module('sandbox', 'toys')).toMatchObject({ delivery: 'behind', note: expect.stringContaining('data.edited') })
    await shop.client.approve(waiting.id, { plan: waiting.plan?.digest ?? '', reason: 'Git is right', objects: [] })
    const run = await shop.ended(waiting.id)
    expect(run).toMatchObject({ state: 'succeeded', gates: expect.arrayContaining([expect.objectContaining({ code: 'contested', outcome: 'allow', by: ['admin'] })]) })
    expect(await live('configmap a -n toys', '.data.edited')).toBe('3')
    expect(await live('configmap a -n toys', '.data.patched')).toBe('by-patch')
  })

  test('a Deployment that was scaled and given another image by hand', async () => {
    await shop.kubectl('sandbox', 'scale', 'deployment', 'storefront-web', '-n', 'storefront', '--replicas=2')
    await shop.kubectl('sandbox', 'set', 'env', 'deployment/storefront-web', '-n', 'storefront', 'THEME=dark')
    const held = await commit({ 'deploy/sandbox/configmap.yaml': (text) => text.replace('Good things', 'Better things') }, 'Better', 'storefront')
    expect(held.state).toBe('succeeded')
    const changes = effect(held, web)?.changes
    expect(changes).toMatchObject([
      { path: 'spec.replicas', state: 'held', from: 2, to: 1, owner: 'kubectl/Update/scale' },
      { path: expect.stringContaining('env[name="THEME"].value'), state: 'held', from: 'dark', to: 'light', owner: 'kubectl-set/Update' },
    ])
    const contested = await commit({ 'deploy/sandbox/deployment.yaml': (text) => text.replace('replicas: 1', 'replicas: 3') }, 'Three of them', 'storefront')
    expect(contested.waiting.map((one) => one.message)).toEqual(['Git changes what another changed too: spec.replicas of Deployment storefront/storefront-web (owned by kubectl/Update/scale).'])
    await shop.client.cancel(contested.id, { reason: 'two are enough' })
    const back = await commit({ 'deploy/sandbox/deployment.yaml': (text) => text.replace('replicas: 3', 'replicas: 1') }, 'As it was', 'storefront')
    expect(back.state).toBe('succeeded')
    expect(await live('deployment storefront-web -n storefront', '.spec.replicas')).toBe('2')
  })

  test('a field that an autoscaler moves is yielded: ten movements give no run and no write, and taking it out of Git deletes nothing', async () => {
    const autoscaler = 'apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: { name: storefront-web, namespace: storefront }\nspec:\n  scaleTargetRef: { apiVersion: apps/v1, kind: Deployment, name: storefront-web }\n  minReplicas: 1\n  maxReplicas: 4\n'
    expect(await commit({ 'deploy/sandbox/autoscaler.yaml': autoscaler }, 'Scale by itself', 'storefront')).toMatchObject({ state: 'succeeded' })
    const runs = (await shop.client.runs({ environment: 'sandbox' })).runs.length
    const before = writes()
    for (let turn = 0; turn < 10; turn += 1) {
      await shop.kubectl('sandbox', 'annotate', 'hpa', 'storefront-web', '-n', 'storefront', `playground.plumbline.dev/load=${turn % 2 === 0 ? 240 : 10}`, '--overwrite')
      await shop.until('it has scaled', async () => ((await live('deployment storefront-web -n storefront', '.spec.replicas')) === (turn % 2 === 0 ? '3' : '1') ? true : undefined))
    }
    expect(writes()).toBe(before)
    expect((await shop.client.runs({ environment: 'sandbox' })).runs).toHaveLength(runs)
    await shop.kubectl('sandbox', 'annotate', 'hpa', 'storefront-web', '-n', 'storefront', 'playground.plumbline.dev/load=240', '--overwrite')
    const changed = await commit({ 'deploy/sandbox/deployment.yaml': (text) => text.replace('replicas: 1', 'replicas: 2').replace('progressDeadlineSeconds: 60', 'progressDeadlineSeconds: 61') }, 'Git says two', 'storefront')
    expect(changed.state).toBe('succeeded')
    expect(effect(changed, web)?.changes).toContainEqual({ path: 'spec.replicas', state: 'yielded', from: 3, to: 2, owner: 'HorizontalPodAutoscaler storefront/storefront-web' })
    const removed = await commit({ 'deploy/sandbox/deployment.yaml': (text) => text.replace('  replicas: 2\n', '') }, 'Leave it to the autoscaler', 'storefront')
    expect(removed.state).toBe('succeeded')
    expect(await live('deployment storefront-web -n storefront', '.spec.replicas')).toBe('3')
  })

  test('a conflict with another applier names it and the field; what it co-owns stays when Git lets go, and what we alone own goes', async () => {
    const theirs = join(shop.dir, 'theirs.yaml')
    writeFileSync(theirs, 'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: b, namespace: toys }\ndata: { shared: "1" }\n')
    await shop.kubectl('sandbox', 'apply', '--server-side', '--field-manager=other', '-f', theirs)
    const waiting = await commit({ 'toys/manifests/b.yaml': (text) => text.replace('shared: "1"', 'shared: "2"') }, 'Ours')
    expect(waiting.waiting.map((one) => one.message)).toEqual(['Git changes what another changed too: data.shared of ConfigMap toys/b (owned by other).'])
    await shop.client.cancel(waiting.id, { reason: 'it is theirs' })
    expect(await shop.client.show(waiting.id)).toMatchObject({ state: 'cancelled', failure: { code: 'run-cancelled' }, record: { digest: expect.any(String) } })
    const run = await commit({ 'toys/manifests/b.yaml': configMap('b', '{ stays: "2" }') }, 'Let go of two fields')
    expect(run.state).toBe('succeeded')
    expect(effect(run, key('b'))?.changes.map((change) => [change.path, change.state])).toEqual([['data.gone', 'removed'], ['data.shared', 'removed']])
    expect(JSON.parse(await live('configmap b -n toys', '.data'))).toEqual({ shared: '1', stays: '2' })
  })

  test('an object that exists already is refused, and taken over field by field where the module says so', async () => {
    await shop.kubectl('sandbox', 'create', 'configmap', 'c', '-n', 'toys', '--from-literal=mine=no', '--from-literal=other=yes')
    const uid = await live('configmap c -n toys', '.metadata.uid')
    const refused = await commit({ 'toys/manifests/c.yaml': configMap('c', '{ mine: "yes" }') }, 'One more')
    expect(refused).toMatchObject({ state: 'failed', failure: { code: 'gate-refused', subject: 'plan.applicable', hint: expect.stringContaining('takeOver: true') }, record: { digest: expect.any(String) } })
    expect(effect(refused, key('c'))).toMatchObject({ failure: { code: 'object-exists', subject: 'ConfigMap toys/c' } })
    expect(await shop.module('sandbox', 'toys')).toMatchObject({ delivery: 'failed', note: expect.stringContaining('exists already') })
    expect(await live('configmap c -n toys', '.data.mine')).toBe('no')
    const taken = await commit({ 'toys/module.yaml': module('toys', ', takeOver: true') }, 'Take it')
    expect(taken.state).toBe('succeeded')
    expect(effect(taken, key('c'))?.changes).toContainEqual({ path: 'data.mine', state: 'taken', from: 'no', to: 'yes', owner: 'kubectl-create/Update' })
    expect(JSON.parse(await live('configmap c -n toys', '.data'))).toEqual({ mine: 'yes', other: 'yes' })
    expect(await live('configmap c -n toys', '.metadata.uid')).toBe(uid)
    expect((await commit({ 'toys/module.yaml': module('toys') }, 'No more than that')).state).toBe('succeeded')
  })

  test('an object that goes from one module to another in a commit is handed over, and never deleted', async () => {
    const uid = await live('configmap c -n toys', '.metadata.uid')
    const run = await commit({ 'toys/manifests/c.yaml': null, 'games/module.yaml': module('games', ', dependsOn: [toys]'), 'games/manifests/c.yaml': configMap('c', '{ mine: "still" }') }, 'Games are not toys')
    expect(run.state).toBe('succeeded')
    expect(run.plan?.summary['deleted']).toBe(0)
    expect(run.steps.find((step) => step.module === 'games')?.effects).toMatchObject([{ key: key('c'), action: 'configured', handedOverFrom: 'toys' }])
    expect(await live('configmap c -n toys', '.metadata.uid')).toBe(uid)
    expect(await live('configmap c -n toys', '.metadata.labels.plumbline\\.dev/module')).toBe('games')
    const { sql } = shop.plane.parts
    expect((await heldBy(sql, 'sandbox', 'games')).map((row) => row.key)).toEqual([key('c')])
    expect((await heldBy(sql, 'sandbox', 'toys')).map((row) => row.key)).not.toContain(key('c'))
  })

  test('a definition and its custom resource in one module: the resource is sealed when it is reached', async () => {
    const definition = `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: { name: kites.toys.example }
spec:
  group: toys.example
  scope: Namespaced
  names: { plural: kites, singular: kite, kind: Kite, listKind: KiteList }
  versions:
    - { name: v1, served: true, storage: true, schema: { openAPIV3Schema: { type: object, properties: { spec: { type: object, properties: { colour: { type: string } } }, status: { type: object, x-kubernetes-preserve-unknown-fields: true } } } } }
`
    const kite = 'apiVersion: toys.example/v1\nkind: Kite\nmetadata: { name: k, namespace: toys }\nspec: { colour: red }\n'
    const sha = await shop.push('platform', { 'games/manifests/kite.yaml': `${definition}---\n${kite}` }, 'Kites')
    // Its operator, who says when it flies.
    await shop.until('there is a kite', async () => (await live('kites.toys.example k -n toys', '.metadata.name').catch(() => '')) || undefined)
    await shop.kubectl('sandbox', 'patch', 'kites.toys.example', 'k', '-n', 'toys', '--type=merge', '-p', '{"status":{"conditions":[{"type":"Ready","status":"True"}]}}')
    const run = await shop.settled('sandbox', sha)
    expect(run).toMatchObject({ state: 'succeeded', plan: { summary: { created: 2 } } })
    expect(effect(run, 'toys.example/Kite/toys/k')).toMatchObject({ action: 'created', outcome: 'created', deferred: expect.stringContaining('Kite') })
    expect(await live('kites.toys.example k -n toys', '.spec.colour')).toBe('red')
  })

  test('what somebody deleted is made again; what somebody made again is not ours', async () => {
    await shop.kubectl('sandbox', 'delete', 'configmap', 'b', '-n', 'toys')
    const { run } = await shop.client.deploy('sandbox', { modules: ['toys'], reason: 'it is gone' })
    const again = await shop.ended(run ?? '')
    expect(again).toMatchObject({ state: 'succeeded', actor: 'admin', plan: { summary: { created: 1 } } })
    expect(await live('configmap b -n toys', '.data.stays')).toBe('2')
    await shop.kubectl('sandbox', 'delete', 'configmap', 'b', '-n', 'toys')
    await shop.kubectl('sandbox', 'create', 'configmap', 'b', '-n', 'toys', '--from-literal=stays=9')
    const { run: second } = await shop.client.deploy('sandbox', { modules: ['toys'], reason: 'is it as Git says?' })
    const refused = await shop.ended(second ?? '')
    expect(refused).toMatchObject({ state: 'failed', failure: { code: 'gate-refused' } })
    expect(effect(refused, key('b'))).toMatchObject({ failure: { code: 'object-recreated', subject: 'ConfigMap toys/b', hint: expect.stringContaining('takeOver: true') } })
    expect(await live('configmap b -n toys', '.data.stays')).toBe('9')
    await shop.kubectl('sandbox', 'delete', 'configmap', 'b', '-n', 'toys')
    const { run: third } = await shop.client.deploy('sandbox', { modules: ['toys'], reason: 'from Git' })
    expect(await shop.ended(third ?? '')).toMatchObject({ state: 'succeeded' })
  })

  test('a namespace that gets another name: what would go with it is counted, and a person decides', async () => {
    const moved = Object.fromEntries(['a', 'b'].map((name) => [`toys/manifests/${name}.yaml`, (text: string) => text.replace('namespace: toys', 'namespace: playthings')]))
    const waiting = await commit({ ...moved, 'toys/manifests/namespace.yaml': namespace('playthings'), 'games/module.yaml': null, 'games/manifests/c.yaml': null, 'games/manifests/kite.yaml': null }, 'Playthings')
    expect(waiting).toMatchObject({ state: 'waiting' })
    const mass = waiting.waiting.find((one) => one.code === 'deletion.mass')
    expect(mass?.message).toMatch(/^This deletes 6 objects \(.*Namespace toys.*\): .*Namespace toys with the \d+ objects? that it contains/)
    await shop.client.approve(waiting.id, { plan: waiting.plan?.digest ?? '', reason: 'the new name', objects: [] })
    const run = await shop.ended(waiting.id)
    expect(run).toMatchObject({ state: 'succeeded', plan: { summary: { created: 3, deleted: 6 } } })
    expect(await shop.kubectl('sandbox', 'get', 'namespaces', '-o', 'name')).not.toContain('namespace/toys')
    expect(JSON.parse(await live('configmap a -n playthings', '.data'))).toEqual({ edited: '3', patched: '1', stays: '2' })
    const { sql } = shop.plane.parts
    expect((await heldBy(sql, 'sandbox', 'toys')).map((row) => row.key)).toEqual(['core/ConfigMap/playthings/a', 'core/ConfigMap/playthings/b', 'core/Namespace//playthings'])
    expect(await heldBy(sql, 'sandbox', 'games')).toEqual([])
    expect(await shop.module('sandbox', 'games')).toBeUndefined()
  })

  test('after all that, every record verifies', async () => {
    const { publicKey, chains } = await shop.client.exportRecords({ environment: 'sandbox' })
    for (const chain of chains) expect(verifyChain(chain, [publicKeyOf(publicKey)])).toMatchObject({ records: chain.records.length, sealed: chain.records.length, defects: [] })
  })
})
