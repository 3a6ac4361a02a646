import { afterAll, beforeAll, expect, test } from 'vitest'
import type { JsonObject } from '#lib/json.ts'
import { kubernetesPlace, type KubernetesPlace } from '../../../test/kubernetes-place.ts'
import { audited } from './audited.ts'

let place: KubernetesPlace
beforeAll(async () => {
  place = await kubernetesPlace()
})
afterAll(async () => place?.stop())

const event = (more: JsonObject = {}, ref: JsonObject = {}): JsonObject => ({
  auditID: 'id-1', stage: 'ResponseComplete', verb: 'patch', user: { username: 'kim' }, userAgent: 'kubectl/v1.32.4 (linux/amd64) kubernetes/abc', responseStatus: { code: 200 },
  requestURI: '/apis/apps/v1/namespaces/shop/deployments/web?fieldManager=kubectl-patch', stageTimestamp: '2026-11-02T10:00:00.250000Z',
  objectRef: { resource: 'deployments', namespace: 'shop', name: 'web', apiGroup: 'apps', apiVersion: 'v1', ...ref }, ...more,
})
const read = (...events: JsonObject[]) => audited(place.call, events)

test('tells who wrote what, when, and by which manager', async () => {
  expect(await read(event())).toEqual([{ id: 'id-1', object: 'apps/Deployment/shop/web', verb: 'patch', user: 'kim', manager: 'kubectl-patch', at: Date.parse('2026-11-02T10:00:00.250Z') }])
})

test.each<[string, JsonObject, object]>([
  ['a deletion bears the name of its program', event({ verb: 'delete', requestURI: '/apis/apps/v1/namespaces/shop/deployments/web' }), { verb: 'delete', manager: 'kubectl' }],
  ['scaling is a write to the object', event({}, { subresource: 'scale' }), { object: 'apps/Deployment/shop/web' }],
  ['who impersonates acted', event({ impersonatedUser: { username: 'robot' } }), { user: 'kim' }],
  ['a kind of no namespace', event({}, { resource: 'namespaces', apiGroup: '', namespace: 'shop', name: 'shop' }), { object: 'core/Namespace//shop' }],
  ['a collection that was deleted is all of its kind there', event({ verb: 'deletecollection', requestURI: '/apis/apps/v1/namespaces/shop/deployments' }, { name: undefined as never }), { verb: 'delete', object: 'apps/Deployment/shop/*', user: 'kim' }],
])('%s', async (_, one, told) => {
  expect(await read(one)).toMatchObject([told])
})

test('a namespace that was deleted is all that it holds', async () => {
  const namespace = event({ verb: 'delete', requestURI: '/api/v1/namespaces/shop' }, { resource: 'namespaces', apiGroup: '', namespace: 'shop', name: 'shop' })
  expect(await read(namespace)).toMatchObject([{ object: 'core/Namespace//shop', verb: 'delete', user: 'kim' }, { object: '*/*/shop/*', verb: 'delete', user: 'kim' }])
})

test('tells nothing of what was not written, was refused or only tried, of statuses, of ourselves, and of what it does not know', async () => {
  const none = [
    event({ verb: 'get' }), event({ verb: 'deletecollection', requestURI: '/apis/apps/v1/namespaces/shop/deployments?labelSelector=a%3Db' }, { name: '' }), event({ verb: 'deletecollection' }, { name: '', namespace: '' }), event({ stage: 'RequestReceived' }), event({ responseStatus: { code: 409 } }), event({ responseStatus: null }),
    event({ requestURI: '/x?dryRun=All&fieldManager=kubectl-patch' }), event({}, { subresource: 'status' }), event({}, { resource: 'unheardofs' }), event({ requestURI: '/x?fieldManager=plumbline&force=true' }),
    event({ user: 'kim' }), event({ objectRef: null }), event({ stageTimestamp: 'once' }), event({ auditID: '' }), {},
  ]
  expect(await read(...none)).toEqual([])
})
