import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Finding } from '#api/client.ts'
import { webhookServer, patching } from '#playground/api/admission/testing/webhook-server.ts'
import { autoscalers, deployments } from '#playground/controllers/kinds.ts'
import type { TypedObjects } from '#playground/controllers/typed-objects.ts'
import { eventually } from '../eventually.ts'
import { openShop } from './shop.ts'
import type { Shop } from './shop.ts'

const module = `apiVersion: plumbline.dev/v1alpha1
kind: Module
metadata: { name: toys }
spec: { target: cluster, environments: [sandbox], source: { path: manifests } }
`
const configMap = (name: string, data = '{ a: "1", b: "1" }') => `apiVersion: v1
kind: ConfigMap
metadata: { name: ${name}, namespace: toys, labels: { colour: red } }
data: ${data}
`
const web = 'apps/Deployment/storefront/storefront-web'
const map = (name: string) => `core/ConfigMap/toys/${name}`

describe('drift on a cluster, with the real kubectl', () => {
  let shop: Shop
  let token: string
  const kubectl = (...args: string[]) => shop.kubectl('sandbox', ...args)
  const as = (user: string, ...args: string[]) => shop.kubectl('sandbox', '--user', `${user}@sandbox`, ...args)
  const toys = (...args: string[]) => kubectl('-n', 'toys', ...args)
  const apply = async (manager: string, object: object, ...more: string[]) => {
    const file = join(shop.dir, 'object.json')
    writeFileSync(file, JSON.stringify(object))
    await kubectl('apply', '-f', file, ...(manager === '' ? [] : ['--server-side', '--force-conflicts', `--field-manager=${manager}`]), ...more)
  }
  /** As a program in the cluster does, by its service account. */
  const program = async (manager: string, object: object) => apply(manager, object, '--token', token)
  const live = (data: object, more: object = {}, name = 'a') => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'toys', ...more }, data })
  const findings = async () => (await shop.client.findings({ environment: 'sandbox', resolved: 'with' })).findings
  /** The finding of an object, once it is as `is` says. */
  const found = (object: string, is: (one: Finding) => boolean) => shop.until(`a finding of ${object}`, async () => (await findings()).find((one) => one.object === object && is(one)))
  const opened = (object: string, cause: Finding['cause']) => found(object, (one) => one.cause === cause && one.state === 'open')
  const resolved = (object: string) => found(object, (one) => one.state === 'resolved')

  beforeAll(async () => {
    shop = await openShop({ environments: ['sandbox'] })
    await shop.delivered('sandbox')
    const names = ['labelled', 'edited', 'patched', 'deleted', 'remade', 'argo', 'operated', 'client-side', 'removed', 'two', 'leaving']
    await shop.push('platform', {
      'toys/module.yaml': module,
      'toys/manifests/namespace.yaml': 'apiVersion: v1\nkind: Namespace\nmetadata: { name: toys }\n',
      ...Object.fromEntries(names.map((name) => [`toys/manifests/${name}.yaml`, configMap(name)])),
    }, 'Toys')
    await shop.delivered('sandbox')
    await eventually(async () => {
      const { environments } = await shop.client.status()
      return environments[0]?.watches.every((watch) => watch.state === 'watching' && watch.objects > 20) === true && (await shop.module('sandbox', 'toys'))?.delivery === 'synced'
    })
    await kubectl('-n', 'toys', 'create', 'serviceaccount', 'robot')
    await kubectl('create', 'clusterrolebinding', 'robot', '--clusterrole=cluster-admin', '--serviceaccount=toys:robot')
    token = (await toys('create', 'token', 'robot')).trim()
  })
  afterAll(() => shop.stop())

  test('nothing that was delivered is drift', async () => {
    expect(await shop.client.findings({})).toMatchObject({ findings: [], watches: [{ environment: 'sandbox', target: 'cluster', state: 'watching' }] })
  })

  test('what people do by hand is told with who did it, what was declared and where', async () => {
    const editor = join(shop.dir, 'editor')
    writeFileSync(editor, '#!/bin/sh\nsed -i \'s/a: "1"/a: "by-edit"/\' "$1"\n')
    chmodSync(editor, 0o755)
    await Promise.all([
      as('noor', '-n', 'storefront', 'scale', 'deployment', 'storefront-web', '--replicas=2'),
      shop.kubectlWith({ KUBE_EDITOR: editor }, 'sandbox', '-n', 'toys', 'edit', 'configmap', 'edited'),
      as('noor', '-n', 'toys', 'patch', 'configmap', 'patched', '--type=merge', '-p', '{"data":{"a":"by-patch","never":"declared"}}'),
      toys('label', 'configmap', 'labelled', 'colour=blue', '--overwrite'),
      as('noor', '-n', 'toys', 'patch', 'configmap', 'removed', '--type=json', '-p', '[{"op":"remove","path":"/data/b"}]'),
    ])
    const scaled = await found(web, (one) => one.person === 'noor@platform.example' && one.source !== null)
    expect(scaled).toMatchObject({ cause: 'manual', module: 'storefront-web', manager: 'kubectl (scale)', fields: [{ path: 'spec.replicas', declared: 1, live: 2 }], state: 'open', decision: 'report', count: 1 })
    expect(scaled.source).toMatchObject({ repository: 'storefront', file: 'deploy/sandbox/deployment.yaml', line: 10, column: 13, commit: { sha: expect.stringMatching(/^[0-9a-f]{40}$/) } })
    expect(Date.now() - Date.parse(scaled.onset ?? '')).toBeLessThan(60_000)
    expect(await opened(map('edited'), 'manual')).toMatchObject({ manager: 'kubectl-edit', fields: [{ path: 'data.a', declared: '1', live: 'by-edit' }] })
    expect(await opened(map('patched'), 'manual')).toMatchObject({ manager: 'kubectl-patch', fields: [{ path: 'data.a', declared: '1', live: 'by-patch' }] })
    expect(await opened(map('labelled'), 'manual')).toMatchObject({ manager: 'kubectl-label', fields: [{ path: 'metadata.labels.colour', declared: 'red', live: 'blue' }] })
    // A field that is gone names nobody: the audit log does.
    expect(await found(map('removed'), (one) => one.person !== null)).toMatchObject({ cause: 'manual', person: 'noor@platform.example', fields: [{ path: 'data.b', declared: '1', live: null }] })
    await kubectl('-n', 'storefront', 'set', 'image', 'deployment/storefront-web', 'storefront-web=registry.shop.example/storefront/storefront-web:2.3.0')
    const both = await found(web, (one) => one.fields.length === 2)
    expect(both).toMatchObject({ id: scaled.id, cause: 'manual', count: 2, manager: 'kubectl (scale), kubectl-set' })
  })

  test('an object that is gone, and one that was made again', async () => {
    await Promise.all([as('ivo', '-n', 'toys', 'delete', 'configmap', 'deleted'), toys('delete', 'configmap', 'remade')])
    expect(await found(map('deleted'), (one) => one.person !== null)).toMatchObject({ cause: 'missing', person: 'ivo@platform.example', fields: [], state: 'open' })
    await opened(map('remade'), 'missing')
    // What a finalizer holds is as declared until it goes, as a claim is that a pod uses: then it is too late.
    await toys('patch', 'configmap', 'leaving', '--type=merge', '-p', '{"metadata":{"finalizers":["example.dev/hold"]}}')
    await as('ivo', '-n', 'toys', 'delete', 'configmap', 'leaving', '--wait=false')
    expect(await found(map('leaving'), (one) => one.person !== null)).toMatchObject({ cause: 'missing', person: 'ivo@platform.example', message: 'ConfigMap toys/leaving is being deleted', state: 'open' })
    await toys('patch', 'configmap', 'leaving', '--type=merge', '-p', '{"metadata":{"finalizers":null}}')
    await found(map('leaving'), (one) => one.message.includes('is gone'))
    await toys('create', 'configmap', 'remade', '--from-literal=a=1')
    expect(await opened(map('remade'), 'recreated')).toMatchObject({ fields: expect.arrayContaining([{ path: 'data.b', declared: '1', live: null }]) })
    expect((await findings()).filter((one) => one.object === map('remade')).map(({ cause, state }) => `${cause} ${state}`).sort()).toEqual(['missing resolved', 'recreated open'])
  })

  test('other controllers: a second GitOps controller, and an operator that writes into what we declare', async () => {
    await program('argocd-controller', live({ a: 'theirs' }, {}, 'argo'))
    await program('toy-operator', live({ b: 'theirs' }, {}, 'operated'))
    expect(await opened(map('argo'), 'controller')).toMatchObject({ manager: 'argocd-controller', fields: [{ path: 'data.a', declared: '1', live: 'theirs' }] })
    expect(await opened(map('operated'), 'controller')).toMatchObject({ manager: 'toy-operator', fields: [{ path: 'data.b', live: 'theirs' }] })
  })

  test('kubectl apply, which Argo CD’s migration looks like, is unknown until the audit log names a person', async () => {
    await apply('', live({ a: 'applied', b: '1' }, {}, 'client-side'))
    const named = await found(map('client-side'), (one) => one.person !== null)
    expect(named).toMatchObject({ cause: 'manual', manager: 'kubectl-client-side-apply', fields: [{ path: 'data.a', declared: '1', live: 'applied' }] })
    expect((await findings()).filter((one) => one.object === map('client-side'))).toHaveLength(1)
  })

  test('each keeps what they did: when another writes under the same name, and when somebody decides', async () => {
    const first = await found(map('patched'), (one) => one.person === 'noor@platform.example')
    // Far enough apart that the times of one field manager tell them apart.
    await eventually(() => Date.now() - Date.parse(first.onset ?? '') > 3_000)
    await as('ivo', '-n', 'toys', 'patch', 'configmap', 'patched', '--type=merge', '-p', '{"data":{"b":"by-ivo"}}')
    const both = await found(map('patched'), (one) => one.person === 'ivo@platform.example, noor@platform.example')
    expect(both).toMatchObject({ id: first.id, manager: 'kubectl-patch', onset: first.onset, count: 2, fields: [{ path: 'data.a', live: 'by-patch' }, { path: 'data.b', live: 'by-ivo' }] })
    await shop.client.accept(first.id, { reason: 'for the moment', until: new Date(Date.now() + 60_000).toISOString() })
    await shop.ended((await shop.client.revert(first.id, { reason: 'enough of it' })).run ?? '')
    expect(await resolved(map('patched'))).toMatchObject({ person: both.person, onset: first.onset })
    const { history } = await shop.client.finding(first.id)
    // Who opened it is told when the audit log speaks: with the opening, or just after it.
    for (const person of ['ivo', 'noor']) expect(history.some(({ actor, reason }) => actor === 'plumbline' && reason.includes(`${person}@platform.example`))).toBe(true)
    expect(history.filter(({ what }) => what !== 'changed' && what !== 'attributed').map(({ what, actor, reason }) => [what, actor, reason])).toEqual([
      ['opened', 'plumbline', expect.stringMatching(/is not what was declared, by /)],
      ['accepted', 'admin', 'for the moment'],
      ['reverted', 'admin', 'enough of it'],
      ['resolved', 'plumbline', 'it is as declared again, by plumbline'],
    ])
  })

  test('what comes back to what was declared resolves by itself, and what was never declared is no drift', async () => {
    await toys('label', 'configmap', 'labelled', 'colour=red', '--overwrite')
    expect(await resolved(map('labelled'))).toMatchObject({ cause: 'manual', resolvedAt: expect.any(String) })
    await toys('annotate', 'configmap', 'labelled', 'note=mine')
    await toys('label', 'configmap', 'two', 'colour=blue', '--overwrite')
    await opened(map('two'), 'manual')
    expect((await findings()).find((one) => one.object === map('labelled'))?.state).toBe('resolved')
  })

  test('a revert makes the fields of one finding as declared again, by a run with a plan and a record, and leaves the rest', async () => {
    await toys('patch', 'configmap', 'two', '--type=merge', '-p', '{"data":{"a":"by-hand"}}')
    await program('argocd-controller', live({ b: 'theirs' }, {}, 'two'))
    const manual = await found(map('two'), (one) => one.cause === 'manual' && one.fields.length === 2)
    const theirs = await opened(map('two'), 'controller')
    const { run } = await shop.client.revert(manual.id, { reason: 'it was a try' })
    expect(await shop.ended(run ?? '')).toMatchObject({
      kind: 'revert', state: 'succeeded', reason: 'it was a try', actor: 'admin', record: { digest: expect.any(String) }, plan: { summary: { configured: 1 } },
      steps: [{ module: 'toys', effects: [{ key: map('two'), outcome: 'configured', changes: [{ path: 'data.a', from: 'by-hand', to: '1' }, { path: 'data.b', state: 'held' }, { path: 'metadata.labels.colour', from: 'blue', to: 'red' }] }] }],
    })
    await found(map('two'), (one) => one.id === manual.id && one.state === 'resolved')
    expect(await found(map('two'), (one) => one.id === theirs.id)).toMatchObject({ state: 'open', fields: [{ path: 'data.b', live: 'theirs' }] })
    const { history } = await shop.client.finding(manual.id)
    expect(history.map(({ what }) => what).filter((what) => what !== 'attributed')).toEqual(['opened', 'changed', 'reverted', 'resolved'])
    const missing = (await findings()).find((one) => one.object === map('deleted'))
    await shop.ended((await shop.client.revert(missing?.id ?? '', { reason: 'it is needed' })).run ?? '')
    await resolved(map('deleted'))
    expect(await toys('get', 'configmap', 'deleted', '-o', 'jsonpath={.data.a}')).toBe('1')
    // Another object of that name is taken over, as the plan shows.
    const remade = (await findings()).find((one) => one.object === map('remade') && one.cause === 'recreated')
    expect(await shop.ended((await shop.client.revert(remade?.id ?? '', { reason: 'ours again' })).run ?? '')).toMatchObject({ state: 'succeeded' })
    await found(map('remade'), (one) => one.cause === 'recreated' && one.state === 'resolved')
  })

  test('where the policy reverts, it is reverted by itself; what comes back three times is contested, and both are named', async () => {
    await shop.push('platform', { 'toys/module.yaml': (text) => `${text.trimEnd().replace(/ }$/, ', drift: { manual: revert } }')}\n` }, 'Toys are reverted')
    await shop.until('its policy is known', async () => {
      await toys('patch', 'configmap', 'client-side', '--type=merge', '-p', '{"data":{"a":"again"}}')
      return (await findings()).some((one) => one.object === map('client-side') && one.decision === 'revert') ? true : undefined
    })
    for (let turn = 0; turn < 4; turn += 1) {
      const now = await found(map('labelled'), (one) => one.state === 'resolved' || one.state === 'contested')
      if (now.state === 'contested') break
      // It is over before the audit log tells, and bears the name all the same.
      await as('ivo', '-n', 'toys', 'patch', 'configmap', 'labelled', '--type=merge', '-p', '{"data":{"a":"again"}}')
      await found(map('labelled'), (one) => one.count > now.count && one.person === 'ivo@platform.example')
    }
    const contested = await found(map('labelled'), (one) => one.state === 'contested')
    expect(contested.contested.sort()).toEqual(['kubectl-patch', 'plumbline'])
    expect(await toys('get', 'configmap', 'labelled', '-o', 'jsonpath={.data.a}')).toBe('again')
  })

  test('as many movements as an autoscaler makes in ten minutes give no finding, nor does what a mutating webhook makes of our own apply', async () => {
    const hook = await webhookServer()
    hook.answer = (request) => patching([{ op: 'add', path: '/data/a', value: `${(request['object'] as { data: { a: string } }).data.a}, as the webhook writes it` }])
    const rules = [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['configmaps'] }]
    const webhooks = [{ name: 'rewrite.example.dev', clientConfig: { url: `${hook.url}/mutate`, caBundle: hook.caBundle }, rules, objectSelector: { matchLabels: { colour: 'green' } }, sideEffects: 'None', admissionReviewVersions: ['v1'] }]
    await apply('', { apiVersion: 'admissionregistration.k8s.io/v1', kind: 'MutatingWebhookConfiguration', metadata: { name: 'rewrite' }, webhooks })
    const back = await shop.push('storefront', {
      'deploy/sandbox/autoscaler.yaml': 'apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: { name: storefront-web, namespace: storefront }\nspec:\n  scaleTargetRef: { apiVersion: apps/v1, kind: Deployment, name: storefront-web }\n  minReplicas: 1\n  maxReplicas: 4\n',
    }, 'Scale by itself')
    const green = await shop.push('platform', { 'toys/manifests/green.yaml': configMap('green').replace('red', 'green') }, 'A green one')
    expect([await shop.settled('sandbox', back), await shop.settled('sandbox', green)]).toMatchObject([{ state: 'succeeded' }, { state: 'succeeded' }])
    const before = (await findings()).filter(({ fields }) => fields.some(({ path }) => path === 'spec.replicas')).map(({ id, count }) => [id, count])
    const objects = shop.playground.clusters['sandbox']?.objects as TypedObjects
    // One every fifteen seconds, by a load that a person sets; here one as soon as the last is done.
    for (let turn = 0; turn < 40; turn += 1) {
      objects.edit(autoscalers, { namespace: 'storefront', name: 'storefront-web' }, 'object', 'kubectl-annotate', (one) => {
        one.metadata.annotations = { ...one.metadata.annotations, 'playground.plumbline.dev/load': turn % 2 === 0 ? '240' : '10' }
      })
      await eventually(() => objects.get(deployments, 'storefront', 'storefront-web')?.spec.replicas === (turn % 2 === 0 ? 3 : 1))
    }
    await kubectl('-n', 'storefront', 'label', 'deployment', 'storefront-web', 'app.kubernetes.io/part-of=somewhere', '--overwrite')
    await found(web, (one) => one.fields.some(({ path }) => path.includes('part-of')))
    const after = await findings()
    expect(after.filter(({ state, fields }) => state !== 'resolved' && fields.some(({ path }) => path === 'spec.replicas'))).toEqual([])
    expect(after.filter(({ fields }) => fields.some(({ path }) => path === 'spec.replicas')).map(({ id }) => id)).toEqual(before.map(([id]) => id))
    expect(after.filter(({ object }) => object === map('green'))).toEqual([])
    expect(await toys('get', 'configmap', 'green', '-o', 'jsonpath={.data.a}')).toBe('1, as the webhook writes it')
    await hook.close()
    // On request they are told, with whose they are.
    const [fields] = (await shop.client.fields('sandbox', { module: 'storefront-web' })).objects.filter(({ object }) => object === web)
    expect(fields?.delegated).toMatchObject([{ path: 'spec.replicas', declared: 1, to: 'HorizontalPodAutoscaler storefront/storefront-web' }])
    expect(fields?.emergent).toEqual(expect.arrayContaining([{ path: 'status', owner: expect.any(String) }, { path: 'spec.template.spec.dnsPolicy', owner: null }]))
    const [green1] = (await shop.client.fields('sandbox', { module: 'toys' })).objects.filter(({ object }) => object === map('green'))
    expect(green1?.delegated).toMatchObject([{ path: 'data.a', declared: '1', live: '1, as the webhook writes it', to: 'the API server, or MutatingWebhookConfiguration rewrite' }])
  })

  test('a namespace that is deleted names who did that, for all that it held', async () => {
    await as('ivo', 'delete', 'namespace', 'toys', '--wait=false')
    expect(await found(map('two'), (one) => one.cause === 'missing' && one.person !== null)).toMatchObject({ person: 'ivo@platform.example', manager: 'kubectl' })
  })
})
