import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { systemClock } from '#lib/clock.ts'
import type { Json, JsonObject } from '#lib/json.ts'
import { type KubernetesObject, StillAsking } from '#playground/contract.ts'
import { startControllers } from '#playground/controllers/controllers.ts'
import { pods, replicaSets } from '#playground/controllers/kinds.ts'
import { typedObjects } from '#playground/controllers/typed-objects.ts'
import { eventually } from '../../../test/eventually.ts'
import { type TestServer, testServer } from '../testing.ts'
import { patching, type WebhookServer, webhookServer } from './testing/webhook-server.ts'

let running: TestServer
let hook: WebhookServer
beforeAll(async () => {
  running = await testServer()
  hook = await webhookServer(['localhost', 'hook.default.svc'])
})
afterAll(async () => {
  await running.end()
  await hook.close()
})

const root = '/apis/admissionregistration.k8s.io/v1'
const configMaps = '/api/v1/namespaces/default/configmaps'
const configMap = (name: string, more: JsonObject = {}): JsonObject => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data: { key: 'sent' }, ...more })
const plurals = { Mutating: 'mutatingwebhookconfigurations', Validating: 'validatingwebhookconfigurations' } as const

async function configure(sort: keyof typeof plurals, more: JsonObject = {}, name = 'test'): Promise<void> {
  const webhook = {
    name: `${name}.example.dev`,
    clientConfig: { url: `${hook.url}/admit`, caBundle: hook.caBundle },
    rules: [{ apiGroups: [''], apiVersions: ['v1'], resources: ['configmaps'], operations: ['CREATE', 'UPDATE', 'DELETE'] }],
    sideEffects: 'None',
    admissionReviewVersions: ['v1'],
    ...more,
  }
  const made = await running.ask('POST', `${root}/${plurals[sort]}`, { apiVersion: 'admissionregistration.k8s.io/v1', kind: `${sort}WebhookConfiguration`, metadata: { name }, webhooks: [webhook] })
  expect([made.status, made.body.message]).toEqual([201, undefined])
}

afterEach(async () => {
  for (const plural of Object.values(plurals)) await running.ask('DELETE', `${root}/${plural}`)
  await running.ask('DELETE', configMaps)
  hook.asked.splice(0)
  hook.answer = () => ({ response: { allowed: true } })
})

const create = (object: JsonObject, query = ''): ReturnType<TestServer['ask']> => running.ask('POST', `${configMaps}${query}`, object, { 'user-agent': 'tester/1' })
const labelled = [{ op: 'add', path: '/metadata/labels', value: { injected: 'yes' } }]

describe('a mutating webhook', () => {
  test('is told of the request, and changes the object', async () => {
    await configure('Mutating')
    hook.answer = () => patching([...labelled, { op: 'replace', path: '/data/key', value: 'changed' }])
    const { status, body } = await create(configMap('a'))
    expect([status, body.data, (body.metadata as JsonObject).labels]).toEqual([201, { key: 'changed' }, { injected: 'yes' }])
    expect(hook.asked).toEqual([
      {
        uid: expect.any(String),
        kind: { group: '', version: 'v1', kind: 'ConfigMap' },
        resource: { group: '', version: 'v1', resource: 'configmaps' },
        requestKind: { group: '', version: 'v1', kind: 'ConfigMap' },
        requestResource: { group: '', version: 'v1', resource: 'configmaps' },
        name: 'a',
        namespace: 'default',
        operation: 'CREATE',
        userInfo: { username: 'kubernetes-admin', groups: ['system:masters', 'system:authenticated'] },
        dryRun: false,
        options: { kind: 'CreateOptions', apiVersion: 'meta.k8s.io/v1', fieldManager: 'tester' },
        object: { apiVersion: 'v1', kind: 'ConfigMap', data: { key: 'sent' }, metadata: { name: 'a', namespace: 'default', managedFields: expect.any(Array) } },
        oldObject: null,
      },
    ])
  })

  test('what it puts in is nobody’s, and what it changes stays its sender’s', async () => {
    await configure('Mutating')
    hook.answer = () => patching([...labelled, { op: 'replace', path: '/data/key', value: 'changed' }])
    const made = await create(configMap('owned'))
    const fields = (made.body.metadata as { managedFields: JsonObject[] }).managedFields
    expect(fields).toMatchObject([{ manager: 'tester', operation: 'Update', fieldsV1: { 'f:data': { '.': {}, 'f:key': {} } } }])
    expect(JSON.stringify(fields)).not.toContain('injected')
    const applied = await running.ask('PATCH', `${configMaps}/applied?fieldManager=applier`, configMap('applied'), { 'content-type': 'application/apply-patch+yaml' })
    expect([applied.status, applied.body.metadata]).toMatchObject([201, { labels: { injected: 'yes' }, managedFields: [{ manager: 'applier', operation: 'Apply' }] }])
  })

  test('is asked by every way of changing an object, and when it is deleted', async () => {
    await create(configMap('ways'))
    await configure('Mutating')
    hook.answer = ({ operation, object }) => (operation === 'DELETE' ? { response: { allowed: true } } : patching([{ op: 'add', path: '/data/times', value: String(Number((object as { data: { times?: string } }).data.times ?? 0) + 1) }]))
    const path = `${configMaps}/ways`
    const times: Json[] = []
    const ask = async (...asked: Parameters<TestServer['ask']>): Promise<void> => {
      const { status, body } = await running.ask(...asked)
      expect([status, body.message]).toEqual([200, undefined])
      times.push((body.data as { times?: Json } | undefined)?.times ?? null)
    }
    await ask('PUT', path, configMap('ways', { data: { times: '1' } }))
    await ask('PATCH', path, { data: { merged: 'x' } })
    await ask('PATCH', path, [{ op: 'add', path: '/data/patched', value: 'x' }], { 'content-type': 'application/json-patch+json' })
    await ask('PATCH', `${path}?fieldManager=x`, configMap('ways', { data: { applied: 'x' } }), { 'content-type': 'application/apply-patch+yaml' })
    expect(times).toEqual(['2', '3', '4', '5'])
    await ask('DELETE', path)
    expect(hook.asked.map(({ operation }) => operation)).toEqual(['UPDATE', 'UPDATE', 'UPDATE', 'UPDATE', 'DELETE'])
  })

  test('sees what the one before it made, and again what the one after it made where it asks for it', async () => {
    await configure('Mutating', { reinvocationPolicy: 'IfNeeded' }, 'a-first')
    await configure('Mutating', {}, 'b-second')
    hook.answer = ({ object }) => patching([{ op: 'add', path: '/data/seen', value: `${(object as { data: { seen?: string } }).data.seen ?? ''}+` }])
    expect((await create(configMap('twice'))).body.data).toEqual({ key: 'sent', seen: '+++' })
  })

  test('takes nothing from who changes the object meanwhile', async () => {
    await create(configMap('raced'))
    await configure('Mutating')
    let raced = false
    hook.answer = () => {
      if (!raced) {
        raced = true
        running.server.objects.edit({ group: '', version: 'v1', plural: 'configmaps' }, 'default', 'raced', 'object', 'other', (object) => {
          object.data = { ...(object.data as JsonObject), other: 'kept' }
        })
      }
      return patching(labelled)
    }
    const patched = await running.ask('PATCH', `${configMaps}/raced`, { data: { mine: 'x' } })
    expect([patched.status, patched.body.data]).toEqual([200, { key: 'sent', mine: 'x', other: 'kept' }])
    expect(hook.asked).toHaveLength(2)
    hook.asked.splice(0)
    raced = false
    const { metadata } = (await running.ask('GET', `${configMaps}/raced`)).body as { metadata: JsonObject }
    const put = await running.ask('PUT', `${configMaps}/raced`, configMap('raced', { metadata: { name: 'raced', resourceVersion: metadata.resourceVersion as string }, data: { put: 'x' } }))
    // Nothing has changed this time: what the other writes is there already.
    expect([put.status, put.body.data]).toEqual([200, { put: 'x' }])
  })

  test('over an object that never rests ends in a conflict', async () => {
    await create(configMap('restless'))
    await configure('Mutating')
    let writes = 0
    hook.answer = () => {
      writes += 1
      running.server.objects.edit({ group: '', version: 'v1', plural: 'configmaps' }, 'default', 'restless', 'object', 'other', (object) => {
        object.data = { count: String(writes) }
      })
      return { response: { allowed: true } }
    }
    const refused = await running.ask('PATCH', `${configMaps}/restless`, { data: { mine: 'x' } })
    expect([refused.status, refused.body.reason, writes]).toEqual([409, 'Conflict', 6])
  })

  test('may make an object that is refused as any other', async () => {
    await configure('Mutating')
    hook.answer = () => patching([{ op: 'add', path: '/metadata/labels', value: { 'not valid': 'x' } }])
    expect((await create(configMap('bad'))).status).toBe(422)
    hook.answer = () => patching([{ op: 'remove', path: '/data/nothing' }])
    expect(await create(configMap('bad'))).toMatchObject({ status: 500, body: { reason: 'InternalError' } })
  })

  test('is told of a dry run where it has no side effects, and else refuses it', async () => {
    await configure('Mutating')
    expect((await create(configMap('dry'), '?dryRun=All')).status).toBe(201)
    expect(hook.asked).toMatchObject([{ dryRun: true, options: { dryRun: ['All'] } }])
    await running.ask('DELETE', `${root}/${plurals.Mutating}`)
    await configure('Mutating', { sideEffects: 'Some' })
    expect((await create(configMap('dry'), '?dryRun=All')).body.message).toMatch(/does not support dry run/)
  })
})

describe('a validating webhook', () => {
  test.for([
    [{ allowed: true, warnings: ['mind the gap'] }, 201, undefined],
    [{ allowed: false }, 400, 'admission webhook "test.example.dev" denied the request without explanation'],
    [{ allowed: false, status: { message: 'no', code: 403, reason: 'Forbidden' } }, 403, 'admission webhook "test.example.dev" denied the request: no'],
    [{ allowed: false, status: { reason: 'Forbidden' } }, 400, 'admission webhook "test.example.dev" denied the request: Forbidden'],
    [{ allowed: true, patch: 'W10=', patchType: 'JSONPatch' }, 500, expect.stringContaining('received invalid webhook response: validating webhook may not return response.patch')],
    [{ uid: 'other', allowed: true }, 500, expect.stringMatching(/received invalid webhook response: expected response\.uid="[^"]+", got "other"/)],
  ] as const)('that answers %o', async ([response, status, message]) => {
    await configure('Validating')
    hook.answer = () => ({ response: response as unknown as JsonObject })
    const made = await create(configMap('v'))
    expect([made.status, made.body.message]).toEqual([status, message])
    if ('warnings' in response) expect(made.headers.warning).toBe('299 - "mind the gap"')
  })

  test('sees the object whole: after defaults and other webhooks', async () => {
    await configure('Mutating')
    await configure('Validating')
    hook.answer = ({ object }) => ((object as { metadata: { uid?: string } }).metadata.uid === undefined ? patching(labelled) : { response: { allowed: true } })
    await create(configMap('whole'))
    expect(hook.asked).toMatchObject([{ object: { data: { key: 'sent' } } }, { object: { metadata: { labels: { injected: 'yes' }, uid: expect.any(String) } } }])
  })
})

describe('a webhook that fails', () => {
  const failures: readonly (readonly [string, JsonObject, WebhookServer['answer'], RegExp])[] = [
    ['answers 500', {}, () => ({ status: 500, body: 'oops' }), /^Internal error occurred: failed calling webhook "test\.example\.dev": failed to call webhook: an error on the server \("oops"\) has prevented the request from succeeding$/],
    ['answers 404', {}, () => ({ status: 404, body: '' }), /failed to call webhook: the server could not find the requested resource$/],
    ['redirects', {}, () => ({ status: 302, body: '' }), /the server rejected our request for an unknown reason$/],
    ['answers no JSON', {}, () => ({ status: 200, body: '<html>' }), /json parse error/],
    ['answers another thing', {}, () => ({ status: 200, body: '{"kind":"Pod"}' }), /received invalid webhook response: webhook response was absent$/],
    ['answers too much', {}, () => ({ status: 200, body: 'x'.repeat(4 << 20) }), /too large/],
    ['nests too deep', {}, () => ({ status: 200, body: '['.repeat(100_000) + ']'.repeat(100_000) }), /json parse error/],
    ['hangs', { timeoutSeconds: 1 }, () => 'hang' as const, /failed to call webhook: Post "https:\/\/127\.0\.0\.1:\d+\/admit\?timeout=1s": context deadline exceeded$/],
    ['is of an unknown authority', { caBundle: null }, () => ({ response: { allowed: true } }), /tls: failed to verify certificate: x509: certificate signed by unknown authority$/],
    ['is elsewhere', { url: 'https://10.1.2.3/admit' }, () => ({ response: { allowed: true } }), /loopback addresses alone$/],
    ['is a name elsewhere', { url: 'https://example.com/admit' }, () => ({ response: { allowed: true } }), /loopback addresses alone$/],
    ['speaks no https', { url: 'http://127.0.0.1/admit' }, () => ({ response: { allowed: true } }), /over https alone$/],
  ]

  test.for(failures)('since it %s refuses the request, or is passed over where its failures are ignored', async ([, { timeoutSeconds, ...client }, answer, words]) => {
    const clientConfig: JsonObject = { url: `${hook.url}/admit`, caBundle: hook.caBundle, ...client }
    const more = { clientConfig, ...(timeoutSeconds === undefined ? {} : { timeoutSeconds }) }
    hook.answer = answer
    for (const sort of ['Mutating', 'Validating'] as const) {
      await configure(sort, more)
      const { status, body } = await create(configMap('f'))
      expect([status, body.reason, body.message]).toEqual([500, 'InternalError', expect.stringMatching(words)])
      await running.ask('DELETE', `${root}/${plurals[sort]}`)
    }
    await configure('Validating', { ...more, failurePolicy: 'Ignore' })
    expect((await create(configMap('f'))).status).toBe(201)
  })

  test('since nobody listens says so', async () => {
    const free = createServer()
    await new Promise<void>((resolve) => {
      free.listen(0, '127.0.0.1', resolve)
    })
    const { port } = free.address() as AddressInfo
    await new Promise((resolve) => free.close(resolve))
    await configure('Validating', { clientConfig: { url: `https://127.0.0.1:${port}/` } })
    expect((await create(configMap('f'))).body.message).toMatch(new RegExp(`dial tcp 127\\.0\\.0\\.1:${port}: connect: connection refused$`))
  })
})

describe('which requests a webhook is asked about', () => {
  const rule = (more: JsonObject): JsonObject => ({ rules: [{ apiGroups: [''], apiVersions: ['v1'], resources: ['configmaps'], operations: ['CREATE'], ...more }] })
  test.for([
    [rule({ resources: ['*'] }), true],
    [rule({ resources: ['configmaps/*'] }), true],
    [rule({ resources: ['configmaps/status'] }), false],
    [rule({ resources: ['secrets'] }), false],
    [rule({ operations: ['*'] }), true],
    [rule({ operations: ['UPDATE'] }), false],
    [rule({ apiGroups: ['*'], apiVersions: ['*'] }), true],
    [rule({ apiVersions: ['v2'] }), false],
    [rule({ scope: 'Namespaced' }), true],
    [rule({ scope: 'Cluster' }), false],
    [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'elsewhere' } } }, false],
    [{ namespaceSelector: { matchExpressions: [{ key: 'team', operator: 'DoesNotExist' }] } }, true],
    [{ objectSelector: { matchLabels: { app: 'x' } } }, true],
    [{ objectSelector: { matchLabels: { app: 'y' } } }, false],
    [{ matchConditions: [{ name: 'yes', expression: 'object.data.key == "sent"' }] }, true],
    [{ matchConditions: [{ name: 'no', expression: 'request.userInfo.username != "kubernetes-admin"' }] }, false],
  ] as const)('%j', async ([more, asked]) => {
    await configure('Validating', more as unknown as JsonObject)
    expect((await create(configMap('m', { metadata: { name: 'm', labels: { app: 'x' } } }))).status).toBe(201)
    expect(hook.asked).toHaveLength(asked ? 1 : 0)
  })

  test('a condition that cannot be evaluated refuses, and one that cannot be read is no configuration', async () => {
    await configure('Validating', { matchConditions: [{ name: 'broken', expression: 'object.spec.nothing == 1' }] })
    expect(await create(configMap('m'))).toMatchObject({ status: 403, body: { message: expect.stringContaining("expression 'object.spec.nothing == 1' resulted in error: no such key: spec") } })
    const unread = await running.ask('PATCH', `${root}/${plurals.Validating}/test`, [{ op: 'replace', path: '/webhooks/0/matchConditions/0/expression', value: '1 +' }], { 'content-type': 'application/json-patch+json' })
    expect([unread.status, unread.body.message]).toEqual([422, expect.stringContaining('webhooks[0].matchConditions[0].expression: Invalid value: "1 +": compilation failed: ')])
  })

  test('never about what configures admission, and never about what those write in process who cannot wait', async () => {
    await configure('Validating', { rules: [{ apiGroups: ['*'], apiVersions: ['*'], resources: ['*'], operations: ['*'] }], clientConfig: { url: 'https://127.0.0.1:1/' } })
    running.server.objects.create({ group: '', version: 'v1', plural: 'configmaps' }, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'own', namespace: 'default' } }, 'controller')
    expect((await create(configMap('m'))).status).toBe(500)
    expect((await running.ask('DELETE', `${root}/${plurals.Validating}/test`)).status).toBe(200)
  })

  test('about what controllers write: they come again, find it made as the webhook left it, and are told of a refusal', async () => {
    const resource = { group: '', version: 'v1', plural: 'configmaps' }
    const make = (): unknown => running.server.controllersObjects.create(resource, configMap('', { metadata: { generateName: 'own-', namespace: 'default' } }) as KubernetesObject, 'kube-controller-manager')
    const asking = (write: () => unknown): StillAsking => {
      try {
        write()
      } catch (error) {
        if (error instanceof StillAsking) return error
        throw error
      }
      throw new Error('it was not asked about')
    }
    await configure('Mutating')
    hook.answer = () => patching(labelled)
    const first = asking(make)
    expect(asking(make).settled).toBe(first.settled)
    await first.settled
    const made = running.server.objects.list(resource, 'default', 'injected=yes')
    expect([made.length, hook.asked.length]).toEqual([1, 1])
    expect(hook.asked[0]).toMatchObject({ userInfo: { username: 'system:kube-controller-manager' } })

    hook.answer = () => ({ response: { allowed: false, status: { message: 'not today' } } })
    const { name = '' } = made[0]?.metadata ?? {}
    const change = (): unknown => running.server.controllersObjects.edit(resource, 'default', name, 'object', 'kube-controller-manager', (object) => void (object.data = { key: 'changed' }))
    await asking(change).settled
    expect(change).toThrow('admission webhook "test.example.dev" denied the request: not today')
    await asking(change).settled
    // What changes nothing is no write, and nobody is asked about it.
    expect(running.server.controllersObjects.edit(resource, 'default', name, 'object', 'kube-controller-manager', () => {})?.data).toEqual({ key: 'sent' })
  })

  test('the pods of a Deployment: what is injected is in each of them, and a denial is told by the ReplicaSet', async () => {
    const objects = typedObjects(running.server.controllersObjects)
    const stop = startControllers({ objects, clock: systemClock, log: () => {} }, running.server.ca)
    try {
      await configure('Mutating', { rules: [{ apiGroups: [''], apiVersions: ['v1'], resources: ['pods'], operations: ['CREATE'] }] })
      hook.answer = () => patching([{ op: 'add', path: '/spec/containers/-', value: { name: 'sidecar', image: 'sidecar:1' } }])
      const web = (name: string): JsonObject => ({ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name }, spec: { replicas: 3, selector: { matchLabels: { app: name } }, template: { metadata: { labels: { app: name } }, spec: { containers: [{ name: 'main', image: 'app:1' }] } } } })
      const deployments = '/apis/apps/v1/namespaces/default/deployments'
      await running.ask('POST', deployments, web('injected'))
      const containers = (): string[] => objects.list(pods, 'default').map(({ spec }) => spec.containers.map(({ name }) => name).join())
      await eventually(() => containers().length === 3)
      expect(containers()).toEqual(Array(3).fill('main,sidecar'))
      hook.answer = () => ({ response: { allowed: false, status: { message: 'no more pods' } } })
      await running.ask('POST', deployments, web('denied'))
      const failure = (): unknown => objects.list(replicaSets, 'default').find(({ metadata }) => metadata.name.startsWith('denied'))?.status?.conditions?.[0]
      await eventually(failure)
      expect(failure()).toMatchObject({ type: 'ReplicaFailure', reason: 'FailedCreate', message: 'admission webhook "test.example.dev" denied the request: no more pods' })
      expect(containers()).toHaveLength(3)
    } finally {
      stop()
    }
  })

  test('a Service is reached at its address, and must have a certificate for its name', async () => {
    const service = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'hook' }, spec: { type: 'ExternalName', externalName: 'localhost' } }
    expect((await running.ask('POST', '/api/v1/namespaces/default/services', service)).status).toBe(201)
    const of = (name: string): JsonObject => ({ clientConfig: { service: { namespace: 'default', name, port: hook.port, path: '/admit' }, caBundle: hook.caBundle } })
    await configure('Validating', of('hook'))
    expect((await create(configMap('s'))).status).toBe(201)
    expect(hook.asked).toHaveLength(1)
    const elsewhere = { ...service, metadata: { name: 'other' }, spec: { clusterIP: '127.0.0.1', ports: [{ port: hook.port }] } }
    expect((await running.ask('POST', '/api/v1/namespaces/default/services', elsewhere)).status).toBe(201)
    await configure('Validating', of('other'), 'other')
    expect((await create(configMap('s2'))).body.message).toMatch(/x509: certificate is not valid for other\.default\.svc$/)
    await running.ask('DELETE', `${root}/${plurals.Validating}/other`)
    await running.ask('POST', '/api/v1/namespaces/default/services', { ...elsewhere, metadata: { name: 'outside' }, spec: { ports: [{ port: hook.port }] } })
    await configure('Validating', of('outside'), 'outside')
    expect((await create(configMap('s4'))).body.message).toMatch(/dial tcp 10\.96\.\d+\.\d+:\d+: this playground calls webhooks on loopback addresses alone$/)
    await running.ask('DELETE', `${root}/${plurals.Validating}/outside`)
    await configure('Validating', of('missing'), 'missing')
    expect((await create(configMap('s3'))).body.message).toMatch(/service "missing" not found$/)
  })
})
