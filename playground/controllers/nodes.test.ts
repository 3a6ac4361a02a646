import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { conditionOf } from './conditions.ts'
import { claims, events, nodes, pods, type NodeObject, type Pod, type PodSpec, type Taint } from './kinds.ts'
import { isAskedFor, tolerates, whyNot } from './node-fit.ts'
import { nodeTaintsController } from './node-taints.ts'
import { taintEvictionController } from './taint-eviction.ts'
import { World } from './world.ts'
import { schedule } from '#playground/pods/scheduler.ts'

const taint: Taint = { key: 'k', value: 'v', effect: 'NoSchedule' }

test.each([
  [{ key: 'k', value: 'v', effect: 'NoSchedule' }, true],
  [{ key: 'k', value: 'v' }, true],
  [{ key: 'k', operator: 'Exists' }, true],
  [{ operator: 'Exists' }, true],
  [{ key: 'k', value: 'w' }, false],
  [{ key: 'k' }, false],
  [{ key: 'l', operator: 'Exists' }, false],
  [{ key: 'k', operator: 'Exists', effect: 'NoExecute' }, false],
] as const)('a toleration %o of a taint: %s', (toleration, expected) => {
  expect(tolerates(toleration, taint)).toBe(expected)
})

test.each([
  [{ key: 'zone', operator: 'In', values: ['a', 'b'] }, true],
  [{ key: 'zone', operator: 'NotIn', values: ['a'] }, false],
  [{ key: 'rack', operator: 'NotIn', values: ['a'] }, true],
  [{ key: 'size', operator: 'Gt', values: ['2'] }, true],
  [{ key: 'size', operator: 'Lt', values: ['2'] }, false],
  [{ key: 'rack', operator: 'Gt', values: ['2'] }, false],
] as const)('a node affinity %o: %s', (expression, expected) => {
  const node = { metadata: { name: 'n', labels: { zone: 'a', size: '3' } }, spec: {} } as unknown as NodeObject
  const pod = (term: object): PodSpec => ({ containers: [], affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [term] } } } })
  expect(isAskedFor(pod({ matchExpressions: [expression] }), node)).toBe(expected)
  expect(isAskedFor(pod({}), node)).toBe(false)
  expect(isAskedFor(pod({ matchFields: [{ key: 'metadata.name', operator: 'In', values: ['n'] }] }), node)).toBe(true)
})

describe('with nodes', () => {
  let world: World
  beforeEach(() => {
    world = new World()
  })
  afterEach(() => world.stop())

  const ready = { conditions: [{ type: 'Ready', status: 'True' }] }
  const node = (name: string, spec: NodeObject['spec'] = {}, status: object = ready): unknown => world.objects.create(nodes, { metadata: { name, labels: { name } }, spec, status }, 'test')
  const pod = (name: string, spec: Partial<PodSpec> = {}): Pod => world.objects.create(pods, { metadata: { namespace: 'shop', name }, spec: { containers: [], ...spec } }, 'test')
  const taintsOf = (name: string): unknown => world.objects.get(nodes, '', name)?.spec.taints
  const told = (name: string): unknown[] => world.objects.list(events, 'shop').filter((event) => (event['involvedObject'] as { name: string }).name === name).map((event) => event['message'])

  // The words of a kube-scheduler 1.36.3.
  const help = 'no new claims to deallocate, preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling.'
  test.each([
    [{}, `0/2 nodes are available: 1 node(s) had untolerated taint(s), 1 node(s) were unschedulable. ${help}`],
    [{ nodeSelector: { name: 'b' }, tolerations: [{ key: 'k', operator: 'Exists' as const }] }, 'b'],
    [{ nodeSelector: { name: 'c' }, tolerations: [{ operator: 'Exists' as const }] }, `0/2 nodes are available: 2 node(s) didn't match Pod's node affinity/selector. ${help}`],
    [{ tolerations: [{ key: 'node.kubernetes.io/unschedulable', operator: 'Exists' as const }] }, 'a'],
    [{ volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'none' } }] }, '0/2 nodes are available: persistentvolumeclaim "none" not found. not found'],
    [{ volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'open' } }] }, '0/2 nodes are available: pod has unbound immediate PersistentVolumeClaims. not found'],
  ])('a pod %j: %s', (spec, expected) => {
    node('a', { unschedulable: true })
    node('b', { taints: [taint, { key: 'soft', effect: 'PreferNoSchedule' }] })
    world.objects.create(claims, { metadata: { namespace: 'shop', name: 'open' }, spec: {} }, 'test')
    const made = pod('p', spec)
    schedule(world.context, made)
    schedule(world.context, made)
    const live = world.pods()[0]
    const why = conditionOf(live?.status?.conditions, 'PodScheduled')
    expect(live?.spec.nodeName ?? why?.message).toBe(expected)
    if (live?.spec.nodeName !== undefined) return
    expect(why).toMatchObject({ status: 'False', reason: 'Unschedulable', observedGeneration: 1 })
    expect(world.objects.list(events, 'shop')).toMatchObject([{ reason: 'FailedScheduling', message: expected, count: 1, source: { component: 'default-scheduler' } }])
  })

  test('a pod of another scheduler is left to it, and one without any node waits', () => {
    schedule(world.context, pod('p'))
    expect(told('p')).toEqual(['no nodes available to schedule pods'])
    node('a')
    schedule(world.context, pod('other', { schedulerName: 'mine' }))
    schedule(world.context, pod('gated', { schedulingGates: [{ name: 'a.b/c' }] }))
    expect([told('other'), world.pods().map(({ spec }) => spec.nodeName)]).toEqual([[], [undefined, undefined, undefined]])
  })

  test('a node that is cordoned or not ready is tainted for as long', async () => {
    node('a', { taints: [taint] })
    node('b', {}, {})
    world.start(nodeTaintsController)
    await world.settle()
    expect([taintsOf('a'), taintsOf('b')]).toEqual([[taint], [{ key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule', timeAdded: '2026-01-01T00:00:00Z' }]])
    world.objects.edit(nodes, { name: 'a' }, 'object', 'test', ({ spec }) => void (spec.unschedulable = true))
    world.objects.edit(nodes, { name: 'b' }, 'status', 'test', (object) => void (object.status = ready as NonNullable<NodeObject['status']>))
    await world.settle()
    expect([taintsOf('a'), taintsOf('b')]).toEqual([[taint, { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule', timeAdded: '2026-01-01T00:00:00Z' }], undefined])
    expect(whyNot({ containers: [], tolerations: [{ key: 'k', operator: 'Exists' }] }, world.objects.get(nodes, '', 'a') as NodeObject)).toBe('node(s) were unschedulable')
  })

  test('a NoExecute taint deletes what does not bear it, or bears it no longer', async () => {
    node('a')
    const bears = (tolerationSeconds?: number) => ({ nodeName: 'a', tolerations: [{ key: 'k', operator: 'Exists' as const, ...(tolerationSeconds === undefined ? {} : { effect: 'NoExecute' as const, tolerationSeconds }) }] })
    for (const [name, spec] of Object.entries({ always: bears(), minute: bears(60), never: { nodeName: 'a' } })) pod(name, spec)
    world.start(taintEvictionController)
    const put = async (effect?: Taint['effect']): Promise<string[]> => {
      world.objects.edit(nodes, { name: 'a' }, 'object', 'test', ({ spec }) => void (spec.taints = effect === undefined ? [] : [{ key: 'k', effect }]))
      await world.settle()
      return world.pods().filter(({ metadata }) => metadata.deletionTimestamp === undefined).map(({ metadata }) => metadata.name)
    }
    expect(await put('NoSchedule')).toEqual(['always', 'minute', 'never'])
    expect(await put('NoExecute')).toEqual(['always', 'minute'])
    expect([told('never'), conditionOf(world.objects.get(pods, 'shop', 'never')?.status?.conditions, 'DisruptionTarget')]).toMatchObject([['Marking for deletion Pod shop/never'], { reason: 'DeletionByTaintManager' }])
    await put()
    expect(told('minute')).toEqual(['Cancelling deletion of Pod shop/minute'])
    await put('NoExecute')
    await world.advance(59_000)
    expect(await put('NoExecute')).toEqual(['always', 'minute'])
    await world.advance(1_000)
    expect(await put('NoExecute')).toEqual(['always'])
  })
})
