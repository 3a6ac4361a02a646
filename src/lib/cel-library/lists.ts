import type { Environment } from '@marcbachmann/cel-js'
import { Duration, UnsignedInt } from '@marcbachmann/cel-js/evaluator'
import { equalInCel } from './equal.ts'
import { addNamespace } from './namespace.ts'
import { wrong } from './wrong.ts'

/** Kubernetes' list library, cel-go's `ext.Lists` (version 3) and `ext.Sets`; `sortBy` is in `comprehensions.ts`. */
export function addLists(environment: Environment): Environment {
  const [lists, sets] = [addNamespace(environment, 'lists'), addNamespace(environment, 'sets')]
  const indexOf = (list: unknown[], item: unknown): bigint => BigInt(list.findIndex((each) => equalInCel(each, item)))
  const contains = (list: unknown[], items: unknown[]): boolean => items.every((item) => list.some((each) => equalInCel(each, item)))
  return environment
    .registerFunction('list.sum(): dyn', sum)
    .registerFunction('list.min(): dyn', (list: unknown[]) => comparable(list, 'min').reduce((a, b) => (b < a ? b : a)))
    .registerFunction('list.max(): dyn', (list: unknown[]) => comparable(list, 'max').reduce((a, b) => (b > a ? b : a)))
    .registerFunction('list.isSorted(): bool', (list: unknown[]) => list.length === 0 || comparable(list, 'isSorted').every((item, index, all) => index === 0 || !(item < (all[index - 1] ?? item))))
    .registerFunction('list.indexOf(dyn): int', indexOf)
    .registerFunction('list.lastIndexOf(dyn): int', (list: unknown[], item: unknown) => BigInt(list.findLastIndex((each) => equalInCel(each, item))))
    .registerFunction('list.distinct(): list<dyn>', (list: unknown[]) => list.filter((item, index) => list.findIndex((each) => equalInCel(each, item)) === index))
    .registerFunction('list.reverse(): list<dyn>', (list: unknown[]) => list.toReversed())
    .registerFunction('list.slice(int, int): list<dyn>', slice)
    .registerFunction('list.flatten(): list<dyn>', (list: unknown[]) => list.flat(1))
    .registerFunction('list.flatten(int): list<dyn>', (list: unknown[], depth: bigint) => (depth < 0n ? wrong('level must be non-negative') : (list.flat(Math.min(Number(depth), 100)) as unknown[])))
    .registerFunction('list.sort(): list<dyn>', (list: unknown[]) => sortedBy(list, list))
    .registerFunction(`${lists}.range(int): list<int>`, (_: unknown, count: bigint) => range(count))
    .registerFunction(`${sets}.contains(list, list): bool`, (_: unknown, list: unknown[], items: unknown[]) => contains(list, items))
    .registerFunction(`${sets}.equivalent(list, list): bool`, (_: unknown, a: unknown[], b: unknown[]) => contains(a, b) && contains(b, a))
    .registerFunction(`${sets}.intersects(list, list): bool`, (_: unknown, a: unknown[], b: unknown[]) => a.some((item) => contains(b, [item])))
}

/** What a list of so many numbers may fill: the real server's cost limit is reached by then. */
const longestRange = 1_000_000n

function range(count: bigint): bigint[] {
  if (count > longestRange) return wrong(`lists.range(${count}) is too long`)
  return Array.from({ length: Math.max(Number(count), 0) }, (_, index) => BigInt(index))
}

function slice(list: unknown[], from: bigint, to: bigint): unknown[] {
  const call = `cannot slice(${from}, ${to})`
  if (from < 0n || to < 0n) return wrong(`${call}, negative indexes not supported`)
  if (from > to) return wrong(`${call}, start index must be less than or equal to end index`)
  if (to > BigInt(list.length)) return wrong(`${call}, list is length ${list.length}`)
  return list.slice(Number(from), Number(to))
}

function sum(list: readonly unknown[]): bigint | number | Duration | UnsignedInt {
  if (list.every((item) => typeof item === 'bigint')) return list.reduce((a, b) => a + b, 0n)
  if (list.every((item) => typeof item === 'bigint' || typeof item === 'number')) return list.reduce<number>((a, b) => a + Number(b), 0)
  if (list.every((item) => item instanceof Duration)) return list.reduce((a, b) => a.addDuration(b))
  if (list.every((item) => item instanceof UnsignedInt)) return new UnsignedInt(list.reduce((a, b) => a + b.valueOf(), 0n))
  return wrong('sum() takes a list of numbers or durations')
}

type Ordered = bigint | number | string | boolean | Date

/** `list` in the order of the keys beside it. */
export function sortedBy(list: readonly unknown[], keys: readonly unknown[]): unknown[] {
  if (list.length === 0) return []
  const ordered = comparable(keys, 'sort').map((key, index) => ({ key, item: list[index] }))
  return ordered.sort(({ key: a }, { key: b }) => (a < b ? -1 : a > b ? 1 : 0)).map(({ item }) => item)
}

/** The items of a list that have an order among them. */
function comparable(list: readonly unknown[], name: string): Ordered[] {
  if (list.length === 0) return wrong(`${name} called on empty list`)
  const sorts = new Set(list.map(sortOf))
  const [sort] = sorts
  return sorts.size === 1 && sort !== undefined && sort !== 'object' ? (list as Ordered[]) : wrong('the items of the list have no order')
}

function sortOf(item: unknown): string {
  if (typeof item === 'bigint' || typeof item === 'number' || item instanceof UnsignedInt) return 'number'
  return item instanceof Date ? 'time' : item instanceof Duration ? 'duration' : typeof item
}
