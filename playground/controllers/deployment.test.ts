import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { conditionOf } from './conditions.ts'
import { deploymentController } from './deployment.ts'
import { revisionOf } from './deployment-revision.ts'
import { deployments, replicaSets, type Deployment, type DeploymentSpec } from './kinds.ts'
import { replicaSetController } from './replica-set.ts'
import { World } from './world.ts'

const labels = { app: 'web' }
const template = (image: string): DeploymentSpec['template'] => ({ metadata: { labels }, spec: { containers: [{ name: 'web', image }] } })
const at = { namespace: 'shop', name: 'web' }

describe('a Deployment', () => {
  let world: World
  const create = (spec: Partial<DeploymentSpec> = {}): void => {
    const full = { replicas: 4, selector: { matchLabels: labels }, template: template('web:1'), ...spec }
    world.objects.create(deployments, { metadata: at, spec: full }, 'test')
  }
  const edit = async (change: (spec: DeploymentSpec) => void): Promise<void> => {
    world.objects.edit(deployments, at, 'object', 'test', (object) => change(object.spec))
    await world.settle()
  }
  const live = (): Deployment => world.objects.get(deployments, 'shop', 'web') as Deployment
  const sets = () => world.objects.list(replicaSets, 'shop').sort((a, b) => revisionOf(a) - revisionOf(b))
  const sizes = (): (number | undefined)[] => sets().map(({ spec }) => spec.replicas)
  const progressing = () => conditionOf(live().status?.conditions, 'Progressing')

  beforeEach(() => {
    world = new World()
    world.start(deploymentController, replicaSetController)
  })
  afterEach(() => world.stop())

  test('makes one ReplicaSet with all its pods, and says when they are available', async () => {
    create()
    await world.settle()
    expect(world.pods()).toHaveLength(4)
    expect(live().status).toMatchObject({ observedGeneration: 1, replicas: 4, updatedReplicas: 4, unavailableReplicas: 4 })
    expect(conditionOf(live().status?.conditions, 'Available')).toMatchObject({ status: 'False', reason: 'MinimumReplicasUnavailable' })
    await world.runAll()
    expect(live().status).toMatchObject({ replicas: 4, readyReplicas: 4, availableReplicas: 4 })
    expect(live().status?.unavailableReplicas).toBeUndefined()
    expect(progressing()).toMatchObject({ status: 'True', reason: 'NewReplicaSetAvailable' })
    expect(live().metadata.annotations).toEqual({ 'deployment.kubernetes.io/revision': '1' })
    expect(world.log).toEqual([])
  })

  test('comes to rest: nothing is written when nothing changes', async () => {
    create()
    await world.runAll()
    const before = world.fake.writes.length
    world.objects.edit(deployments, at, 'object', 'test', (object) => void (object.metadata.annotations = { ...object.metadata.annotations, note: 'x' }))
    await world.settle()
    expect(world.fake.writes.slice(before)).toEqual(['edit object deployments shop/web'])
  })

  test('rolls within maxSurge and maxUnavailable', async () => {
    create({ strategy: { rollingUpdate: { maxSurge: 1, maxUnavailable: 1 } } })
    await world.runAll()
    await edit((spec) => void (spec.template = template('web:2')))
    // One more than wanted, one less available: 3 old, 2 new.
    expect(sizes()).toEqual([3, 2])
    const seen: number[] = []
    for (let step = 0; step < 10 && sizes()[1] !== 4; step += 1) {
      seen.push(world.pods().filter((pod) => pod.metadata.deletionTimestamp === undefined).length)
      await world.runAll()
    }
    expect(Math.max(...seen)).toBeLessThanOrEqual(5)
    expect(sizes()).toEqual([0, 4])
    expect(live().status).toMatchObject({ observedGeneration: 2, updatedReplicas: 4, availableReplicas: 4 })
  })

  test('keeps the old pods while the new ones do not get ready, and then misses its deadline', async () => {
    create({ replicas: 2, progressDeadlineSeconds: 60, strategy: { rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } } })
    await world.runAll()
    await edit((spec) => void (spec.template = template('broken')))
    expect(sizes()).toEqual([2, 1])
    await world.advance(59_000)
    expect(progressing()).toMatchObject({ status: 'True', reason: 'ReplicaSetUpdated' })
    await world.advance(2_000)
    expect(progressing()).toMatchObject({ status: 'False', reason: 'ProgressDeadlineExceeded' })
    expect(live().status?.availableReplicas).toBe(2)
    await edit((spec) => void (spec.template = template('web:1')))
    await world.runAll()
    expect(progressing()).toMatchObject({ status: 'True', reason: 'NewReplicaSetAvailable' })
  })

  test('goes back to an old template by its old ReplicaSet, as a new revision', async () => {
    create({ replicas: 1 })
    await world.runAll()
    await edit((spec) => void (spec.template = template('web:2')))
    await world.runAll()
    await edit((spec) => void (spec.template = template('web:1')))
    await world.runAll()
    expect(sets().map(revisionOf)).toEqual([2, 3])
    expect(sets()[1]?.spec.template.spec.containers[0]?.image).toBe('web:1')
    expect(live().metadata.annotations?.['deployment.kubernetes.io/revision']).toBe('3')
  })

  test('a paused one scales but does not roll', async () => {
    create({ replicas: 2 })
    await world.runAll()
    await edit((spec) => Object.assign(spec, { paused: true, replicas: 3, template: template('web:2') }))
    await world.runAll()
    expect(sizes()).toEqual([3])
    expect(progressing()).toMatchObject({ status: 'Unknown', reason: 'DeploymentPaused' })
    await edit((spec) => void (spec.paused = false))
    await world.runAll()
    expect(sizes()).toEqual([0, 3])
  })

  test('Recreate ends every old pod before the first new one', async () => {
    create({ replicas: 2, strategy: { type: 'Recreate' } })
    await world.runAll()
    await edit((spec) => void (spec.template = template('web:2')))
    expect(world.pods().map((pod) => [pod.spec.containers[0]?.image, pod.metadata.deletionTimestamp !== undefined])).toEqual([
      ['web:1', true],
      ['web:1', true],
    ])
    await world.runAll()
    expect(world.pods().map((pod) => pod.spec.containers[0]?.image)).toEqual(['web:2', 'web:2'])
  })

  test('minReadySeconds delays availability by that time and no more', async () => {
    create({ replicas: 1, minReadySeconds: 30 })
    await world.runAll()
    expect(live().status).toMatchObject({ readyReplicas: 1, unavailableReplicas: 1 })
    await world.advance(30_000)
    expect(live().status).toMatchObject({ availableReplicas: 1 })
  })

  test('old ReplicaSets beyond the history limit go', async () => {
    create({ replicas: 1, revisionHistoryLimit: 1 })
    for (const version of [2, 3, 4]) {
      await world.runAll()
      await edit((spec) => void (spec.template = template(`web:${version}`)))
    }
    await world.runAll()
    expect(sets().map((set) => set.spec.template.spec.containers[0]?.image)).toEqual(['web:3', 'web:4'])
  })

  test('a pod that is lost is made again, and the rollout stays complete', async () => {
    create({ replicas: 2, progressDeadlineSeconds: 10 })
    await world.runAll()
    const lost = world.pods()[0]
    if (lost !== undefined) world.set(lost, 'Failed')
    await world.runAll()
    expect(world.pods().filter((pod) => pod.status?.phase === 'Running')).toHaveLength(2)
    expect(live().status?.availableReplicas).toBe(2)
  })

  test('a refused pod shows as ReplicaFailure with the refusal’s words', async () => {
    const creating = world.fake.create.bind(world.fake)
    world.fake.create = (resource, object, manager) => {
      if (resource.plural === 'pods') throw new Error('pods "web" is forbidden: no')
      return creating(resource, object, manager)
    }
    create({ replicas: 1 })
    await world.settle()
    expect(conditionOf(live().status?.conditions, 'ReplicaFailure')).toMatchObject({ status: 'True', reason: 'FailedCreate', message: 'pods "web" is forbidden: no' })
    world.fake.create = creating
    await world.advance(1_000)
    await world.runAll()
    expect(conditionOf(live().status?.conditions, 'ReplicaFailure')).toBeUndefined()
    expect(live().status?.availableReplicas).toBe(1)
  })
})
