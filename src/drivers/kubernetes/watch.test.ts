import { afterAll, beforeAll, expect, test } from 'vitest'
import { openKubernetes } from '#clients/kubernetes/open.ts'
import { systemClock } from '#lib/clock.ts'
import { startFakeApiServer } from '../../../test/fake-api-server.ts'
import { desiredOf, kubernetesPlace, type KubernetesPlace } from '../../../test/kubernetes-place.ts'
import { trial } from '../../../test/trial.ts'
import type { Sighting } from '../driver.ts'
import { kubernetes } from './kubernetes.ts'
import { watch } from './watch.ts'

let place: KubernetesPlace
beforeAll(async () => {
  place = await kubernetesPlace()
})
afterAll(async () => place?.stop())

const configMap = (name: string, value = '1') => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: place.namespace }, data: { a: value } })
const kind = { kind: 'core/ConfigMap//', apiVersion: 'v1' }
const brief = (one: Sighting): string => ('key' in one ? `${one.state} ${one.key.split('/').at(-1)}` : one.state)

test('tells of objects with a module’s label, and of no others: that they are there, change, lose the label, and go', async () => {
  const on = trial(kubernetes, place.call)
  const held = await on.deliver([desiredOf(configMap('ours')), desiredOf(configMap('unlabelled'))])
  await place.write(configMap('theirs'))
  const over = new AbortController()
  const told: Sighting[] = []
  const watched = (async () => {
    for await (const one of kubernetes.watch({ ...place.call, signal: over.signal }, kind)) if (!('key' in one) || one.key.includes(place.namespace)) told.push(one)
  })()
  await expect.poll(() => told.map(brief)).toEqual(['listing', 'seen ours', 'seen unlabelled', 'listed'])
  await place.write(configMap('ours', 'drifted'), 'kubectl-edit')
  await place.write(configMap('theirs', 'other'))
  await expect.poll(() => told.slice(4).map(brief)).toEqual(['seen ours'])
  expect(told.at(-1)).toMatchObject({ body: { data: { a: 'drifted' } }, uid: expect.stringMatching(/./) })
  const unlabelled = (await place.read(configMap('unlabelled'))) as { metadata: { labels: object } }
  await place.write({ ...configMap('unlabelled'), metadata: { ...configMap('unlabelled').metadata, labels: Object.fromEntries(Object.keys(unlabelled.metadata.labels).map((name) => [name, null])) } })
  const [effect] = await on.plan([], held)
  if (effect === undefined) throw new Error('no effect')
  await on.apply(effect, [])
  await expect.poll(() => told.slice(5).map(brief)).toContain('gone ours')
  over.abort()
  await watched
})

test('tells of everybody’s objects where that is asked for; a kind that is not served is none then', async () => {
  await place.write(configMap('everybody-s'))
  const over = new AbortController()
  const told: string[] = []
  for await (const one of kubernetes.watch({ ...place.call, signal: over.signal }, { ...kind, whose: 'everybody' })) {
    told.push(brief(one))
    if (one.state === 'listed') over.abort()
  }
  expect(told).toContain('seen everybody-s')
  for await (const one of kubernetes.watch(place.call, { kind: 'autoscaling.nowhere/Autoscaler//', whose: 'everybody' })) expect.fail(brief(one))
})

test('begins anew with a list when its version has expired, says what it cannot hear, and that it hears again', async () => {
  let asked = 0
  const told: string[] = []
  const item = (name: string) => ({ metadata: { name, namespace: 'n', uid: name, resourceVersion: '1' } })
  const discovery = { kind: 'APIGroupDiscoveryList', items: [{ metadata: { name: '' }, versions: [{ version: 'v1', resources: [{ resource: 'configmaps', responseKind: { kind: 'ConfigMap' }, scope: 'Namespaced', verbs: [] }] }] }] }
  const server = await startFakeApiServer((request, answer) => {
    if (request.path === '/api') answer.json(200, discovery)
    else if (request.path === '/apis') answer.json(200, { ...discovery, items: [] })
    else {
      asked += 1
      if (asked === 1) answer.json(200, { metadata: { resourceVersion: '5' }, items: [item('a'), item('b')] })
      else if (asked === 2) answer.status(410, 'Expired', 'too old')
      else if (!told.includes('lost')) answer.status(503, 'ServiceUnavailable', 'starting')
      else if (!request.query.has('watch')) answer.json(200, { metadata: { resourceVersion: '9' }, items: [item('b')] })
      else answer.lines()
    }
  })
  const client = await openKubernetes({ kubeconfig: server.kubeconfig, context: 'fake', clock: systemClock })
  for await (const one of watch({ ...place.call, clients: { kubernetes: client } }, kind)) {
    told.push(brief(one))
    if (one.state === 'listed' && told.length > 4) break
  }
  expect(told).toEqual(['listing', 'seen a', 'seen b', 'listed', 'lost', 'found', 'listing', 'seen b', 'listed'])
  expect(server.requests.find(({ query }) => query.has('watch'))?.query.get('labelSelector')).toBe('plumbline.dev/module')
  await client.close()
  await server.stop()
})
