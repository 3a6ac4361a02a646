import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { conditionOf } from './conditions.ts'
import { deploymentController } from './deployment.ts'
import { endpointSliceController } from './endpoint-slice.ts'
import { garbageCollector } from './garbage.ts'
import { autoscalerController, loadAnnotation } from './horizontal-pod-autoscaler.ts'
import { autoscalers, claims, configMaps, deployments, disruptionBudgets, endpoints, endpointSlices, namespaces, pods, replicaSets, serviceAccounts, services, type Pod } from './kinds.ts'
import { namespaceContentsController } from './namespace-contents.ts'
import { namespaceController } from './namespace.ts'
import { persistentVolumeClaimController } from './persistent-volume-claim.ts'
import { podDisruptionBudgetController } from './pod-disruption-budget.ts'
import { podGarbageController } from './pod-garbage.ts'
import { replicaSetController } from './replica-set.ts'
import { World } from './world.ts'

const labels = { app: 'web' }
const containers = [{ name: 'web', image: 'web:1', ports: [{ name: 'http', containerPort: 8080 }] }]
let world: World
beforeEach(() => {
  world = new World()
})
afterEach(() => world.stop())
const pod = (name: string, extra: object = {}): Pod => world.objects.create(pods, { metadata: { name, namespace: 'shop', labels }, spec: { containers, ...extra } }, 'test')
const deployment = (replicas: number): void => {
  world.objects.create(deployments, { metadata: { name: 'web', namespace: 'shop' }, spec: { replicas, selector: { matchLabels: labels }, template: { metadata: { labels }, spec: { containers } } } }, 'test')
}

describe('endpoints', () => {
  test('follow the readiness of the pods that a Service selects', async () => {
    world.start(endpointSliceController)
    world.objects.create(services, { metadata: { name: 'web', namespace: 'shop' }, spec: { selector: labels, ports: [{ name: 'http', port: 80, targetPort: 'http' }] } }, 'test')
    world.set(pod('one'), 'Running')
    world.set(pod('two'), 'Running', 'unready')
    world.objects.create(pods, { metadata: { name: 'other', namespace: 'shop', labels: { app: 'else' } }, spec: { containers } }, 'test')
    await world.settle()
    const slice = () => world.objects.list(endpointSlices, 'shop')
    expect(slice()).toMatchObject([{ ports: [{ name: 'http', port: 8080, protocol: 'TCP' }], endpoints: [{ conditions: { ready: true } }, { conditions: { ready: false } }] }])
    expect(world.objects.get(endpoints, 'shop', 'web')?.subsets).toMatchObject([{ addresses: [{ targetRef: { name: 'one' } }], notReadyAddresses: [{ targetRef: { name: 'two' } }] }])
    world.objects.delete(pods, { namespace: 'shop', name: 'one' })
    await world.settle()
    expect(slice()[0]?.endpoints[0]?.conditions).toEqual({ ready: false, serving: true, terminating: true })
    world.objects.delete(pods, { namespace: 'shop', name: 'one' }, 0)
    world.objects.delete(pods, { namespace: 'shop', name: 'two' }, 0)
    await world.settle()
    expect(slice()).toMatchObject([{ endpoints: [] }])
  })
})

describe('what every namespace has', () => {
  test('is there from the start, comes back, and goes with its namespace', async () => {
    world.start(namespaceContentsController('PEM'))
    world.objects.create(namespaces, { metadata: { name: 'shop' } }, 'test')
    await world.settle()
    const has = (): unknown[] => [world.objects.get(serviceAccounts, 'shop', 'default')?.metadata.name, world.objects.get(configMaps, 'shop', 'kube-root-ca.crt')?.data]
    expect(has()).toEqual(['default', { 'ca.crt': 'PEM' }])
    world.objects.delete(serviceAccounts, { namespace: 'shop', name: 'default' })
    world.objects.edit(configMaps, { namespace: 'shop', name: 'kube-root-ca.crt' }, 'object', 'test', (map) => void (map.data = {}))
    await world.settle()
    expect(has()).toEqual(['default', { 'ca.crt': 'PEM' }])
    world.objects.delete(namespaces, { name: 'shop' })
    world.objects.delete(serviceAccounts, { namespace: 'shop', name: 'default' })
    await world.settle()
    expect(has()[0]).toBeUndefined()
  })
})

describe('a disruption budget', () => {
  test.each([
    [{ minAvailable: 1 }, { desiredHealthy: 1, expectedPods: 3, disruptionsAllowed: 1 }],
    [{ minAvailable: '50%' }, { desiredHealthy: 2, expectedPods: 3, disruptionsAllowed: 0 }],
    [{ maxUnavailable: 1 }, { desiredHealthy: 2, expectedPods: 3, disruptionsAllowed: 0 }],
    [{ maxUnavailable: '67%' }, { desiredHealthy: 0, expectedPods: 3, disruptionsAllowed: 2 }],
  ])('of %o says what may be disturbed of three pods, of which two are ready', async (rule, status) => {
    world.start(deploymentController, replicaSetController, podDisruptionBudgetController)
    deployment(3)
    world.objects.create(disruptionBudgets, { metadata: { name: 'web', namespace: 'shop' }, spec: { selector: { matchLabels: labels }, ...rule } }, 'test')
    await world.settle()
    for (const [i, each] of world.pods().entries()) world.set(each, 'Running', i === 0 ? 'unready' : 'ready')
    await world.settle()
    const budget = () => world.objects.get(disruptionBudgets, 'shop', 'web')?.status
    expect(budget()).toMatchObject({ currentHealthy: 2, ...status })
    expect(conditionOf(budget()?.conditions, 'DisruptionAllowed')).toMatchObject(status.disruptionsAllowed > 0 ? { status: 'True', reason: 'SufficientPods' } : { status: 'False', reason: 'InsufficientPods' })
  })

  test('counts no pod that an eviction has spoken of, for two minutes or until it goes', async () => {
    world.start(podDisruptionBudgetController)
    for (const name of ['one', 'two']) world.set(pod(name), 'Running')
    const at = { namespace: 'shop', name: 'web' }
    world.objects.create(disruptionBudgets, { metadata: at, spec: { selector: { matchLabels: labels }, minAvailable: 1 } }, 'test')
    await world.settle()
    const budget = () => world.objects.get(disruptionBudgets, 'shop', 'web')?.status
    const disruptedPods = { one: '2026-01-01T00:00:00Z', gone: '2026-01-01T00:00:00Z' }
    world.objects.edit(disruptionBudgets, at, 'status', 'test', ({ status }) => void Object.assign(status ?? {}, { disruptionsAllowed: 0, disruptedPods }))
    await world.settle()
    expect(budget()).toMatchObject({ currentHealthy: 1, disruptionsAllowed: 0, disruptedPods: { one: disruptedPods.one } })
    await world.advance(120_000)
    expect(budget()).toMatchObject({ currentHealthy: 2, disruptionsAllowed: 1 })
    expect(budget()).not.toHaveProperty('disruptedPods')
  })
})

describe('garbage collection', () => {
  const owned = (name: string, ownerName: string, uid: string, extra: object = {}) =>
    world.objects.create(
      configMaps,
      { metadata: { name, namespace: 'shop', ownerReferences: [{ apiVersion: 'v1', kind: 'ConfigMap', name: ownerName, uid, ...extra }] } },
      'test',
    )
  const names = (): string[] => world.objects.list(configMaps, 'shop').map(({ metadata }) => metadata.name).sort()
  const owner = (name = 'owner') => world.objects.create(configMaps, { metadata: { name, namespace: 'shop' } }, 'test')

  beforeEach(() => world.start(garbageCollector))

  test('takes what was owned, and what that owned, and nothing else', async () => {
    const top = owner()
    const middle = owned('middle', 'owner', top.metadata.uid)
    owned('leaf', 'middle', middle.metadata.uid)
    owner('stranger')
    await world.settle()
    world.objects.delete(configMaps, top.metadata)
    await world.settle()
    expect(names()).toEqual(['stranger'])
  })

  test('goes by uid: an owner that was made again does not own what the old one owned', async () => {
    owned('left', 'owner', 'an-old-uid')
    owner()
    await world.settle()
    expect(names()).toEqual(['owner'])
  })

  test('keeps what still has another owner', async () => {
    const [one, two] = [owner('one'), owner('two')]
    const both = owned('both', 'one', one.metadata.uid)
    world.objects.edit(configMaps, both.metadata, 'object', 'test', (object) => {
      object.metadata.ownerReferences?.push({ apiVersion: 'v1', kind: 'ConfigMap', name: 'two', uid: two.metadata.uid })
    })
    world.objects.delete(configMaps, one.metadata)
    await world.settle()
    expect(names()).toEqual(['both', 'two'])
  })

  test('in the foreground the owner goes last', async () => {
    const top = owner()
    const held = owned('held', 'owner', top.metadata.uid, { blockOwnerDeletion: true })
    world.objects.edit(configMaps, held.metadata, 'object', 'test', (object) => void (object.metadata.finalizers = ['test/hold']))
    world.fake.delete(configMaps, 'shop', 'owner', undefined, 'Foreground')
    await world.settle()
    expect(names()).toEqual(['held', 'owner'])
    expect(world.objects.get(configMaps, 'shop', 'held')?.metadata.deletionTimestamp).toBeDefined()
    world.objects.edit(configMaps, held.metadata, 'object', 'test', (object) => void (object.metadata.finalizers = object.metadata.finalizers?.filter((name) => name !== 'test/hold') ?? []))
    await world.settle()
    expect(names()).toEqual([])
  })

  test('orphans are let go, not deleted', async () => {
    const top = owner()
    owned('left', 'owner', top.metadata.uid)
    world.objects.edit(configMaps, top.metadata, 'object', 'test', (object) => void (object.metadata.finalizers = ['orphan']))
    world.objects.delete(configMaps, top.metadata)
    await world.settle()
    expect(names()).toEqual(['left'])
    expect(world.objects.get(configMaps, 'shop', 'left')?.metadata.ownerReferences).toBeUndefined()
  })
})

test('a namespace that is deleted is emptied first, and says what holds it up', async () => {
  world.start(namespaceController)
  world.objects.create(namespaces, { metadata: { name: 'shop' }, spec: { finalizers: ['kubernetes'] } }, 'test')
  const held = world.objects.create(configMaps, { metadata: { name: 'held', namespace: 'shop', finalizers: ['test/hold'] } }, 'test')
  world.objects.create(configMaps, { metadata: { name: 'free', namespace: 'shop' } }, 'test')
  world.objects.delete(namespaces, { name: 'shop' })
  await world.settle()
  expect(world.objects.list(configMaps, 'shop').map(({ metadata }) => metadata.name)).toEqual(['held'])
  const status = world.objects.get(namespaces, '', 'shop')?.status
  expect(status?.phase).toBe('Terminating')
  expect(conditionOf(status?.conditions, 'NamespaceFinalizersRemaining')?.message).toContain('test/hold in 1 resource instances')
  world.objects.edit(configMaps, held.metadata, 'object', 'test', (object) => void (object.metadata.finalizers = []))
  await world.settle()
  expect(world.objects.get(namespaces, '', 'shop')).toBeUndefined()
})

test('a claim is bound at once, and stays while a pod uses it', async () => {
  world.start(persistentVolumeClaimController)
  const at = { namespace: 'shop', name: 'data' }
  world.objects.create(claims, { metadata: at, spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } }, 'test')
  const user = pod('user', { volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'data' } }] })
  await world.settle()
  expect(world.objects.get(claims, 'shop', 'data')?.status).toEqual({ phase: 'Bound', accessModes: ['ReadWriteOnce'], capacity: { storage: '1Gi' } })
  world.objects.delete(claims, at)
  await world.settle()
  expect(world.objects.get(claims, 'shop', 'data')).toBeDefined()
  world.objects.delete(pods, user.metadata)
  await world.settle()
  expect(world.objects.get(claims, 'shop', 'data')).toBeUndefined()
})

describe('an HPA', () => {
  const at = { namespace: 'shop', name: 'web' }
  const load = async (percent: number): Promise<void> => {
    world.objects.edit(autoscalers, at, 'object', 'test', (object) => void (object.metadata.annotations = { [loadAnnotation]: String(percent) }))
    await world.runAll()
  }
  const replicas = (): number | undefined => world.objects.get(deployments, 'shop', 'web')?.spec.replicas
  beforeEach(async () => {
    world.start(deploymentController, replicaSetController, autoscalerController)
    const metrics = [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 50 } } }]
    world.objects.create(autoscalers, { metadata: at, spec: { scaleTargetRef: { kind: 'Deployment', name: 'web' }, minReplicas: 2, maxReplicas: 5, metrics } }, 'test')
    await world.settle()
  })

  test('says that its target is missing, and takes it up when it comes', async () => {
    const able = () => conditionOf(world.objects.get(autoscalers, 'shop', 'web')?.status?.conditions, 'AbleToScale')?.status
    expect(able()).toBe('False')
    deployment(1)
    await world.runAll()
    expect(able()).toBe('True')
    expect(replicas()).toBe(2)
  })

  test('scales with the load, by the scale subresource, comes to rest, and keeps its bounds', async () => {
    deployment(2)
    await world.runAll()
    await load(100)
    expect(replicas()).toBe(4)
    expect(world.fake.writes).toContain('edit scale deployments shop/web')
    expect(world.objects.get(autoscalers, 'shop', 'web')?.status).toMatchObject({ currentReplicas: 4, desiredReplicas: 4, currentMetrics: [{ resource: { current: { averageUtilization: 50 } } }] })
    await load(1_000)
    expect(replicas()).toBe(5)
    expect(conditionOf(world.objects.get(autoscalers, 'shop', 'web')?.status?.conditions, 'ScalingLimited')).toMatchObject({ status: 'True', reason: 'TooManyReplicas' })
    await load(5)
    expect(replicas()).toBe(2)
  })

  test('leaves a Deployment that is scaled to zero alone', async () => {
    deployment(0)
    await world.runAll()
    expect(replicas()).toBe(0)
    expect(world.objects.list(replicaSets, 'shop')[0]?.spec.replicas).toBe(0)
  })
})

test('pods that ended are kept up to a number, the youngest', async () => {
  world.start(podGarbageController)
  for (let index = 0; index < 203; index += 1) {
    world.clock.advance(1_000)
    world.set(pod(`p-${String(index).padStart(3, '0')}`), 'Succeeded')
  }
  await world.settle()
  await world.runAll()
  expect(world.names()).toHaveLength(200)
  expect(world.names()[0]).toBe('p-003')
})
