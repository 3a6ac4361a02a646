import { afterAll, beforeAll, expect, test } from 'vitest'
import { openKubernetes } from '#clients/kubernetes/open.ts'
import { systemClock } from '#lib/clock.ts'
import { startFakeApiServer } from '../../../test/fake-api-server.ts'
import { desiredOf, kubernetesPlace, type KubernetesPlace } from '../../../test/kubernetes-place.ts'
import { trial } from '../../../test/trial.ts'
import { kubernetes } from './kubernetes.ts'
import { watch } from './watch.ts'

let place: KubernetesPlace
beforeAll(async () => {
  place = await kubernetesPlace()
})
afterAll(async () => place?.stop())

const configMap = (name: string, value = '1') => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: place.namespace }, data: { a: value } })

test('tells of objects with a module\'s label, and of no others: that they are there, change and go', async () => {
  const on = trial(kubernetes, place.call)
  const held = await on.deliver([desiredOf(configMap('ours'))])
  await place.write(configMap('theirs'))
  const over = new AbortController()
  const told: string[] = []
  const watched = (async () => {
    for await (const key of kubernetes.watch({ ...place.call, signal: over.signal }, ['core/ConfigMap//', 'core/ConfigMap//', 'core/Secret//'])) if (key.includes(place.namespace)) told.push(key)
  })()
  const { key } = desiredOf(configMap('ours'))
  await expect.poll(() => told).toEqual([key])
  await place.write(configMap('ours', 'drifted'), 'kubectl-edit')
  await place.write(configMap('theirs', 'other'))
  await expect.poll(() => told).toEqual([key, key])
  const [effect] = await on.plan([], held)
  if (effect === undefined) throw new Error('no effect')
  await on.apply(effect, [])
  await expect.poll(() => told).toEqual([key, key, key])
  over.abort()
  await watched
})

test('what went away while the watch had expired is told after the relist', async () => {
  let lists = 0
  const item = (name: string) => ({ metadata: { name, namespace: 'n', uid: name, resourceVersion: '1' } })
  const discovery = { kind: 'APIGroupDiscoveryList', items: [{ metadata: { name: '' }, versions: [{ version: 'v1', resources: [{ resource: 'configmaps', responseKind: { kind: 'ConfigMap' }, scope: 'Namespaced', verbs: [] }] }] }] }
  const server = await startFakeApiServer((request, answer) => {
    if (request.path === '/api') answer.json(200, discovery)
    else if (request.path === '/apis') answer.json(200, { ...discovery, items: [] })
    else if (!request.query.has('watch')) answer.json(200, { metadata: { resourceVersion: '5' }, items: ++lists === 1 ? [item('a'), item('b')] : [item('b')] })
    else if (lists === 1) answer.status(410, 'Expired', 'too old')
    else answer.lines()
  })
  const client = await openKubernetes({ kubeconfig: server.kubeconfig, context: 'fake', clock: systemClock })
  const told: string[] = []
  for await (const key of watch({ ...place.call, clients: { kubernetes: client } }, ['core/ConfigMap//'])) {
    told.push(key)
    if (told.length === 4) break
  }
  expect(told).toEqual(['core/ConfigMap/n/a', 'core/ConfigMap/n/b', 'core/ConfigMap/n/b', 'core/ConfigMap/n/a'])
  expect(server.requests.find(({ query }) => query.has('watch'))?.query.get('labelSelector')).toBe('plumbline.dev/module')
  await client.close()
  await server.stop()
})
