import { afterAll, beforeAll, expect, test } from 'vitest'
import { kubernetes } from '#drivers/kubernetes/kubernetes.ts'
import type { Effect } from '#model/plan.ts'
import { desiredOf, kubernetesPlace, type KubernetesPlace } from '../../test/kubernetes-place.ts'
import type { ModuleIntent } from './render-run.ts'
import { sealDeferred } from './seal-deferred.ts'
import type { Bound, Work } from './work.ts'

let place: KubernetesPlace
beforeAll(async () => {
  place = await kubernetesPlace()
})
afterAll(async () => place?.stop())

const configMap = (name: string, a: string) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: place.namespace }, data: { a } })
const work = { run: { environment: 'dev', snapshot: 'snapshot' }, parts: { sql: { query: async () => [] } } } as unknown as Work

/** An effect that was deferred is reached: what it turns out to be. */
function reached(name: string, spec: { takeOver?: boolean } = {}): Promise<Effect> {
  const desired = desiredOf(configMap(name, 'ours'))
  const bound = { driver: kubernetes, call: place.call, target: 'cluster', place: async () => 'place' } as unknown as Bound
  const intent = { name: 'shop', desired: [desired], shown: [kubernetes.declare(place.call, 'shop', desired)], config: { spec } } as unknown as ModuleIntent
  return sealDeferred(work, bound, intent, { key: desired.key, module: 'shop', action: 'created', deferred: 'its kind is not served yet' } as unknown as Effect)
}

test('what is not there yet is sealed as a creation', async () => {
  expect(await reached('new')).toMatchObject({ action: 'created', sealed: { uid: null } })
})

test('what somebody made meanwhile is not taken: nobody has approved that', async () => {
  await place.write(configMap('theirs', 'theirs'))
  await expect(reached('theirs')).rejects.toMatchObject({ code: 'object-exists' })
  await expect(reached('theirs', { takeOver: true })).rejects.toMatchObject({ code: 'deferred-refused', subject: expect.stringContaining('theirs'), hint: 'Deliver again: plumb deploy -e dev -m shop', retry: 'later' })
  expect(await place.read(configMap('theirs', ''))).toMatchObject({ data: { a: 'theirs' } })
})
