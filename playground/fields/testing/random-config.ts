import { isObject, type Json, type JsonObject } from '#lib/json.ts'
import type { KubernetesObject, Schema } from '#playground/contract.ts'
import { customResourceSchema } from '#playground/schema/custom-resource-schema.ts'

const text: Schema = { type: 'string' }

const item: Schema = {
  type: 'object',
  required: ['name'],
  properties: { name: text, image: text, tags: { type: 'object', additionalProperties: text }, list: { type: 'array', items: text } },
}

/** One of each way to merge. */
export const sampleSchema: Schema = customResourceSchema({
  type: 'object',
  properties: {
    spec: {
      type: 'object',
      properties: {
        a: text,
        b: text,
        c: text,
        struct: { type: 'object', properties: { x: text, y: text, inner: { type: 'object', properties: { z: text } } } },
        labels: { type: 'object', additionalProperties: text },
        free: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
        whole: { type: 'object', 'x-kubernetes-map-type': 'atomic', additionalProperties: text },
        items: { type: 'array', items: item, 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'] },
        members: { type: 'array', items: text, 'x-kubernetes-list-type': 'set' },
        plain: { type: 'array', items: text },
      },
    },
  },
})

/** A seeded source of numbers below `below` (mulberry32). */
export function randomOf(seed: number): (below: number) => number {
  let state = seed >>> 0
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below)
  }
}

/** A configuration that says some of the schema. Names have `prefix`, so that configurations with different prefixes are disjoint. */
export function randomConfig(random: (below: number) => number, prefix: string, scalars: readonly string[]): KubernetesObject {
  const value = () => `${random(3)}`
  const some = <T>(all: readonly T[]) => all.filter(() => random(2) === 0)
  const names = ['1', '2', '3', '4'].map((name) => `${prefix}${name}`)
  const pairs = () => Object.fromEntries(some(names).map((name) => [name, value()]))
  const spec: JsonObject = Object.fromEntries(some(scalars).map((name) => [name, value()]))
  if (random(2) === 0) spec.labels = pairs()
  if (random(2) === 0) spec.free = { [`${prefix}deep`]: pairs(), ...pairs() }
  if (random(2) === 0) spec.members = shuffled(some(names), random)
  if (random(2) === 0) spec.items = shuffled(some(names), random).map((name) => ({ name, ...(random(2) === 0 ? { image: value() } : {}), ...(random(2) === 0 ? { tags: pairs() } : {}), ...(random(3) === 0 ? { list: [value()] } : {}) }))
  return { apiVersion: 'example.dev/v1', kind: 'Sample', metadata: { name: 's', ...(random(2) === 0 ? { labels: pairs() } : {}) }, spec }
}

/** Also says what has one owner whole. */
export function withWholes(config: KubernetesObject, random: (below: number) => number): KubernetesObject {
  const spec = config.spec as JsonObject
  if (random(3) === 0) spec.whole = { [`${random(2)}`]: `${random(2)}` }
  if (random(3) === 0) spec.plain = [`${random(2)}`]
  if (random(3) === 0) spec.struct = { ...(random(2) === 0 ? { x: `${random(2)}` } : {}), ...(random(2) === 0 ? { inner: random(2) === 0 ? {} : { z: '1' } } : {}) }
  return config
}

export type RandomWrite = { readonly how: 'apply' | 'update'; readonly manager: string; readonly force: boolean; readonly body: KubernetesObject }

/** Eight writes of three managers to one object. The same seed gives the same writes; `recorded-merges.json` has the answers to them. */
export function randomSequence(seed: number): RandomWrite[] {
  const random = randomOf(seed * 7919 + 13)
  return Array.from({ length: 8 }, () => {
    const how = random(4) === 0 ? 'update' : 'apply'
    const manager = `m${random(3)}`
    const force = random(3) === 0
    return { how, manager, force, body: withWholes(randomConfig(random, 'n', ['a', 'b', 'c']), random) }
  })
}

/** Without empty maps and lists, which nobody or everybody may own. */
export function withoutEmpties<T extends Json>(value: T): T {
  if (Array.isArray(value)) return value.map(withoutEmpties) as T
  if (!isObject(value)) return value
  const rest = Object.entries(value).map(([key, item]) => [key, withoutEmpties(item)] as const)
  return Object.fromEntries(rest.filter(([, item]) => typeof item !== 'object' || item === null || Object.keys(item).length > 0)) as T
}

function shuffled<T>(all: readonly T[], random: (below: number) => number): T[] {
  const rest = [...all]
  const out: T[] = []
  while (rest.length > 0) out.push(...rest.splice(random(rest.length), 1))
  return out
}
