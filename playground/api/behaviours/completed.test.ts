import { afterAll, beforeAll, expect, test } from 'vitest'
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
