import { expect, test } from 'vitest'
import { canonicalJson, equalJson, isObject, type Json } from '#lib/json.ts'
import type { KubernetesObject } from '#playground/contract.ts'
import { compare } from './compare.ts'
import { fieldManagement } from './field-management.ts'
import { decodeManagers, withoutManagedFields, type Managers } from './managers.ts'
import type { PathElement } from './path-element.ts'
import { randomConfig, randomOf, sampleSchema, withoutEmpties, withWholes } from './testing/random-config.ts'

const seeds = Array.from({ length: 150 }, (_, seed) => seed)

function apply(live: KubernetesObject | undefined, manager: string, applied: KubernetesObject, seconds: number, force = false): KubernetesObject | 'conflict' {
  const time = new Date(1_767_225_600_000 + seconds * 1000).toISOString().replace('.000', '')
  const versions = { 'example.dev/v1': sampleSchema }
  const result = fieldManagement.apply({ live, applied: structuredClone(applied), manager, force, time, schema: sampleSchema, subresource: '', versions })
  if ('invalid' in result) throw new Error(result.invalid)
  return 'conflicts' in result ? 'conflict' : result.object
}

function applied(live: KubernetesObject | undefined, manager: string, config: KubernetesObject, seconds: number): KubernetesObject {
  const result = apply(live, manager, config, seconds)
  if (result === 'conflict') throw new Error('disjoint configurations conflict')
  return result
}

function managersOf(object: KubernetesObject): Managers {
  const managers = decodeManagers(object.metadata.managedFields)
  if (managers instanceof Error) throw managers
  return managers
}

test.each(seeds)('applying the same again changes nothing, not even a time (seed %i)', (seed) => {
  const random = randomOf(seed)
  let live: KubernetesObject | undefined
  for (let i = 0; i < 6; i++) {
    const manager = `m${random(3)}`
    const config = withoutEmpties(withWholes(randomConfig(random, 'n', ['a', 'b', 'c']), random))
    live = apply(live, manager, config, i, true) as KubernetesObject
    expect(canonicalJson(apply(live, manager, config, i + 10, true))).toBe(canonicalJson(live))
  }
})

test.each(seeds)('disjoint configurations of two managers commute (seed %i)', (seed) => {
  const random = randomOf(seed + 1000)
  const a = randomConfig(random, 'a', ['a'])
  const b = randomConfig(random, 'b', ['b', 'c'])
  const ab = applied(applied(undefined, 'A', a, 0), 'B', b, 1)
  const ba = applied(applied(undefined, 'B', b, 0), 'A', a, 1)
  expect(sorted(withoutManagedFields(ab))).toEqual(sorted(withoutManagedFields(ba)))
  expect(owners(ab)).toEqual(owners(ba))
})

test.each(seeds)('an apply removes or changes nothing that another owns; a forced one removes nothing (seed %i)', (seed) => {
  const random = randomOf(seed + 2000)
  const lost: PathElement[][] = []
  let live: KubernetesObject | undefined
  for (let i = 0; i < 12; i++) {
    const manager = `m${random(3)}`
    const force = random(4) === 0
    const config = withWholes(randomConfig(random, 'n', ['a', 'b', 'c']), random)
    const next = apply(live, manager, config, i, force)
    if (next === 'conflict') continue
    if (live !== undefined) lost.push(...losses(live, next, manager, force))
    live = next
  }
  expect(lost).toEqual([])
})

/** What others owned, and is gone, or another value though nothing was forced. */
function losses(live: KubernetesObject, next: KubernetesObject, manager: string, force: boolean): PathElement[][] {
  const { removed, modified } = compare(withoutManagedFields(live), withoutManagedFields(next), sampleSchema)
  const others = [...managersOf(live).owned.values()].filter(({ id }) => id.manager !== manager)
  return others.flatMap(({ set }) => set.intersection(force ? removed.difference(modified) : removed.union(modified)).paths())
}

test.each(seeds)('what a manager applied is there, and is what it owns (seed %i)', (seed) => {
  const random = randomOf(seed + 3000)
  let live: KubernetesObject | undefined
  for (let i = 0; i < 6; i++) {
    const config = withoutEmpties(withWholes(randomConfig(random, 'n', ['a', 'b', 'c']), random))
    live = apply(live, `m${random(2)}`, config, i, true) as KubernetesObject
    expect(holds(live.spec ?? {}, config.spec ?? {})).toBe(true)
  }
})

function owners(object: KubernetesObject): Record<string, unknown> {
  return Object.fromEntries([...managersOf(object).owned].map(([key, { set }]) => [key, set.toFieldsV1()]))
}

function sorted(value: Json): Json {
  if (Array.isArray(value)) return value.map(sorted).sort((x, y) => (canonicalJson(x) < canonicalJson(y) ? -1 : 1))
  return isObject(value) ? Object.fromEntries(Object.entries(value).map(([key, item]) => [key, sorted(item)])) : value
}

/** Whether `whole` says all that `part` says; lists may hold more, in any order. */
function holds(whole: Json | undefined, part: Json): boolean {
  if (Array.isArray(part)) return Array.isArray(whole) && part.every((item) => whole.some((other) => holds(other, item)))
  if (isObject(part)) return isObject(whole) && Object.entries(part).every(([key, item]) => holds(whole[key], item))
  return whole !== undefined && equalJson(whole, part)
}
