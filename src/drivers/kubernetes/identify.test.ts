import { afterEach, expect, test } from 'vitest'
import { openKubernetes } from '#clients/kubernetes/open.ts'
import { systemClock } from '#lib/clock.ts'
import { asFailure } from '#lib/failure.ts'
import { startFakeApiServer, type FakeAnswer, type FakeApiServer } from '../../../test/fake-api-server.ts'
import type { Call } from './call.ts'
import { identify } from './identify.ts'

let server: FakeApiServer | undefined
let close: (() => Promise<void>) | undefined
afterEach(async () => {
  await close?.()
  await server?.stop()
})

const namespaces = { resource: 'namespaces', responseKind: { kind: 'Namespace' }, scope: 'Cluster', verbs: ['get'] }

async function named(system: (answer: FakeAnswer) => void): Promise<unknown> {
  server = await startFakeApiServer((request, answer) => {
    if (request.path === '/api') answer.json(200, { kind: 'APIGroupDiscoveryList', items: [{ metadata: { name: '' }, versions: [{ version: 'v1', resources: [namespaces] }] }] })
    else if (request.path === '/apis') answer.json(200, { kind: 'APIGroupDiscoveryList', items: [] })
    else system(answer)
  })
  const client = await openKubernetes({ kubeconfig: server.kubeconfig, context: 'fake', clock: systemClock })
  close = () => client.close()
  const call: Call = { clients: { kubernetes: client }, clock: systemClock, signal: new AbortController().signal, assertLease: async () => {}, secretDigest: (value) => value }
  return identify(call).catch((error: unknown) => asFailure(error, 'x').code)
}

test('a cluster is known by the uid of kube-system', async () => {
  expect(await named((answer) => answer.json(200, { metadata: { name: 'kube-system', uid: 'u-1' } }))).toMatchObject({ place: 'kubernetes:u-1', address: expect.stringMatching(/^sha256:[0-9a-f]{64}$/) })
})

test('where that is absent or forbidden it is not told: no other name is made up', async () => {
  expect(await named((answer) => answer.status(404, 'NotFound', 'namespaces "kube-system" not found', { name: 'kube-system', kind: 'namespaces' }))).toEqual({ address: expect.stringMatching(/^sha256:/) })
  await close?.()
  await server?.stop()
  expect(await named((answer) => answer.status(403, 'Forbidden', 'no'))).toEqual({ address: expect.stringMatching(/^sha256:/) })
})

test('a cluster that is in trouble has no name: another one would lose its inventory', async () => {
  expect(await named((answer) => answer.status(500, 'InternalError', 'etcd'))).toBe('kubernetes-failing')
  await close?.()
  await server?.stop()
  expect(await named((answer) => answer.status(401, 'Unauthorized', 'no'))).toBe('kubernetes-unauthorized')
})
