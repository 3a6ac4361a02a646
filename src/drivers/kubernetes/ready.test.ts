import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { JsonObject } from '#lib/json.ts'
import type { Readiness } from '../driver.ts'
import { desiredOf, kubernetesPlace, type KubernetesPlace } from '../../../test/kubernetes-place.ts'
import { kubernetes } from './kubernetes.ts'

let place: KubernetesPlace
beforeAll(async () => {
  place = await kubernetesPlace()
})
afterAll(async () => place?.stop())

const labels = (name: string) => ({ app: name })
const pod = (name: string) => ({ metadata: { labels: labels(name) }, spec: { containers: [{ name: 'main', image: 'app:1' }] } })
const meta = (name: string, more: JsonObject = {}) => ({ name, namespace: place.namespace, ...more })
const deployment = (name: string) => ({ apiVersion: 'apps/v1', kind: 'Deployment', metadata: meta(name), spec: { replicas: 2, selector: { matchLabels: labels(name) }, template: pod(name) } })
const configMap = (name: string, more: JsonObject = {}) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: meta(name, more), data: { a: '1' } })
const full = { observedGeneration: 1, replicas: 2, updatedReplicas: 2, readyReplicas: 2, availableReplicas: 2 }

const metaOf = (object: JsonObject) => object['metadata'] as { uid: string; generation?: number; name: string }
async function followed(body: JsonObject, generation?: number) {
  const { uid } = metaOf(await place.write(body))
  return { key: desiredOf(body).key, uid, ...(generation === undefined ? {} : { generation }) }
}

/** Follows in the background. */
function follow(objects: Parameters<typeof kubernetes.ready>[1], signal = place.call.signal) {
  const told: Readiness[] = []
  const over = (async () => {
    for await (const one of kubernetes.ready({ ...place.call, signal }, objects)) told.push(one)
  })()
  return { told, over, states: () => told.map(({ state }) => state), messages: () => told.map(({ message }) => message) }
}

const objects = () => {
  if (place.cluster.objects === undefined) throw new Error('not an embedded cluster')
  return place.cluster.objects
}
const resource = (plural: string, group = 'apps') => ({ group, version: 'v1', plural })
function setStatus(plural: string, name: string, status: JsonObject, group?: string): void {
  objects().edit(resource(plural, group), place.namespace, name, 'status', 'kube-controller-manager', (object) => {
    object['status'] = status
  })
}

test('plain objects are ready at once, and their kind is not watched', async () => {
  const here = [await followed(configMap('a')), await followed(configMap('b'))]
  const before = place.cluster.requests?.().length ?? 0
  const { told, over } = follow([...here, { key: desiredOf(configMap('none')).key, uid: 'x' }])
  await over
  expect(told.map(({ key, state }) => [key.split('/').at(-1), state]).sort()).toEqual([['a', 'ready'], ['b', 'ready'], ['none', 'gone']])
  expect((place.cluster.requests?.() ?? []).slice(before).filter(({ path }) => path.includes('watch=true'))).toEqual([])
})

test('an object that was made again by somebody is gone', async () => {
  const { key } = await followed(configMap('again'))
  const { told, over } = follow([{ key, uid: 'another' }])
  await over
  expect(told).toEqual([{ key, state: 'gone', message: 'it was deleted, and made again by somebody' }])
})

test('what is deleted is terminating until its finalizers let go, and then gone', async () => {
  const one = await followed(configMap('held', { finalizers: ['plumbline.dev/test'] }))
  const gone = desiredOf(configMap('held')).key
  await place.client.delete(await place.kind('v1', 'ConfigMap'), place.namespace, 'held', { uid: one.uid, propagation: 'Background', dryRun: false }, place.call.signal)
  const { told, over } = follow([one])
  await expect.poll(() => told.at(-1)).toEqual({ key: gone, state: 'terminating', message: 'it is being deleted, and waits for plumbline.dev/test' })
  await place.write(configMap('held'))
  await over
  expect(told.at(-1)?.state).toBe('gone')
})

test('a place that cannot be reached leaves everything unknown, until the signal ends', async () => {
  const one = await followed(configMap('lost'))
  const over = new AbortController()
  const told: Readiness[] = []
  const followed_ = (async () => {
    for await (const readiness of kubernetes.ready({ ...place.unreachable, signal: over.signal }, [one])) told.push(readiness)
  })()
  await expect.poll(() => told.length, { timeout: 10_000 }).toBe(1)
  expect(told[0]?.state).toBe('unknown')
  over.abort()
  await followed_
})

describe('with controllers that the test plays', () => {
  test('a deployment is followed from its first status to its last, by watch', async ({ skip }) => {
    if (place.cluster.objects === undefined) return skip('a real cluster has controllers of its own')
    const one = await followed(deployment('rolling'), 1)
    const { told, over, states } = follow([one])
    await expect.poll(states).toEqual(['progressing'])
    const lists = () => (place.cluster.requests?.() ?? []).filter(({ path }) => /deployments\?(?!.*watch)/.test(path)).length
    const before = lists()
    setStatus('deployments', 'rolling', { ...full, availableReplicas: 1 })
    await expect.poll(() => told.at(-1)).toMatchObject({ state: 'progressing', message: '1 of 2 replicas available' })
    setStatus('deployments', 'rolling', full)
    await over
    expect(told.at(-1)).toEqual({ key: one.key, state: 'ready', message: '2 of 2 replicas available' })
    expect(lists()).toBe(before)
  })

  test('a status from before our own apply does not count', async ({ skip }) => {
    if (place.cluster.objects === undefined) return skip('a real cluster has controllers of its own')
    await place.write(deployment('old'))
    setStatus('deployments', 'old', full)
    const { uid } = metaOf((await place.read(deployment('old'))) ?? {})
    const { told, over } = follow([{ key: desiredOf(deployment('old')).key, uid, generation: 2 }])
    await expect.poll(() => told.at(-1)?.message).toBe('its controller has not seen the change yet')
    setStatus('deployments', 'old', { ...full, observedGeneration: 2 })
    await over
    expect(told.at(-1)?.state).toBe('ready')
  })

  test('the pod of the newest replica set says what is wrong; that of an old one does not', async ({ skip }) => {
    if (place.cluster.objects === undefined) return skip('a real cluster has controllers of its own')
    const one = await followed(deployment('crashing'), 1)
    objects().edit(resource('deployments'), place.namespace, 'crashing', 'object', 'kube-controller-manager', (object) => {
      object.metadata['annotations'] = { 'deployment.kubernetes.io/revision': '2' }
    })
    const sets = ['1', '2'].map((revision) =>
      objects().create(resource('replicasets'), {
        apiVersion: 'apps/v1', kind: 'ReplicaSet',
        metadata: meta(`crashing-${revision}`, {
          labels: labels('crashing'), annotations: { 'deployment.kubernetes.io/revision': revision },
          ownerReferences: [{ apiVersion: 'apps/v1', kind: 'Deployment', name: 'crashing', uid: one.uid, controller: true }],
        }),
        spec: { replicas: 1, selector: { matchLabels: labels('crashing') }, template: pod('crashing') },
      }, 'kube-controller-manager'),
    )
    for (const [index, set] of sets.entries()) {
      const name = `crashing-${index + 1}-x`
      objects().create(resource('pods', ''), {
        apiVersion: 'v1', kind: 'Pod', spec: pod('crashing').spec,
        metadata: meta(name, { labels: labels('crashing'), ownerReferences: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: set.metadata.name ?? '', uid: set.metadata.uid ?? '', controller: true }] }),
      }, 'kube-controller-manager')
    }
    setStatus('deployments', 'crashing', { ...full, availableReplicas: 1 })
    const { told, over } = follow([one])
    await expect.poll(() => told.at(-1)?.message).toBe('1 of 2 replicas available')
    const crash = (code: number) => ({ phase: 'Running', containerStatuses: [{ name: 'main', image: 'app:1', imageID: '', ready: false, restartCount: 3, state: { waiting: { reason: 'CrashLoopBackOff' } }, lastState: { terminated: { exitCode: code } } }] })
    setStatus('pods', 'crashing-1-x', crash(9), '')
    setStatus('pods', 'crashing-2-x', crash(1), '')
    await expect.poll(() => told.at(-1)?.message).toBe('1 of 2 replicas available; pod crashing-2-x: CrashLoopBackOff: exit code 1')
    setStatus('deployments', 'crashing', { ...full, availableReplicas: 1, conditions: [{ type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded' }] })
    await over
    expect(told.at(-1)).toEqual({ key: one.key, state: 'failed', message: 'no progress within its deadline: 1 of 2 replicas available; pod crashing-2-x: CrashLoopBackOff: exit code 1' })
  })

  test('a watch that has expired, or was cut, does not lose what happened meanwhile', async ({ skip }) => {
    const { inject, compact } = place.cluster
    if (inject === undefined || compact === undefined || place.cluster.objects === undefined) return skip('only an embedded cluster can expire a watch on purpose')
    const [one, other] = [await followed(deployment('expired'), 1), await followed(deployment('deleted'), 1)]
    inject({ times: 1, path: '/deployments', answer: 'watch-expired' })
    inject({ times: 1, path: '/deployments', answer: 'watch-close' })
    const { told, over } = follow([one, other])
    setStatus('deployments', 'expired', full)
    objects().delete(resource('deployments'), place.namespace, 'deleted')
    await over
    expect(told.filter(({ key }) => key === one.key).at(-1)?.state).toBe('ready')
    expect(told.filter(({ key }) => key === other.key).at(-1)?.state).toBe('gone')
  })
})
