import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { conditionOf } from './conditions.ts'
import { daemonSetController } from './daemon-set.ts'
import { jobController } from './job.ts'
import { claims, daemonSets, events, jobs, nodes, pods, statefulSets, type Job, type PodTemplate } from './kinds.ts'
import { nodeOf } from './node-fit.ts'
import { statefulSetController } from './stateful-set.ts'
import { World } from './world.ts'

const labels = { app: 'db' }
const selector = { matchLabels: labels }
const template = (image: string): PodTemplate => ({ metadata: { labels }, spec: { containers: [{ name: 'main', image }] } })
let world: World
const first = () => {
  const pod = world.pods().find(({ status }) => status?.phase === undefined || status.phase === 'Running')
  if (pod === undefined) throw new Error('there is no pod')
  return pod
}

beforeEach(() => {
  world = new World()
})
afterEach(() => world.stop())

describe('a StatefulSet', () => {
  const at = { namespace: 'shop', name: 'db' }
  const images = (): unknown[] => world.pods().map((pod) => pod.spec.containers[0]?.image)
  beforeEach(async () => {
    world.start(statefulSetController)
    const volumeClaimTemplates = [{ metadata: { name: 'data' }, spec: { accessModes: ['ReadWriteOnce'] } }]
    world.objects.create(statefulSets, { metadata: at, spec: { replicas: 2, selector, template: template('db:1'), volumeClaimTemplates } }, 'test')
    await world.settle()
  })
  const status = () => world.objects.get(statefulSets, 'shop', 'db')?.status

  test('starts its pods in order, each with its claim', async () => {
    expect(world.names()).toEqual(['db-0'])
    world.set(first(), 'Running')
    await world.settle()
    expect(world.names()).toEqual(['db-0', 'db-1'])
    expect(world.objects.list(claims, 'shop').map(({ metadata }) => metadata.name)).toEqual(['data-db-0', 'data-db-1'])
    expect(world.pods()[1]?.spec.volumes).toEqual([{ name: 'data', persistentVolumeClaim: { claimName: 'data-db-1' } }])
    await world.runAll()
    expect(status()).toMatchObject({ observedGeneration: 1, replicas: 2, readyReplicas: 2, currentReplicas: 2, updatedReplicas: 2 })
    expect(status()?.currentRevision).toBe(status()?.updateRevision)
  })

  test('updates from the last pod to the first, waiting for each', async () => {
    await world.runAll()
    world.objects.edit(statefulSets, at, 'object', 'test', (object) => void (object.spec.template = template('db:2')))
    await world.settle()
    expect(world.pods().map(({ metadata }) => metadata.deletionTimestamp !== undefined)).toEqual([false, true])
    expect(status()?.currentRevision).not.toBe(status()?.updateRevision)
    await world.runAll()
    expect(images()).toEqual(['db:2', 'db:2'])
    expect(status()).toMatchObject({ readyReplicas: 2, updatedReplicas: 2 })
    expect(status()?.currentRevision).toBe(status()?.updateRevision)
  })

  test('shrinks from the end and keeps the claims', async () => {
    await world.runAll()
    world.objects.edit(statefulSets, at, 'object', 'test', (object) => void (object.spec.replicas = 1))
    await world.runAll()
    expect(world.names()).toEqual(['db-0'])
    expect(world.objects.list(claims, 'shop')).toHaveLength(2)
  })

  test('an update mends a pod that could not get ready', async () => {
    world.objects.edit(statefulSets, at, 'object', 'test', (object) => void (object.spec.template = template('db:2')))
    await world.runAll()
    expect(images()).toEqual(['db:2', 'db:2'])
  })
})

test('a DaemonSet has one pod on the one node, and replaces it', async () => {
  world.start(daemonSetController)
  world.objects.create(nodes, { metadata: { name: 'playground' }, spec: {} }, 'test')
  const at = { namespace: 'shop', name: 'agent' }
  world.objects.create(daemonSets, { metadata: at, spec: { selector, template: template('agent:1') } }, 'test')
  await world.runAll()
  const status = () => world.objects.get(daemonSets, 'shop', 'agent')?.status
  expect(status()).toMatchObject({ desiredNumberScheduled: 1, numberReady: 1, updatedNumberScheduled: 1, numberAvailable: 1 })
  world.objects.edit(daemonSets, at, 'object', 'test', (object) => void (object.spec.template = template('agent:2')))
  await world.runAll()
  expect(world.pods().map((pod) => pod.spec.containers[0]?.image)).toEqual(['agent:2'])
  expect(status()).toMatchObject({ observedGeneration: 2, numberReady: 1, updatedNumberScheduled: 1 })
})

test('a DaemonSet is on every node that takes it, cordoned or not, and updates one after the other', async () => {
  world.start(daemonSetController)
  const at = { namespace: 'shop', name: 'agent' }
  const node = (name: string, spec: object = {}): unknown => world.objects.create(nodes, { metadata: { name, labels: { disk: name } }, spec }, 'test')
  const taint = (name: string, effect?: 'NoSchedule' | 'NoExecute'): unknown => world.objects.edit(nodes, { name }, 'object', 'test', ({ spec }) => void (spec.taints = effect === undefined ? [] : [{ key: 'k', effect }]))
  const placed = () => world.pods().map(nodeOf).toSorted()
  const status = () => world.objects.get(daemonSets, 'shop', 'agent')?.status
  node('a')
  node('b', { unschedulable: true, taints: [{ key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' }] })
  node('c', { taints: [{ key: 'k', effect: 'NoSchedule' }] })
  node('d')
  const affinity = { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchExpressions: [{ key: 'disk', operator: 'NotIn' as const, values: ['d'] }] }] } } }
  const placedTemplate = (image: string): PodTemplate => ({ ...template(image), spec: { ...template(image).spec, affinity } })
  world.objects.create(daemonSets, { metadata: at, spec: { selector, template: placedTemplate('agent:1') } }, 'test')
  await world.runAll()
  expect(placed()).toEqual(['a', 'b'])
  expect(status()).toMatchObject({ desiredNumberScheduled: 2, currentNumberScheduled: 2, numberReady: 2, numberMisscheduled: 0 })
  world.objects.edit(daemonSets, at, 'object', 'test', (object) => void (object.spec.template = placedTemplate('agent:2')))
  await world.settle()
  expect(world.pods().filter(({ metadata }) => metadata.deletionTimestamp !== undefined)).toHaveLength(1)
  await world.runAll()
  expect(world.pods().map((pod) => pod.spec.containers[0]?.image)).toEqual(['agent:2', 'agent:2'])
  taint('a', 'NoSchedule')
  await world.runAll()
  expect([placed(), status()]).toMatchObject([['a', 'b'], { desiredNumberScheduled: 1, currentNumberScheduled: 1, numberMisscheduled: 1 }])
  taint('a', 'NoExecute')
  await world.runAll()
  expect([placed(), status()]).toMatchObject([['b'], { desiredNumberScheduled: 1, numberMisscheduled: 0 }])
  taint('a')
  await world.runAll()
  expect(placed()).toEqual(['a', 'b'])
})

test.each([
  [statefulSetController, statefulSets, 'create Pod db-0 in StatefulSet db failed error: denied by a policy'],
  [daemonSetController, daemonSets, 'Error creating: denied by a policy'],
] as const)('a set whose pods may not be made says so in an Event (%#)', async (controller, kind, message) => {
  world.start(controller)
  world.objects.create(nodes, { metadata: { name: 'playground' }, spec: {} }, 'test')
  const create = world.fake.create.bind(world.fake)
  world.fake.create = (resource, ...rest) => {
    if (resource.plural === pods.plural) throw new Error('denied by a policy')
    return create(resource, ...rest)
  }
  world.objects.create<unknown>(kind, { metadata: { namespace: 'shop', name: 'db' }, spec: { replicas: 1, selector, template: template('db:1') } }, 'test')
  await world.settle()
  expect(world.objects.list(events, 'shop')).toMatchObject([{ type: 'Warning', reason: 'FailedCreate', message, involvedObject: { name: 'db' } }])
})

describe('a Job', () => {
  const live = (): Job => world.objects.get(jobs, 'shop', 'work') as Job
  const create = async (spec: object): Promise<void> => {
    world.start(jobController)
    world.objects.create(jobs, { metadata: { namespace: 'shop', name: 'work' }, spec: { completions: 1, parallelism: 1, template: template('task:1'), ...spec } }, 'test')
    await world.settle()
  }

  test('is complete when enough pods have succeeded', async () => {
    await create({ completions: 2 })
    expect(live().status).toMatchObject({ active: 1 })
    world.set(first(), 'Succeeded')
    await world.settle()
    world.set(first(), 'Succeeded')
    await world.settle()
    expect(live().status).toMatchObject({ succeeded: 2, completionTime: '2026-01-01T00:00:00Z' })
    expect(conditionOf(live().status?.conditions, 'Complete')).toMatchObject({ status: 'True' })
    expect(world.pods()).toHaveLength(2)
  })

  test('tries again later and later, and fails past its limit', async () => {
    await create({ backoffLimit: 1 })
    world.set(first(), 'Failed')
    await world.settle()
    expect(world.pods()).toHaveLength(1)
    await world.advance(10_000)
    expect(world.pods()).toHaveLength(2)
    world.set(first(), 'Failed')
    await world.settle()
    expect(conditionOf(live().status?.conditions, 'Failed')).toMatchObject({ status: 'True', reason: 'BackoffLimitExceeded' })
    await world.advance(600_000)
    expect(world.pods()).toHaveLength(2)
  })

  test('fails at its deadline and ends what runs', async () => {
    await create({ activeDeadlineSeconds: 30 })
    world.set(first(), 'Running')
    await world.advance(31_000)
    expect(conditionOf(live().status?.conditions, 'Failed')).toMatchObject({ reason: 'DeadlineExceeded' })
    expect(first().metadata.deletionTimestamp).toBeDefined()
  })

  test('goes after its time to live', async () => {
    await create({ ttlSecondsAfterFinished: 60 })
    world.set(first(), 'Succeeded')
    await world.settle()
    await world.advance(59_000)
    expect(live()).toBeDefined()
    await world.advance(2_000)
    expect(live()).toBeUndefined()
  })
})
