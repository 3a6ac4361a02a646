import { describe, expect, test } from 'vitest'
import { digestOf } from '#lib/digest.ts'
import type { JsonObject } from '#lib/json.ts'
import type { Held, Observation, Owner } from '#model/plan.ts'
import type { Desired } from '#model/resource.ts'
import { propose, type ProposeInput } from './propose.ts'
import { forgets, prune } from './prune.ts'

const key = 'core/ConfigMap/shop/web'
const body: JsonObject = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'web', namespace: 'shop' }, data: { a: '1', b: '2' } }
const desired: Desired = { key, body, origin: { repository: 'shop', file: 'web.yaml', line: 1 } }
const ours: Owner = { manager: 'plumbline', operation: 'Apply', subresource: '', paths: ['data.a', 'data.b'] }
const held: Held = { place: 'c', key, uid: 'u1', environment: 'prod', module: 'web', desired: digestOf(body), fields: [{ path: 'data.a', git: '1' }, { path: 'data.b', git: '2' }], run: 'r' }
const live = (more: Partial<Extract<Observation, { state: 'present' }>> = {}): Observation => ({ key, state: 'present', uid: 'u1', version: '5', body, owners: [ours], delegated: [], terminating: false, ...more })
const absent: Observation = { key, state: 'absent' }
const unknown: Observation = { key, state: 'unknown', failure: { code: 'kubernetes-unreachable', subject: 'c', message: 'no answer', retry: 'later' } }
const deferred: Observation = { key, state: 'deferred', reason: 'its kind is not served yet' }

function one(observation: Observation | undefined, row: Held | undefined, more: Partial<ProposeInput> = {}) {
  const [effect] = propose({
    module: 'web',
    environment: 'prod',
    takeOver: false,
    desired: [desired],
    held: new Map(row === undefined ? [] : [[key, row]]),
    observations: new Map(observation === undefined ? [] : [[key, observation]]),
    ...more,
  })
  return effect!
}
const added = [{ path: 'data.a', state: 'added', to: '1' }, { path: 'data.b', state: 'added', to: '2' }]

describe('a desired object', () => {
  test('unknown stays unknown, also where nobody looked', () => {
    for (const seen of [unknown, undefined]) for (const row of [held, undefined]) {
      const effect = one(seen, row)
      expect(effect).toMatchObject({ action: 'unknown', changes: [], force: false })
      expect(effect.sealed).toBeUndefined()
    }
  })
  test('absent: created, sealed as absent', () => {
    expect(one(absent, undefined)).toMatchObject({ action: 'created', changes: added, sealed: { uid: null, paths: [] }, desired: digestOf(body), omit: [], force: false })
    expect(one(absent, undefined).why).toBeUndefined()
  })
  test('absent, though we hold it: created again, whole, and it is said why', () => {
    const marked = { ...held, fields: [{ path: 'data.a', git: '1', mark: 'yielded' as const }] }
    expect(one(absent, marked)).toMatchObject({ action: 'created', changes: added, omit: [], why: expect.stringMatching(/somebody deleted it/) })
  })
  test('deferred: created later, not sealed', () => {
    const effect = one(deferred, undefined)
    expect(effect).toMatchObject({ action: 'created', changes: added, deferred: 'its kind is not served yet' })
    expect(effect.sealed).toBeUndefined()
  })
  test('as it should be: unchanged', () => {
    expect(one(live(), held)).toMatchObject({ action: 'unchanged', changes: [], omit: [], sealed: { uid: 'u1', paths: [] } })
  })
  test('changed in Git: configured, sealed with every path that is sent', () => {
    const before = { ...held, fields: [{ path: 'data.a', git: '0' }, { path: 'data.b', git: '2' }] }
    expect(one(live({ body: { data: { a: '0', b: '2' } } }), before)).toMatchObject({
      action: 'configured',
      changes: [{ path: 'data.a', state: 'changed', from: '0', to: '1' }],
      sealed: { uid: 'u1', paths: [{ path: 'data.a', live: '0', owners: ['plumbline'] }, { path: 'data.b', live: '2', owners: ['plumbline'] }] },
    })
  })
  test('exists and is not ours: refused, with its owners and the way out, even if our manager owns its fields', () => {
    for (const owners of [[{ ...ours, manager: 'helm' }], [ours], []]) {
      expect(one(live({ owners }), undefined).refused).toMatchObject({ code: 'object-exists', hint: expect.stringMatching(/takeOver: true/) })
    }
    expect(one(live({ owners: [{ ...ours, manager: 'helm' }] }), undefined).refused?.message).toMatch(/owned by helm/)
  })
  test('exists, and the module takes over: every field is shown with its owner; force only where a value is taken', () => {
    const helm = { ...ours, manager: 'helm', paths: ['data.a', 'data.b'] }
    const effect = one(live({ body: { data: { a: '9', b: '2' } }, owners: [helm] }), undefined, { takeOver: true })
    expect(effect).toMatchObject({
      action: 'configured',
      force: true,
      why: expect.stringMatching(/taken over/),
      changes: [{ path: 'data.a', state: 'taken', from: '9', to: '1', owner: 'helm' }, { path: 'data.b', state: 'taken', from: '2', to: '2', owner: 'helm' }],
    })
    expect(effect.refused).toBeUndefined()
    expect(one(live({ owners: [helm] }), undefined, { takeOver: true })).toMatchObject({ action: 'configured', force: false })
    expect(one(live(), undefined, { takeOver: true })).toMatchObject({ action: 'configured', force: false, changes: [] })
  })
  test('made again by somebody: refused; with takeOver as one that exists', () => {
    expect(one(live({ uid: 'u2' }), held).refused).toMatchObject({ code: 'object-recreated', message: expect.stringMatching(/was u1 and is u2/) })
    expect(one(live({ uid: 'u2', body: { data: { a: '9' } } }), held, { takeOver: true })).toMatchObject({ action: 'configured', sealed: { uid: 'u2' }, changes: [{ path: 'data.a', state: 'taken' }, { path: 'data.b', state: 'added' }] })
  })
  test('being deleted: refused, to be tried later', () => {
    for (const row of [held, undefined]) expect(one(live({ terminating: true }), row)).toMatchObject({ action: 'skipped', refused: { code: 'object-terminating', retry: 'later' } })
  })
  test('held by another module: handed over, compared with what that module declared', () => {
    expect(one(live(), { ...held, module: 'old' })).toMatchObject({ action: 'unchanged', handedOverFrom: 'old', changes: [] })
  })
  test('held for another environment on the same cluster: refused with both names', () => {
    const { refused } = one(live(), { ...held, environment: 'staging', module: 'web' }, { takeOver: true })
    expect(refused).toMatchObject({ code: 'object-held-elsewhere', message: expect.stringMatching(/staging.*prod/) })
  })
})

describe('an object that Git no longer declares', () => {
  const gone = (observation: Observation | undefined, heir?: string) =>
    prune({ module: 'web', held: [held], observations: new Map(observation === undefined ? [] : [[key, observation]]), declaredBy: () => heir })[0]!
  test('is deleted by its UID, and by nothing else', () => {
    expect(gone(live())).toMatchObject({ action: 'deleted', sealed: { uid: 'u1', paths: [] }, changes: [], holdsState: false })
    expect(gone(live()).desired).toBeUndefined()
  })
  test('is never deleted on a guess', () => {
    expect(gone(unknown).action).toBe('unknown')
    expect(gone(undefined).action).toBe('unknown')
    expect(forgets(gone(unknown))).toBe(false)
  })
  test('stays with the module that declares it now', () => {
    const effect = gone(live(), 'other')
    expect(effect).toMatchObject({ action: 'skipped', why: 'handed over to other' })
    expect(forgets(effect)).toBe(false)
  })
  test('is not ours if its UID is another; the inventory forgets ours', () => {
    const effect = gone(live({ uid: 'u2' }))
    expect(effect).toMatchObject({ action: 'skipped', sealed: { uid: 'u2' } })
    expect(forgets(effect)).toBe(true)
  })
  test('that is gone already is forgotten', () => {
    expect(gone(absent)).toMatchObject({ action: 'unchanged', sealed: { uid: null } })
    expect(forgets(gone(absent))).toBe(true)
  })
  test('that is being deleted stays in the inventory until it is gone', () => {
    expect(gone(live({ terminating: true })).action).toBe('skipped')
    expect(forgets(gone(live({ terminating: true })))).toBe(false)
  })
  test('whose kind is not served is decided when it is reached', () => {
    expect(gone(deferred)).toMatchObject({ action: 'deleted', deferred: 'its kind is not served yet' })
  })
  test.each([
    ['core/PersistentVolumeClaim/shop/db', {}, true],
    ['postgresql.cnpg.io/Cluster/shop/db', {}, true],
    ['kafka.strimzi.io/KafkaTopic/shop/orders', {}, true],
    ['apps/StatefulSet/shop/db', {}, false],
    ['apps/StatefulSet/shop/db', { spec: { persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Delete' } } }, true],
    ['example.dev/Cluster/shop/db', {}, false],
  ] as const)('%s with %o holds data: %s', (other, content, holds) => {
    const seen = { ...live({ body: content as JsonObject }), key: other } as Observation
    expect(prune({ module: 'web', held: [{ ...held, key: other }], observations: new Map([[other, seen]]), declaredBy: () => undefined })[0]?.holdsState).toBe(holds)
  })
  test('a namespace tells how much it contains, where that was counted', () => {
    expect(gone(live({ contents: 12 })).contents).toBe(12)
    expect(gone(live()).contents).toBeUndefined()
  })
})
