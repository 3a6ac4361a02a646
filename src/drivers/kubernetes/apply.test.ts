import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { JsonObject } from '#lib/json.ts'
import type { Effect, Held } from '#model/plan.ts'
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

const configMap = (name: string, data: JsonObject, metadata: JsonObject = {}) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: place.namespace, ...metadata }, data })
const deployment = (name: string, replicas: number, image = 'app:1') => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name, namespace: place.namespace },
  spec: { replicas, selector: { matchLabels: { app: name } }, template: { metadata: { labels: { app: name } }, spec: { containers: [{ name: 'main', image, ports: [{ containerPort: 80 }] }] } } },
})
const only = async (body: JsonObject, held: readonly Held[] = []): Promise<Effect> => (await on.plan([desiredOf(body)], held))[0] as Effect
const fieldsOf = (rows: readonly Held[]) => rows[0]?.fields ?? []

describe('an apply', () => {
  test('makes the object ours, with the label of its module, and says what the server made of each field', async () => {
    const rows = await on.deliver([desiredOf(deployment('made', 2))])
    expect(rows[0]?.uid).toMatch(/-/)
    expect(fieldsOf(rows)).toEqual(expect.arrayContaining([{ path: 'metadata.labels["plumbline.dev/module"]', git: 'trial' }, { path: 'spec.replicas', git: 2 }]))
    const live = await place.read(deployment('made', 2))
    expect(live).toMatchObject({ metadata: { labels: { 'plumbline.dev/module': 'trial' } }, spec: { replicas: 2 } })
    expect(await on.plan([desiredOf(deployment('made', 2))], rows)).toMatchObject([{ action: 'unchanged', changes: [] }])
  })

  test('sends what Git changed, and gives up what Git no longer says', async () => {
    const first = await on.deliver([desiredOf(configMap('changed', { a: '1', b: '2' }))])
    const second = configMap('changed', { a: '3' })
    expect((await only(second, first)).changes).toEqual([
      { path: 'data.a', state: 'changed', to: '3', from: '1' },
      { path: 'data.b', state: 'removed', from: '2' },
    ])
    const rows = await on.deliver([desiredOf(second)], first)
    expect((await place.read(second))?.['data']).toEqual({ a: '3' })
    expect(fieldsOf(rows).map(({ path }) => path)).toEqual(['data.a', 'metadata.labels["plumbline.dev/module"]'])
  })

  test('of what the server drops says that it answered nothing, and is not sent again', async () => {
    const first = await on.deliver([desiredOf(configMap('emptied', { a: '1' }))])
    const empty = [desiredOf(configMap('emptied', {}))]
    const rows = await on.deliver(empty, first)
    expect(fieldsOf(rows)).toContainEqual({ path: 'data', git: {}, answered: null })
    expect(await on.plan(empty, rows)).toMatchObject([{ action: 'unchanged' }])
  })

  test('leaves out what another took over, keeps it as it is, and marks it', async () => {
    const first = await on.deliver([desiredOf(configMap('taken', { a: '1', b: '2' }))])
    await place.write(configMap('taken', { a: 'hotfix' }), 'kubectl-edit')
    const second = configMap('taken', { a: '1', b: '3' })
    const effect = await only(second, first)
    expect(effect).toMatchObject({ action: 'configured', omit: ['data.a'], force: false })
    const rows = await on.deliver([desiredOf(second)], first)
    expect((await place.read(second))?.['data']).toEqual({ a: 'hotfix', b: '3' })
    expect(fieldsOf(rows)).toEqual(expect.arrayContaining([{ path: 'data.a', git: '1', mark: 'held' }, { path: 'data.b', git: '3' }]))
    expect(await on.plan([desiredOf(second)], rows)).toMatchObject([{ action: 'unchanged' }])
  })

  test('without force reports the fields that another owns, and writes nothing', async () => {
    const first = await on.deliver([desiredOf(configMap('contested', { a: '1' }))])
    await place.write(configMap('contested', { a: 'hotfix' }), 'kubectl-edit')
    const second = configMap('contested', { a: '2' })
    const effect = await only(second, first)
    expect(effect).toMatchObject({ force: true, changes: [{ path: 'data.a', state: 'contested', owner: 'kubectl-edit' }] })
    const outcome = await on.apply({ ...effect, force: false }, [desiredOf(second)], first)
    expect(outcome).toMatchObject({ state: 'conflict', conflicts: [{ path: 'data.a', manager: 'kubectl-edit' }], failure: { code: 'field-conflict' } })
    expect((await place.read(second))?.['data']).toEqual({ a: 'hotfix' })
    expect(await on.apply(effect, [desiredOf(second)], first)).toMatchObject({ state: 'applied' })
    expect((await place.read(second))?.['data']).toEqual({ a: '2' })
  })

  test('of what somebody else made between our read and our write is told to have moved, whichever the server minds first', async () => {
    const body = configMap('raced', { a: '1' })
    const effect = await only(body)
    const assertLease = async () => void (await place.write(configMap('raced', { a: '2' })))
    expect(await on.apply(effect, [desiredOf(body)], [], { assertLease })).toEqual({ state: 'moved', what: 'the object exists by now; it did not when this was planned' })
    expect((await place.read(body))?.['data']).toEqual({ a: '2' })
  })

  test('takes over what exists only where the plan says so, field by field', async () => {
    const body = configMap('foreign', { a: 'mine' })
    await place.write(configMap('foreign', { a: 'theirs', other: 'kept' }), 'kubectl')
    const refused = await only(body)
    expect(refused.refused?.code).toBe('object-exists')
    expect(await on.apply(refused, [desiredOf(body)])).toMatchObject({ state: 'refused', failure: { code: 'object-exists' } })
    await on.deliver([desiredOf(body)], [], true)
    expect((await place.read(body))?.['data']).toEqual({ a: 'mine', other: 'kept' })
  })

  test('of what the server does not accept is refused, with the server\'s words', async () => {
    const bad = configMap('Not_A_Name', { a: '1' })
    const effect = await only(bad)
    expect(await on.apply(effect, [desiredOf(bad)])).toMatchObject({ state: 'refused', failure: { code: 'kubernetes-refused' } })
    const lost = { ...configMap('lost', {}), metadata: { name: 'lost', namespace: `${place.namespace}-none` } }
    expect(await on.apply(await only(lost), [desiredOf(lost)])).toMatchObject({ state: 'refused', failure: { code: 'kubernetes-not-found' } })
  })

  test('keeps a Secret\'s values to itself', async () => {
    const canary = 'correct-horse-battery'
    const secret = (text: string) => ({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'hidden', namespace: place.namespace }, stringData: { url: text } })
    const effects = await on.plan([desiredOf(secret(canary))])
    const rows = await on.deliver([desiredOf(secret(canary))])
    const seen = await on.observe([desiredOf(secret(canary))], rows)
    for (const text of [canary, Buffer.from(canary).toString('base64')]) expect(JSON.stringify([effects, rows, seen])).not.toContain(text)
    expect((await place.read(secret(canary)))?.['data']).toEqual({ url: Buffer.from(canary).toString('base64') })
    expect(await on.plan([desiredOf(secret(canary))], rows)).toMatchObject([{ action: 'unchanged' }])
    expect(await on.plan([desiredOf(secret('another'))], rows)).toMatchObject([{ action: 'configured' }])
    const after = await on.deliver([desiredOf(secret('another'))], rows)
    expect(await on.plan([desiredOf(secret('another'))], after)).toMatchObject([{ action: 'unchanged' }])
  })
})

describe('a deletion', () => {
  test('that a finalizer holds is terminating, and is not sent twice', async () => {
    const body = configMap('held', { a: '1' }, { finalizers: ['plumbline.dev/test'] })
    const rows = await on.deliver([desiredOf(body)])
    const [effect] = await on.plan([], rows) as [Effect]
    expect(effect.action).toBe('deleted')
    expect(await on.apply(effect, [])).toEqual({ state: 'terminating', uid: rows[0]?.uid })
    const writes = place.writes?.()
    expect(await on.apply(effect, [])).toEqual({ state: 'terminating', uid: rows[0]?.uid })
    expect(await kubernetes.recover(place.call, effect, undefined, undefined)).toMatchObject({ state: 'terminating' })
    expect(place.writes?.()).toBe(writes)
    // What is being deleted takes no apply either.
    expect(await on.plan([desiredOf(body)], rows)).toMatchObject([{ refused: { code: 'object-terminating' } }])
    await place.write(configMap('held', { a: '1' }), 'plumbline')
    expect(await place.read(body)).toBeUndefined()
  })
})

test('an effect that was not sealed is refused', async () => {
  const body = configMap('unsealed', { a: '1' })
  const { sealed: _, ...effect } = await only(body)
  expect(await on.apply(effect as Effect, [desiredOf(body)])).toMatchObject({ state: 'refused', failure: { code: 'effect-not-sealed' } })
  expect(await place.read(body)).toBeUndefined()
})

test('a write whose answer is lost is unknown, and is recovered by reading', async ({ skip }) => {
  const { inject } = place.cluster
  if (inject === undefined) return skip('only an embedded cluster can drop a connection on purpose')
  const body = configMap('dropped', { a: '1' })
  const effect = await only(body)
  inject({ times: 1, method: 'PATCH', path: '/configmaps/dropped', answer: 'drop' })
  expect(await on.apply(effect, [desiredOf(body)])).toMatchObject({ state: 'unknown', failure: { code: 'kubernetes-unreachable' } })
  const recovered = await kubernetes.recover(place.call, effect, desiredOf(body), undefined)
  expect(recovered.state).toBe((await place.read(body)) === undefined ? 'not-applied' : 'applied')
})

test('429 is waited out, and what was sealed is then applied once', async ({ skip }) => {
  const { inject } = place.cluster
  if (inject === undefined) return skip('only an embedded cluster can push back on purpose')
  const body = configMap('pushed', { a: '1' })
  const effect = await only(body)
  inject({ times: 1, method: 'PATCH', path: '/configmaps/pushed', answer: '429', retryAfterSeconds: 1 })
  expect(await on.apply(effect, [desiredOf(body)])).toMatchObject({ state: 'applied', action: 'created' })
})
