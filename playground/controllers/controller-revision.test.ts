import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { daemonSetController } from './daemon-set.ts'
import { controllerRevisions, daemonSets, nodes, pods, statefulSets, type ControllerRevision, type PodTemplate } from './kinds.ts'
import { statefulSetController } from './stateful-set.ts'
import { World } from './world.ts'

const labels = { app: 'db' }
const selector = { matchLabels: labels }
const template = (image: string): PodTemplate => ({ metadata: { labels }, spec: { containers: [{ name: 'main', image }] } })
const at = { namespace: 'shop', name: 'db' }
let world: World
const revisions = (): ControllerRevision[] => world.objects.list(controllerRevisions, 'shop').sort((a, b) => a.revision - b.revision)
/** `2 db:1` for each: its number and its image. */
const history = (): string[] => revisions().map(({ revision, data }) => `${revision} ${data.spec.template.spec.containers[0]?.image}`)
const running = (): unknown[] => world.pods().map((pod) => pod.spec.containers[0]?.image)

beforeEach(() => {
  world = new World()
})
afterEach(() => world.stop())

describe('a StatefulSet', () => {
  const change = async (image: string, spec: object = {}): Promise<void> => {
    world.objects.edit(statefulSets, at, 'object', 'test', (set) => void Object.assign(set.spec, { template: template(image) }, spec))
    await world.runAll()
  }
  const status = () => world.objects.get(statefulSets, 'shop', 'db')?.status
  beforeEach(async () => {
    world.start(statefulSetController)
    const metadata = { ...at, annotations: { 'kubernetes.io/change-cause': 'the first' } }
    world.objects.create(statefulSets, { metadata, spec: { replicas: 2, selector, template: template('db:1') } }, 'test')
    await world.runAll()
  })

  test('keeps each template as a revision that it owns, and its pods and status name theirs', async () => {
    const [first] = revisions()
    const hash = first?.metadata.labels?.['controller.kubernetes.io/hash']
    expect(first).toMatchObject({
      metadata: {
        name: `db-${hash}`,
        labels,
        annotations: { 'kubernetes.io/change-cause': 'the first' },
        ownerReferences: [{ apiVersion: 'apps/v1', kind: 'StatefulSet', name: 'db', controller: true, blockOwnerDeletion: true }],
      },
      data: { spec: { template: { ...template('db:1'), $patch: 'replace' } } },
      revision: 1,
    })
    expect(world.pods().map(({ metadata }) => metadata.labels?.['controller-revision-hash'])).toEqual([first?.metadata.name, first?.metadata.name])
    await change('db:2')
    expect(history()).toEqual(['1 db:1', '2 db:2'])
    expect(status()).toMatchObject({ currentRevision: revisions()[1]?.metadata.name, updateRevision: revisions()[1]?.metadata.name })
  })

  test('a template that comes back is the old revision with a new number', async () => {
    await change('db:2')
    await change('db:1')
    expect(history()).toEqual(['2 db:2', '3 db:1'])
    expect(running()).toEqual(['db:1', 'db:1'])
  })

  test('keeps as many old revisions as it is told, and those that pods still have', async () => {
    await change('db:2', { revisionHistoryLimit: 1 })
    await change('db:3')
    expect(history()).toEqual(['2 db:2', '3 db:3'])
    await change('db:4', { revisionHistoryLimit: 0, updateStrategy: { type: 'OnDelete' } })
    expect(history()).toEqual(['3 db:3', '4 db:4'])
  })

  test('a pod below the partition comes back with the template that it had', async () => {
    await change('db:2', { updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 1 } } })
    expect(running()).toEqual(['db:1', 'db:2'])
    expect(status()).toMatchObject({ currentReplicas: 1, updatedReplicas: 1, currentRevision: revisions()[0]?.metadata.name })
    for (const name of ['db-0', 'db-1']) world.objects.delete(pods, { namespace: 'shop', name })
    await world.runAll()
    expect(running()).toEqual(['db:1', 'db:2'])
  })
})

test('a DaemonSet numbers its templates too, and goes back to one', async () => {
  world.start(daemonSetController)
  world.objects.create(nodes, { metadata: { name: 'playground' }, spec: {} }, 'test')
  world.objects.create(daemonSets, { metadata: at, spec: { selector, template: template('agent:1'), revisionHistoryLimit: 1 } }, 'test')
  await world.runAll()
  const change = async (image: string): Promise<void> => {
    world.objects.edit(daemonSets, at, 'object', 'test', (set) => void (set.spec.template = template(image)))
    await world.runAll()
  }
  await change('agent:2')
  expect(history()).toEqual(['1 agent:1', '2 agent:2'])
  const hash = revisions()[1]?.metadata.labels?.['controller-revision-hash']
  expect(revisions()[1]?.metadata.name).toBe(`db-${hash}`)
  expect(world.pods()[0]?.metadata.labels?.['controller-revision-hash']).toBe(hash)
  await change('agent:1')
  expect(history()).toEqual(['2 agent:2', '3 agent:1'])
  await change('agent:3')
  expect(history()).toEqual(['3 agent:1', '4 agent:3'])
})
