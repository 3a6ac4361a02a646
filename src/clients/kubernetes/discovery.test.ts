import { afterEach, expect, test } from 'vitest'
import { systemClock } from '#lib/clock.ts'
import { asFailure } from '#lib/failure.ts'
import { startFakeApiServer, type FakeApiServer, type FakeHandler } from '../../../test/fake-api-server.ts'
import type { KubernetesClient } from './client.ts'
import { openKubernetes } from './open.ts'

const never = new AbortController().signal
const verbs = ['get', 'list', 'patch']

let servers: FakeApiServer[] = []
let clients: KubernetesClient[] = []
afterEach(async () => {
  await Promise.all(clients.map((client) => client.close()))
  await Promise.all(servers.map((server) => server.stop()))
  servers = []
  clients = []
})

async function start(handle: FakeHandler) {
  const server = await startFakeApiServer(handle)
  servers.push(server)
  const client = await openKubernetes({ kubeconfig: server.kubeconfig, context: 'fake', clock: systemClock })
  clients.push(client)
  return { server, client }
}

const resource = (plural: string, kind: string, scope = 'Namespaced') => ({ resource: plural, responseKind: { group: '', version: '', kind }, scope, verbs, subresources: [{ subresource: 'status' }] })
const group = (name: string, ...versions: object[]) => ({ metadata: { name }, versions })
const document = (...items: object[]) => ({ kind: 'APIGroupDiscoveryList', apiVersion: 'apidiscovery.k8s.io/v2', items })

function aggregated(groups: object[]): FakeHandler {
  return (request, answer) => answer.json(200, request.path === '/api' ? document(group('', { version: 'v1', resources: [resource('configmaps', 'ConfigMap'), resource('namespaces', 'Namespace', 'Cluster')] })) : document(...groups))
}

test('aggregated discovery is asked once and kept', async () => {
  const { server, client } = await start(aggregated([group('apps', { version: 'v1', resources: [resource('deployments', 'Deployment')] })]))
  expect(await client.kind('apps/v1', 'Deployment', never)).toEqual({ group: 'apps', version: 'v1', kind: 'Deployment', plural: 'deployments', namespaced: true, verbs })
  expect(await client.kind('v1', 'Namespace', never)).toMatchObject({ group: '', plural: 'namespaces', namespaced: false })
  expect(server.requests.map((request) => request.path).toSorted()).toEqual(['/api', '/apis'])
})

test('a miss asks again, together with the others that miss, and sees a new definition', async () => {
  const { server, client } = await start(aggregated([]))
  const missed = await Promise.all(['Widget', 'Gadget', 'Knob'].map((kind) => client.kind('example.dev/v1', kind, never)))
  expect(missed).toEqual([undefined, undefined, undefined])
  expect(server.requests.length).toBe(2)
  server.handle = aggregated([group('example.dev', { version: 'v1', resources: [resource('widgets', 'Widget')] })])
  expect(await client.kind('example.dev/v1', 'Widget', never)).toMatchObject({ plural: 'widgets' })
})

test('the preferred version comes first', async () => {
  const widgets = { resources: [resource('widgets', 'Widget')] }
  const { client } = await start(aggregated([group('example.dev', { version: 'v2', ...widgets }, { version: 'v1', ...widgets })]))
  expect(await client.preferredKind('example.dev', 'Widget', never)).toMatchObject({ version: 'v2' })
  expect(await client.kind('example.dev/v1', 'Widget', never)).toMatchObject({ version: 'v1' })
})

test('plain documents are read where the server does not aggregate', async () => {
  const documents: Record<string, unknown> = {
    '/api': { kind: 'APIVersions', versions: ['v1'] },
    '/api/v1': { kind: 'APIResourceList', groupVersion: 'v1', resources: [{ name: 'pods', kind: 'Pod', namespaced: true, verbs }, { name: 'pods/status', kind: 'Pod', namespaced: true, verbs }] },
    '/apis': { kind: 'APIGroupList', groups: [{ name: 'example.dev', versions: [{ groupVersion: 'example.dev/v1beta1', version: 'v1beta1' }, { groupVersion: 'example.dev/v1', version: 'v1' }], preferredVersion: { groupVersion: 'example.dev/v1' } }] },
    '/apis/example.dev/v1': { resources: [{ name: 'racks', kind: 'Rack', namespaced: false, verbs }] },
    '/apis/example.dev/v1beta1': { resources: [{ name: 'racks', kind: 'Rack', namespaced: false, verbs }] },
  }
  const { client } = await start((request, answer) => answer.json(200, documents[request.path]))
  expect(await client.preferredKind('example.dev', 'Rack', never)).toEqual({ group: 'example.dev', version: 'v1', kind: 'Rack', plural: 'racks', namespaced: false, verbs })
  expect(await client.kind('v1', 'Pod', never)).toMatchObject({ plural: 'pods' })
})

const code = (work: Promise<unknown>) => work.then((value) => value, (error: unknown) => asFailure(error, 'x').code)

test('a group whose server is down is not known, not absent; others are not touched by it', async () => {
  const { client } = await start(aggregated([group('metrics.k8s.io', { version: 'v1', freshness: 'Stale', resources: [] }), group('apps', { version: 'v1', freshness: 'Current', resources: [] })]))
  expect(await code(client.kind('metrics.k8s.io/v1', 'PodMetrics', never))).toBe('kubernetes-failing')
  expect(await code(client.kind('apps/v1', 'Deployment', never))).toBeUndefined()
})

test('a plain document that fails makes its group unknown', async () => {
  const { client } = await start((request, answer) => {
    if (request.path === '/api') answer.json(200, { versions: ['v1'] })
    else if (request.path === '/api/v1') answer.json(200, { resources: [] })
    else if (request.path === '/apis') answer.json(200, { groups: [{ name: 'down.dev', versions: [{ groupVersion: 'down.dev/v1' }] }] })
    else answer.status(403, 'Forbidden', 'no')
  })
  expect(await code(client.kind('down.dev/v1', 'Thing', never))).toBe('kubernetes-failing')
  expect(await code(client.kind('v1', 'Pod', never))).toBeUndefined()
})

test('discovery that fails, or is no document, is a failure', async () => {
  const { server, client } = await start((_, answer) => answer.status(403, 'Forbidden', 'no'))
  expect(await code(client.kind('v1', 'Pod', never))).toBe('kubernetes-refused')
  server.handle = (_, answer) => answer.json(200, [])
  expect(await code(client.kind('v1', 'Pod', never))).toBe('kubernetes-failing')
})

test('a server without a core group proves nothing about core kinds', async () => {
  const { client } = await start((request, answer) => (request.path === '/api' ? answer.status(404, 'NotFound', 'the server could not find the requested resource') : answer.json(200, document())))
  expect(await code(client.kind('v1', 'ConfigMap', never))).toBe('kubernetes-failing')
})
