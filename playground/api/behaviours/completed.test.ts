import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { JsonObject } from '#lib/json.ts'
import { type TestServer, testServer } from '../testing.ts'

// What the server puts into new objects, and whose that is: as a kube-apiserver 1.36.3 answered to the same requests.

type Made = JsonObject & { metadata: { uid: string; labels?: JsonObject; annotations?: JsonObject; managedFields: { manager: string; fieldsV1: JsonObject }[] }; spec: JsonObject }

let running: TestServer
beforeAll(async () => {
  running = await testServer()
})
afterAll(() => running.end())

const ask = async (method: string, path: string, body: JsonObject): Promise<Made> => (await running.ask(method, path, body)).body as Made
const make = (api: string, plural: string, kind: string, spec: JsonObject): Promise<Made> =>
  ask('POST', `/apis/${api}/namespaces/default/${plural}?fieldManager=me`, { apiVersion: api, kind, metadata: { name: 'x' }, spec })
const owned = (made: Made, manager = 'me'): JsonObject => made.metadata.managedFields.find((entry) => entry.manager === manager)?.fieldsV1 ?? {}
const pod = { restartPolicy: 'Never', containers: [{ name: 'c', image: 'i' }] }

test('a Service gets its addresses and their families, which are nobody’s, and keeps them', async () => {
  const services = '/api/v1/namespaces/default/services'
  const service = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'x' }, spec: { selector: { app: 'x' }, ports: [{ port: 80 }] } }
  const made = await ask('POST', `${services}?fieldManager=me`, service)
  expect(made.spec).toMatchObject({ clusterIP: expect.any(String), ipFamilies: ['IPv4'], ipFamilyPolicy: 'SingleStack' })
  expect(Object.keys(owned(made)['f:spec'] as JsonObject)).toEqual(['f:internalTrafficPolicy', 'f:ports', 'f:selector', 'f:sessionAffinity', 'f:type'])
  const replaced = await ask('PUT', `${services}/x`, service)
  expect(replaced.spec).toEqual(made.spec)
})

describe('a Service of type', () => {
  const services = '/api/v1/namespaces/default/services'
  const send = (method: string, name: string, spec: JsonObject, query = ''): Promise<Made> => ask(method, `${services}${method === 'POST' ? '' : `/${name}`}?fieldManager=me${query}`, { ...(method === 'PATCH' ? {} : { apiVersion: 'v1', kind: 'Service', metadata: { name } }), spec })
  const nodePorts = ({ spec }: Made): number[] => (spec.ports as { nodePort: number }[]).map(({ nodePort }) => nodePort)
  const own = expect.toSatisfy((port: number) => port >= 30_086 && port <= 32_767)
  const refused = (name: string, field: string, message: string): JsonObject => ({ code: 422, message: `Service "${name}" is invalid: ${field}: ${message}` })

  test('NodePort gets a port of the nodes for each of its own, which is nobody’s and stays with its name', async () => {
    const made = await send('POST', 'np', { type: 'NodePort', ports: [{ name: 'a', port: 80 }, { name: 'b', port: 81 }, { name: 'u', port: 81, protocol: 'UDP' }] })
    const [a, b, u] = nodePorts(made)
    expect([a, b]).toEqual([own, own])
    expect(u).toBe(b)
    expect(JSON.stringify(made.metadata.managedFields)).not.toContain('nodePort')
    expect(nodePorts(await send('PATCH', 'np', { ports: [{ name: 'a', port: 90 }, { name: 'c', port: 83 }] }))).toEqual([a, own])
    expect(nodePorts(await send('PUT', 'np', { type: 'NodePort', ports: [{ name: 'a', port: 80 }] }))).toEqual([a])
    const { spec } = await send('PATCH', 'np', { type: 'ClusterIP' })
    expect(spec).toEqual(expect.not.objectContaining({ externalTrafficPolicy: expect.anything() }))
    expect(nodePorts({ ...made, spec })).toEqual([undefined])
    expect(nodePorts(await send('PATCH', 'np', { type: 'NodePort' }))).toEqual([own])
  })

  test('NodePort is refused a port that is taken, or none of a node’s', async () => {
    const on = (nodePort: number, type = 'NodePort'): JsonObject => ({ type, ports: [{ port: 80, nodePort }] })
    expect(nodePorts(await send('POST', 'np1', on(30_080)))).toEqual([30_080])
    expect(nodePorts(await send('PUT', 'np1', on(30_080)))).toEqual([30_080])
    expect(await send('POST', 'np2', on(30_080))).toMatchObject(refused('np2', 'spec.ports[0].nodePort', 'Invalid value: 30080: provided port is already allocated'))
    expect(await send('POST', 'np3', on(80))).toMatchObject(refused('np3', 'spec.ports[0].nodePort', 'Invalid value: 80: provided port is not in the valid range. The range of valid ports is 30000-32767'))
    expect(await send('POST', 'np4', on(30_081, 'ClusterIP'))).toMatchObject(refused('np4', 'spec.ports[0].nodePort', "Forbidden: may not be used when `type` is 'ClusterIP'"))
    expect(await send('POST', 'np5', { type: 'NodePort', ports: [{ name: 'a', port: 80, nodePort: 30_082 }, { name: 'b', port: 81, nodePort: 30_082 }] })).toMatchObject(refused('np5', 'spec.ports[1].nodePort', 'Invalid value: 30082: provided port is already allocated'))
    expect(nodePorts(await send('POST', 'np6', { type: 'NodePort', ports: [{ name: 'a', port: 80, nodePort: 30_083 }, { name: 'b', port: 80, protocol: 'UDP', nodePort: 30_083 }] }))).toEqual([30_083, 30_083])
  })

  test('LoadBalancer gets them too, unless it wants none, and one for its health where traffic stays on its node', async () => {
    const balanced = (name: string, more: JsonObject): Promise<Made> => send('POST', name, { type: 'LoadBalancer', ports: [{ port: 80 }], ...more })
    expect(nodePorts(await balanced('lb1', {}))).toEqual([own])
    expect(nodePorts(await balanced('lb2', { allocateLoadBalancerNodePorts: false }))).toEqual([undefined])
    const local = await balanced('lb3', { externalTrafficPolicy: 'Local' })
    expect(local.spec.healthCheckNodePort).toEqual(own)
    expect((await send('PATCH', 'lb3', { ports: [{ port: 81 }] })).spec).toMatchObject({ healthCheckNodePort: local.spec.healthCheckNodePort, ports: [{ port: 81, nodePort: nodePorts(local)[0] }] })
    const { spec } = await send('PATCH', 'lb3', { type: 'ClusterIP' })
    expect(Object.keys(spec).filter((name) => /externalTraffic|healthCheck|allocate/.test(name))).toEqual([])
  })
})

test('a Job gets a selector and labels that are nobody’s', async () => {
  const made = await make('batch/v1', 'jobs', 'Job', { template: { spec: pod } })
  const { uid } = made.metadata
  const labels = { 'batch.kubernetes.io/controller-uid': uid, 'batch.kubernetes.io/job-name': 'x', 'controller-uid': uid, 'job-name': 'x' }
  expect(made).toMatchObject({ metadata: { labels }, spec: { selector: { matchLabels: { 'batch.kubernetes.io/controller-uid': uid } }, template: { metadata: { labels } } } })
  expect(owned(made)).not.toHaveProperty(['f:metadata'])
  expect(owned(made)['f:spec']).not.toHaveProperty('f:selector')
  expect((owned(made)['f:spec'] as JsonObject)['f:template']).not.toHaveProperty(['f:metadata'])
})

test('a DaemonSet counts its templates in an annotation that its creator owns', async () => {
  const labels = { app: 'x' }
  const template = { metadata: { labels }, spec: { containers: [{ name: 'c', image: 'i' }] } }
  const made = await make('apps/v1', 'daemonsets', 'DaemonSet', { selector: { matchLabels: labels }, template })
  const annotation = 'deprecated.daemonset.template.generation'
  expect(made.metadata.annotations).toEqual({ [annotation]: '1' })
  expect(owned(made)['f:metadata']).toEqual({ 'f:annotations': { '.': {}, [`f:${annotation}`]: {} } })
  const patch = { spec: { template: { spec: { containers: [{ name: 'c', image: 'j' }] } } } }
  const changed = await ask('PATCH', '/apis/apps/v1/namespaces/default/daemonsets/x?fieldManager=other', patch)
  expect(changed.metadata.annotations).toEqual({ [annotation]: '2' })
  expect(owned(changed, 'other')).not.toHaveProperty(['f:metadata'])
  const same = await ask('PATCH', '/apis/apps/v1/namespaces/default/daemonsets/x', { metadata: { annotations: null } })
  expect(same.metadata.annotations).toEqual({ [annotation]: '2' })
})
