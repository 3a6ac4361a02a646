import { describe, expect, test } from 'vitest'
import { digestOf } from '#lib/digest.ts'
import { effectsOf } from '#model/effects.ts'
import type { Held, Observation } from '#model/plan.ts'
import type { Desired } from '#model/resource.ts'
import type { Doubts } from './doubts.ts'
import { contested } from './duplicates.ts'
import { isEmpty, makePlan, type PlannedModule } from './plan.ts'
import { forgets } from './prune.ts'

const a: Desired = { key: 'core/ConfigMap/shop/a', body: { metadata: { name: 'a' }, data: { x: '1' } }, origin: { repository: 'shop', file: 'a.yaml', line: 1 } }
const row: Held = { place: 'c', key: a.key, uid: 'u', environment: 'prod', module: 'from', desired: digestOf(a.body), fields: [{ path: 'data.x', git: '1' }], run: 'r' }
const live: Observation = { key: a.key, state: 'present', uid: 'u', version: '1', body: a.body, owners: [{ manager: 'plumbline', operation: 'Apply', subresource: '', paths: ['data.x'] }], delegated: [], terminating: false }
const module = (name: string, desired: Desired[], seen: Observation): PlannedModule => ({ name, track: 'declarative', driver: 'kubernetes', target: 'cluster', place: 'c', dependsOn: [], takeOver: false, desired, observations: [seen] })
const planned = (one: PlannedModule, doubts: Partial<Doubts> = {}) =>
  makePlan({ environment: 'prod', snapshot: 's', modules: [one], others: new Set(), declaredByOthers: [], held: [row], doubts: { mayDeclare: () => undefined, mayKeep: () => undefined, ...doubts } })

describe('while a module cannot be read', () => {
  const mayDeclare: Doubts['mayDeclare'] = (place, key) => (place === 'c' && key === a.key ? 'the module to, which cannot be rendered' : undefined)

  test('what it may declare is not deleted: it stays in the inventory, and it is said why', () => {
    for (const seen of [live, { key: a.key, state: 'deferred', reason: 'not served' } satisfies Observation]) {
      const plan = planned(module('from', [], seen), { mayDeclare })
      const [effect] = effectsOf(plan)
      expect(effect).toMatchObject({ action: 'skipped', left: { code: 'prune-unsure', retry: 'later', message: expect.stringContaining('the module to, which cannot be rendered') } })
      expect(effect && forgets(effect)).toBe(false)
      expect(isEmpty(plan)).toBe(true)
      expect(effectsOf(planned(module('from', [], seen)))).toMatchObject([{ action: 'deleted' }])
    }
  })

  test('what is gone, or is another’s object by now, is forgotten all the same', () => {
    expect(effectsOf(planned(module('from', [], { key: a.key, state: 'absent' }), { mayDeclare }))).toMatchObject([{ action: 'unchanged' }])
    const [other] = effectsOf(planned(module('from', [], { ...live, uid: 'v' }), { mayDeclare }))
    expect(other && forgets(other)).toBe(true)
  })

  test('what it holds is handed over to nobody, and both modules are named', () => {
    const mayKeep: Doubts['mayKeep'] = (holder, heir) => (holder === 'from' && heir === 'to' ? 'the module from, which cannot be rendered' : undefined)
    expect(effectsOf(planned(module('to', [a], live), { mayKeep }))).toMatchObject([{ action: 'skipped', refused: { code: 'hand-over-unsure', retry: 'later', message: expect.stringMatching(/held by from.*to/), fields: { modules: ['from', 'to'] } } }])
    expect(effectsOf(planned(module('to', [a], live)))).toMatchObject([{ action: 'unchanged', handedOverFrom: 'from' }])
  })
})

test('what is being deleted already is left, and asked for again', () => {
  expect(effectsOf(planned(module('from', [], { ...live, terminating: true })))).toMatchObject([{ action: 'skipped', left: { code: 'object-terminating', retry: 'later' } }])
})

describe('an object that several modules declare', () => {
  const declared = (...names: string[]) => names.map((name) => ({ place: 'c', module: name, desired: a }))
  const at = (names: string[], holder?: string, unlimited: string[] = []) => {
    const { failures, standing } = contested(declared(...names), () => holder, (name) => unlimited.includes(name))
    return { failed: [...failures.keys()].sort(), standing: standing.map((one) => one.module) }
  }

  test('stays with the one that holds it; where none does, all are at fault', () => {
    expect(at(['x', 'y'], 'y')).toEqual({ failed: ['x'], standing: ['y'] })
    expect(at(['x', 'y'])).toEqual({ failed: ['x', 'y'], standing: [] })
  })

  test('is the unlimited repository’s, whoever holds it; among several of those it is the holder’s', () => {
    expect(at(['tenant', 'platform'], 'tenant', ['platform'])).toEqual({ failed: ['tenant'], standing: ['platform'] })
    expect(at(['tenant', 'platform'], undefined, ['platform'])).toEqual({ failed: ['tenant'], standing: ['platform'] })
    expect(at(['tenant', 'platform', 'base'], 'base', ['platform', 'base'])).toEqual({ failed: ['platform', 'tenant'], standing: ['base'] })
    expect(at(['tenant', 'platform', 'base'], 'tenant', ['platform', 'base'])).toEqual({ failed: ['base', 'platform', 'tenant'], standing: [] })
    expect(at(['platform', 'platform'], 'platform', ['platform'])).toEqual({ failed: ['platform'], standing: [] })
  })
})
