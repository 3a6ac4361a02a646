import { afterEach, expect, test } from 'vitest'
import { openKubernetes } from '#clients/kubernetes/open.ts'
import { systemClock } from '#lib/clock.ts'
import { isObject, type JsonObject } from '#lib/json.ts'
import type { Effect } from '#model/plan.ts'
import { startFakeApiServer, type FakeAnswer, type FakeApiServer } from '../../../test/fake-api-server.ts'
import { desiredOf } from '../../../test/kubernetes-place.ts'
import { recover } from './recover.ts'

let server: FakeApiServer | undefined
let close: (() => Promise<void>) | undefined
afterEach(async () => {
  await close?.()
  await server?.stop()
})

const desired = desiredOf({ apiVersion: 'v1', kind: 'ResourceQuota', metadata: { name: 'q', namespace: 'n' }, spec: { hard: { cpu: '0.5' } } })
const effect: Effect = { key: desired.key, module: 'm', action: 'created', changes: [], sealed: { uid: null, paths: [] }, omit: [], force: false, holdsState: false }
const fields = (own: JsonObject) => ({ 'f:metadata': { 'f:labels': { 'f:plumbline.dev/module': {} } }, 'f:spec': { 'f:hard': own } })
const live = (cpu: string, own: JsonObject = { 'f:cpu': {} }, manager = 'plumbline'): JsonObject => ({
  apiVersion: 'v1', kind: 'ResourceQuota',
  metadata: { name: 'q', namespace: 'n', uid: 'u', resourceVersion: '7', generation: 1, labels: { 'plumbline.dev/module': 'm' }, managedFields: [{ manager, operation: 'Apply', apiVersion: 'v1', fieldsV1: fields(own) }] },
  spec: { hard: { cpu } },
})

async function recovered(object: JsonObject, dryRun: (answer: FakeAnswer) => void) {
  server = await startFakeApiServer((request, answer) => {
    const quotas = { resource: 'resourcequotas', responseKind: { kind: 'ResourceQuota' }, scope: 'Namespaced', verbs: [] }
    if (request.path === '/api') answer.json(200, { kind: 'APIGroupDiscoveryList', items: [{ metadata: { name: '' }, versions: [{ version: 'v1', resources: [quotas] }] }] })
    else if (request.path === '/apis') answer.json(200, { kind: 'APIGroupDiscoveryList', items: [] })
    else if (request.method === 'GET') answer.json(200, object)
    else if (request.query.get('dryRun') === 'All') dryRun(answer)
    else answer.status(500, 'InternalError', 'a recovery writes nothing')
  })
  const client = await openKubernetes({ kubeconfig: server.kubeconfig, context: 'fake', clock: systemClock })
  close = () => client.close()
  const call = { clients: { kubernetes: client }, clock: systemClock, signal: new AbortController().signal, assertLease: async () => {}, secretDigest: (value: string) => value }
  return recover(call, effect, desired, undefined)
}
const never = () => {
  throw new Error('not to be asked')
}

test('our entry with the very values is our apply, and the server is not asked again', async () => {
  const outcome = await recovered(live('0.5'), never)
  expect(outcome).toMatchObject({ state: 'applied', action: 'created', uid: 'u', version: '7', generation: 1, fields: [{ path: 'metadata.labels["plumbline.dev/module"]', git: 'm' }, { path: 'spec.hard.cpu', git: '0.5' }] })
  expect(server?.requests.filter(({ method }) => method !== 'GET')).toEqual([])
})

test('a value in another form is our apply where a dry run would change nothing', async () => {
  const object = live('500m')
  const outcome = await recovered(object, (answer) => answer.json(200, { ...object, metadata: { ...(isObject(object['metadata']) ? object['metadata'] : {}), resourceVersion: '9' } }))
  expect(outcome).toMatchObject({ state: 'applied', fields: expect.arrayContaining([{ path: 'spec.hard.cpu', git: '0.5', answered: '500m' }]) })
})

test('a value that a dry run would change, or may not change, is not our apply', async () => {
  expect(await recovered(live('200m'), (answer) => answer.json(200, live('500m')))).toEqual({ state: 'not-applied' })
  await close?.()
  await server?.stop()
  expect(await recovered(live('200m'), (answer) => answer.status(409, 'Conflict', 'Apply failed with 1 conflict'))).toEqual({ state: 'not-applied' })
})

test('a field that we still own, and that this apply gives up, tells that it did not happen', async () => {
  expect(await recovered(live('0.5', { 'f:cpu': {}, 'f:memory': {} }), (answer) => answer.json(200, live('0.5')))).toEqual({ state: 'not-applied' })
})

test('an object of somebody else is not our apply', async () => {
  expect(await recovered(live('0.5', { 'f:cpu': {} }, 'kubectl'), never)).toEqual({ state: 'not-applied' })
})

test('what cannot be told is unknown', async () => {
  expect(await recovered(live('200m'), (answer) => answer.status(503, 'ServiceUnavailable', 'down'))).toMatchObject({ state: 'unknown', failure: { code: 'kubernetes-failing' } })
})
