import { describe, expect, test } from 'vitest'
import { digestOf } from '#lib/digest.ts'
import type { Json, JsonObject } from '#lib/json.ts'
import { effectsOf } from '#model/effects.ts'
import type { Held, Observation, Owner } from '#model/plan.ts'
import type { Desired } from '#model/resource.ts'
import { isEmpty, makePlan, planDigest, summary, type PlanInput, type PlannedModule } from './plan.ts'

const config = (name: string, data: JsonObject, line = 1): Desired => ({ key: `core/ConfigMap/shop/${name}`, body: { metadata: { name }, data }, origin: { repository: 'shop', file: `${name}.yaml`, line } })
const owner = (paths: string[], manager = 'plumbline'): Owner => ({ manager, operation: 'Apply', subresource: '', paths })
function live({ key, body }: Desired, more: Partial<Extract<Observation, { state: 'present' }>> = {}): Observation {
  return { key, state: 'present', uid: `u-${key}`, version: '1', body, owners: [owner(Object.keys(body['data'] as JsonObject).map((name) => `data.${name}`))], delegated: [], terminating: false, ...more }
}
const row = ({ key, body }: Desired, module: string): Held => ({
  place: 'c', key, uid: `u-${key}`, environment: 'prod', module, desired: digestOf(body), fields: Object.entries(body['data'] as JsonObject).map(([name, git]) => ({ path: `data.${name}`, git })), run: 'r',
})
const absent = ({ key }: Desired): Observation => ({ key, state: 'absent' })
const module = (name: string, desired: Desired[], observations: Observation[], more: Partial<PlannedModule> = {}): PlannedModule => ({
  name, track: 'declarative', driver: 'kubernetes', target: 'cluster', place: 'c', dependsOn: [], takeOver: false, desired, observations, ...more,
})
const input = (modules: PlannedModule[], held: Held[] = [], more: Partial<PlanInput> = {}): PlanInput => ({ environment: 'prod', snapshot: 's-1', modules, others: new Set(), declaredByOthers: [], held, ...more })

const a = config('a', { x: '1' })
const b = config('b', { x: '1' })
const old = config('old', { x: '1' })

describe('a plan', () => {
  test('in the order of modules, each with its effects', () => {
    const plan = makePlan(input([module('web', [a], [absent(a)], { dependsOn: ['api'] }), module('api', [b], [live(b), live(old)])], [row(b, 'api'), row(old, 'api')]))
    expect(plan.steps.map((step) => [step.module, step.waves.map((wave) => wave.map(({ key, action }) => `${action} ${key}`))])).toEqual([
      ['api', [['unchanged core/ConfigMap/shop/b'], ['deleted core/ConfigMap/shop/old']]],
      ['web', [['created core/ConfigMap/shop/a']]],
    ])
    expect(summary(plan)).toEqual({ created: 1, configured: 0, unchanged: 1, deleted: 1, skipped: 0, unknown: 0 })
    expect(isEmpty(plan)).toBe(false)
    expect(plan.unknown).toEqual([])
  })

  test('with nothing to do is empty, also where another owns what Git left alone', () => {
    expect(isEmpty(makePlan(input([module('web', [a], [live(a)])], [row(a, 'web')])))).toBe(true)
    const hotfix = live({ ...a, body: { data: { x: '9' } } }, { owners: [owner(['data.x'], 'kubectl')] })
    const plan = makePlan(input([module('web', [a], [hotfix])], [row(a, 'web')]))
    expect(isEmpty(plan)).toBe(true)
    expect(effectsOf(plan)[0]?.changes).toMatchObject([{ state: 'held', owner: 'kubectl' }])
    expect(isEmpty(makePlan(input([])))).toBe(true)
  })

  test('what could not be found out is told once, and the plan is not empty', () => {
    const failure = { code: 'kubernetes-unreachable', subject: 'cluster', message: 'no answer', retry: 'later' as const }
    const plan = makePlan(input([module('web', [a, b], [{ key: a.key, state: 'unknown', failure }, { key: b.key, state: 'unknown', failure }])]))
    expect(plan.unknown).toEqual([failure])
    expect(isEmpty(plan)).toBe(false)
    expect(makePlan(input([module('web', [a], [])])).unknown).toMatchObject([{ code: 'object-not-observed' }])
  })

  test('hands an object from one module to another: nothing is deleted, and it is not empty', () => {
    const plan = makePlan(input([module('from', [], [live(a)]), module('to', [a], [live(a)])], [row(a, 'from')]))
    expect(effectsOf(plan).map(({ module: name, action, handedOverFrom, why }) => ({ name, action, handedOverFrom, why }))).toEqual([
      { name: 'from', action: 'skipped', handedOverFrom: undefined, why: 'handed over to to' },
      { name: 'to', action: 'unchanged', handedOverFrom: 'from', why: 'handed over from from' },
    ])
    expect(isEmpty(plan)).toBe(false)
    const heirElsewhere = makePlan(input([module('from', [], [live(a)])], [row(a, 'from')], { declaredByOthers: [{ place: 'c', module: 'to', desired: a }] }))
    expect(effectsOf(heirElsewhere)).toMatchObject([{ action: 'skipped' }])
  })

  test('forgets what is gone already', () => {
    expect(isEmpty(makePlan(input([module('web', [], [absent(old)])], [row(old, 'web')])))).toBe(false)
  })

  test('deletes only what this module holds, here, in this environment', () => {
    const rows = [{ ...row(old, 'web'), environment: 'staging' }, { ...row(old, 'web'), place: 'd' }, row(old, 'other')]
    for (const held of rows) expect(effectsOf(makePlan(input([module('web', [], [live(old)])], [held])))).toEqual([])
  })

  test('an object that two modules declare is refused, also if one of them is not planned', () => {
    const code = expect.objectContaining({ code: 'object-declared-twice' })
    expect(() => makePlan(input([module('web', [a], []), module('api', [a], [])]))).toThrow(code)
    expect(() => makePlan(input([module('web', [a], [])], [], { declaredByOthers: [{ place: 'c', module: 'api', desired: a }] }))).toThrow(code)
    expect(() => makePlan(input([module('web', [a], [absent(a)]), module('api', [a], [absent(a)], { place: 'd' })]))).not.toThrow()
  })
})

describe('the digest of a plan', () => {
  const base = input([module('web', [a], [absent(a)]), module('api', [b], [live(b)])], [row(b, 'api')])
  const digest = (one: PlanInput): string => makePlan(one).digest

  test('covers what is done, and not the snapshot, the origins, or what stays as it is', () => {
    expect(digest({ ...base, snapshot: 's-2' })).toBe(digest(base))
    expect(digest({ ...base, modules: [module('web', [config('a', { x: '1' }, 9)], [absent(a)])] })).toBe(digest(base))
    expect(digest({ ...base, modules: [module('web', [config('a', { x: '2' })], [absent(a)])] })).not.toBe(digest(base))
    expect(digest({ ...base, modules: [module('web', [a], [absent(a)]), module('api', [], [live(b)])] })).not.toBe(digest(base))
  })

  test('does not tick with a yielded value, nor with how much a namespace contains', () => {
    const scaled = (value: Json): PlanInput => {
      const body = { spec: { replicas: value, image: 'a:1' } }
      const wanted: Desired = { key: 'apps/Deployment/shop/web', body: { spec: { replicas: 2, image: 'a:2' } }, origin: a.origin }
      const seen: Observation = { ...live(a), key: wanted.key, body, uid: 'u', owners: [owner(['spec.image']), owner(['spec.replicas'], 'hpa')], delegated: [{ path: 'spec.replicas', to: 'HPA' }] } as Observation
      const held: Held = { ...row(a, 'web'), key: wanted.key, uid: 'u', fields: [{ path: 'spec.image', git: 'a:1' }, { path: 'spec.replicas', git: 2 }] }
      return input([module('web', [wanted], [seen])], [held])
    }
    expect(effectsOf(makePlan(scaled(7)))).toMatchObject([{ action: 'configured', omit: ['spec.replicas'] }])
    expect(digest(scaled(7))).toBe(digest(scaled(8)))
    const namespace = (contents: number): PlanInput => input([module('web', [], [live(old, { contents })])], [row(old, 'web')])
    expect(digest(namespace(3))).toBe(digest(namespace(4)))
  })

  test('ticks with what holds data in a namespace that goes: that is approved by name', () => {
    const namespace = (...holdsData: string[]): PlanInput => input([module('web', [], [live(old, { contents: 4, holdsData })])], [row(old, 'web')])
    expect(effectsOf(makePlan(namespace('core/PersistentVolumeClaim/shop/db')))).toMatchObject([{ action: 'deleted', holdsData: ['core/PersistentVolumeClaim/shop/db'] }])
    expect(digest(namespace('core/PersistentVolumeClaim/shop/db'))).not.toBe(digest(namespace('core/PersistentVolumeClaim/shop/db', 'core/PersistentVolumeClaim/shop/new')))
  })

  test('ticks with every live value that an effect stands on', () => {
    const seen = (value: string): PlanInput => input([module('web', [config('a', { x: '2', y: '1' })], [live(config('a', { x: '1', y: value }))])], [row(config('a', { x: '1', y: '1' }), 'web')])
    expect(digest(seen('1'))).not.toBe(digest(seen('5')))
  })

  test('is the same whatever order the input comes in', () => {
    const all = ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => config(name, { x: name, y: '1' }))
    const modules = [0, 1, 2].map((n) => {
      const desired = all.slice(n * 2, n * 2 + 2)
      return module(`m${n}`, desired, desired.map((one, index) => (index === 0 ? absent(one) : live(one))), { dependsOn: n === 0 ? ['m2', 'm1'] : [] })
    })
    const held = all.map((one, index) => row({ ...one, body: { data: { x: 'old', y: '1', z: '0' } } }, `m${Math.floor(index / 2)}`))
    const first = makePlan(input(modules, held))
    expect(summary(first)).toMatchObject({ created: 3, configured: 3 })
    for (let turn = 1; turn <= 50; turn += 1) {
      const turned = <T>(list: readonly T[]): T[] => [...list.slice(turn % list.length), ...list.slice(0, turn % list.length)].toReversed()
      const shuffled = turned(modules).map((one) => ({ ...one, desired: turned(one.desired), observations: turned(one.observations), dependsOn: turned(one.dependsOn.length > 0 ? one.dependsOn : ['m9']).filter((name) => name !== 'm9') }))
      expect(makePlan(input(shuffled, turned(held)))).toEqual(first)
    }
    expect(planDigest(first.steps)).toBe(first.digest)
  })
})
