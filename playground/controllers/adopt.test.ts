import { afterEach, beforeEach, expect, test } from 'vitest'
import { deploymentController } from './deployment.ts'
import { garbageCollector } from './garbage.ts'
import { controllerRevisions, deployments, pods, replicaSets, statefulSets, type PodTemplate } from './kinds.ts'
import { replicaSetController } from './replica-set.ts'
import { statefulSetController } from './stateful-set.ts'
import { World } from './world.ts'

const labels = { app: 'web' }
const template: PodTemplate = { metadata: { labels }, spec: { containers: [{ name: 'main', image: 'web:1' }] } }
const spec = { replicas: 2, selector: { matchLabels: labels }, template }
const metadata = { namespace: 'shop', name: 'web' }
const orphaning = [metadata.namespace, metadata.name, undefined, 'Orphan'] as const
let world: World

beforeEach(() => {
  world = new World()
  world.start(deploymentController, replicaSetController, statefulSetController, garbageCollector)
})
afterEach(() => world.stop())

test('a Deployment that is made again goes on with the ReplicaSet and the pods that were left', async () => {
  world.objects.create(deployments, { metadata, spec }, 'test')
  await world.runAll()
  const before = world.names()
  world.objects.raw.delete(deployments, ...orphaning)
  await world.settle()
  expect(world.objects.list(replicaSets, 'shop').map((set) => set.metadata.ownerReferences)).toEqual([undefined])
  world.objects.create(deployments, { metadata, spec }, 'test')
  await world.runAll()
  expect(world.names()).toEqual(before)
  expect(world.objects.get(deployments, 'shop', 'web')?.status).toMatchObject({ readyReplicas: 2, updatedReplicas: 2 })
})

test('a StatefulSet that is made again goes on with its pods and revisions, and with no other pod', async () => {
  world.objects.create(pods, { metadata: { namespace: 'shop', name: 'web-other', labels }, spec: template.spec }, 'test')
  world.objects.create(statefulSets, { metadata, spec }, 'test')
  await world.runAll()
  const uids = world.pods().map((pod) => pod.metadata.uid)
  world.objects.raw.delete(statefulSets, ...orphaning)
  await world.settle()
  world.objects.create(statefulSets, { metadata, spec }, 'test')
  await world.runAll()
  expect(world.pods().map((pod) => pod.metadata.uid)).toEqual(uids)
  expect(world.pods().map((pod) => pod.metadata.ownerReferences?.[0]?.name)).toEqual(['web', 'web', undefined])
  expect(world.objects.get(statefulSets, 'shop', 'web')?.status).toMatchObject({ readyReplicas: 2, updatedReplicas: 2 })
  expect(world.objects.list(controllerRevisions, 'shop')).toMatchObject([{ revision: 1, metadata: { ownerReferences: [{ name: 'web' }] } }])
})

test('a pod that gets other labels is out of its ReplicaSet, which makes another; one that gets its labels is one too many', async () => {
  world.objects.create(replicaSets, { metadata, spec }, 'test')
  await world.runAll()
  const [quarantined = ''] = world.names()
  const relabel = async (app: string): Promise<void> => {
    world.objects.edit(pods, { namespace: 'shop', name: quarantined }, 'object', 'test', (pod) => void (pod.metadata.labels = { app }))
    await world.runAll()
  }
  await relabel('quarantine')
  expect(world.objects.get(pods, 'shop', quarantined)?.metadata.ownerReferences).toBeUndefined()
  expect(world.names()).toHaveLength(3)
  await relabel('web')
  expect(world.names()).toHaveLength(2)
})
