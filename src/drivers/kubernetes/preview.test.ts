import { afterAll, beforeAll, expect, test } from 'vitest'
import type { JsonObject } from '#lib/json.ts'
import { desiredOf, kubernetesPlace, type KubernetesPlace } from '../../../test/kubernetes-place.ts'
import { trial } from '../../../test/trial.ts'
import { kubernetes } from './kubernetes.ts'

let place: KubernetesPlace
let on: ReturnType<typeof trial>
beforeAll(async () => {
  place = await kubernetesPlace()
  on = trial(kubernetes, place.call)
})
afterAll(async () => place?.stop())

const configMap = (name: string, data: JsonObject, namespace = place.namespace) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace }, data })

test('what the server refuses is said in its words, before anything is applied', async () => {
  const desired = [desiredOf(configMap('good', { a: '1' })), desiredOf(configMap('bad', { a: 1 })), desiredOf({ ...configMap('odd', {}), bogus: true })]
  const previewed = await kubernetes.preview(place.call, await on.plan(desired), desired)
  expect(previewed.map(({ key, refused }) => [key.split('/').at(-1), refused?.code])).toEqual([['good', undefined], ['bad', 'kubernetes-refused'], ['odd', 'kubernetes-refused']].sort())
  expect((await on.observe(desired)).map(({ state }) => state)).toEqual(['absent', 'absent', 'absent'])
})

test('only what changes something is asked about', async () => {
  const desired = [desiredOf(configMap('same', { a: '1' })), desiredOf(configMap('other', { a: '1' }))]
  const held = await on.deliver(desired)
  const changed = [desired[0], desiredOf(configMap('other', { a: '2' }))].filter((one) => one !== undefined)
  const effects = await on.plan(changed, held)
  const before = place.cluster.requests?.().length ?? 0
  await kubernetes.preview(place.call, effects, changed)
  const asked = (place.cluster.requests?.() ?? []).slice(before).filter(({ method }) => method !== 'GET').map(({ method, path }) => `${method} ${path.split('?')[0]?.split('/').at(-1)}`)
  expect(asked).toEqual(place.cluster.requests === undefined ? [] : ['PATCH other'])
})

test('an object whose namespace comes with the plan cannot be asked about yet, and is not refused for that', async () => {
  const fresh = `${place.namespace}-fresh`
  const desired = [desiredOf({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: fresh } }), desiredOf(configMap('inside', { a: '1' }, fresh))]
  const previewed = await kubernetes.preview(place.call, await on.plan(desired), desired)
  expect(previewed.map(({ payload, refused }) => ({ payload, refused }))).toEqual([{ payload: undefined, refused: undefined }, { payload: { previewed: false }, refused: undefined }])
  // So it is where the namespace comes with another module.
  const [alone] = await kubernetes.preview(place.call, await on.plan(desired.slice(1)), desired)
  expect(alone).toMatchObject({ payload: { previewed: false } })
})

test('a conflict that nobody has agreed to is refused, with the field and its owner', async () => {
  const desired = desiredOf(configMap('contested', { a: '1' }))
  const held = await on.deliver([desired])
  await place.write(configMap('contested', { a: '2' }), 'kubectl-edit')
  const changed = desiredOf(configMap('contested', { a: '3' }))
  const [effect] = await on.plan([changed], held)
  if (effect === undefined) throw new Error('no effect')
  expect(await kubernetes.preview(place.call, [effect], [changed])).toMatchObject([{ force: true }])
  const [refused] = await kubernetes.preview(place.call, [{ ...effect, force: false }], [changed])
  expect(refused?.refused).toMatchObject({ code: 'field-conflict', fields: { conflicts: [{ path: 'data.a', manager: 'kubectl-edit' }] } })
})

test('what changed between being observed and being previewed is told to be planned again', async () => {
  const desired = desiredOf(configMap('raced', { a: '1' }))
  const effects = await on.plan([desired])
  await place.write(configMap('raced', { a: '2' }))
  expect(await kubernetes.preview(place.call, effects, [desired])).toMatchObject([{ refused: { code: 'object-moved' } }])
})

test('a cluster that cannot be asked has no preview', async () => {
  const desired = desiredOf(configMap('lost', { a: '1' }))
  await expect(kubernetes.preview(place.unreachable, await on.plan([desired]), [desired])).rejects.toMatchObject({ code: 'kubernetes-unreachable' })
})
