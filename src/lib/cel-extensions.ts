import type { Environment } from '@marcbachmann/cel-js'
import { Quantity } from './cel-quantity.ts'

/**
 * The functions beyond the CEL standard that Kubernetes has (https://kubernetes.io/docs/reference/using-api/cel/) and that objects are mostly
 * asked for: quantities, lists, and finding by regular expression. Missing are `url`, `ip`, `cidr`, `semver`, `format`, and `sets`.
 */
export function addExtensions(environment: Environment): Environment {
  return addRegex(addLists(addQuantities(environment)))
}

function addQuantities(environment: Environment): Environment {
  const sign = (quantity: Quantity): bigint => quantity.compare(Quantity.whole(0n))
  return environment
    .registerType('Quantity', Quantity)
    .registerFunction('quantity(string): Quantity', (text: string) => Quantity.read(text) ?? wrong(`“${text.slice(0, 40)}” is no quantity`))
    .registerFunction('isQuantity(string): bool', (text: string) => Quantity.read(text) !== undefined)
    .registerFunction('Quantity.compareTo(Quantity): int', (a: Quantity, b: Quantity) => a.compare(b))
    .registerFunction('Quantity.isGreaterThan(Quantity): bool', (a: Quantity, b: Quantity) => a.compare(b) > 0n)
    .registerFunction('Quantity.isLessThan(Quantity): bool', (a: Quantity, b: Quantity) => a.compare(b) < 0n)
    .registerFunction('Quantity.sign(): int', sign)
    .registerFunction('Quantity.isInteger(): bool', (a: Quantity) => a.asInteger() !== undefined)
    .registerFunction('Quantity.asInteger(): int', (a: Quantity) => a.asInteger() ?? wrong('the quantity is no whole number'))
    .registerFunction('Quantity.asApproximateFloat(): double', (a: Quantity) => a.asFloat())
    .registerFunction('Quantity.add(Quantity): Quantity', (a: Quantity, b: Quantity) => a.add(b))
    .registerFunction('Quantity.add(int): Quantity', (a: Quantity, b: bigint) => a.add(Quantity.whole(b)))
    .registerFunction('Quantity.sub(Quantity): Quantity', (a: Quantity, b: Quantity) => a.subtract(b))
    .registerFunction('Quantity.sub(int): Quantity', (a: Quantity, b: bigint) => a.subtract(Quantity.whole(b)))
}

function addLists(environment: Environment): Environment {
  return environment
    .registerFunction('list.sum(): dyn', sum)
    .registerFunction('list.min(): dyn', (list: unknown[]) => comparable(list).reduce((a, b) => (b < a ? b : a)))
    .registerFunction('list.max(): dyn', (list: unknown[]) => comparable(list).reduce((a, b) => (b > a ? b : a)))
    .registerFunction('list.isSorted(): bool', (list: unknown[]) => list.length === 0 || comparable(list).every((item, index, all) => index === 0 || !(item < (all[index - 1] ?? item))))
}

function addRegex(environment: Environment): Environment {
  const all = (text: string, pattern: string, limit: number): string[] => {
    const found: string[] = []
    for (const [match] of text.matchAll(readPattern(pattern))) {
      if (found.length >= limit) break
      found.push(match)
    }
    return found
  }
  return environment
    .registerFunction('string.find(string): string', (text: string, pattern: string) => all(text, pattern, 1)[0] ?? '')
    .registerFunction('string.findAll(string): list<string>', (text: string, pattern: string) => all(text, pattern, Infinity))
    .registerFunction('string.findAll(string, int): list<string>', (text: string, pattern: string, limit: bigint) => all(text, pattern, limit < 0n ? Infinity : Number(limit)))
}

function readPattern(pattern: string): RegExp {
  try {
    return new RegExp(pattern, 'gu')
  } catch {
    return wrong('the regular expression is none')
  }
}

function sum(list: readonly unknown[]): bigint | number {
  if (list.every((item) => typeof item === 'bigint')) return list.reduce((a, b) => a + b, 0n)
  if (list.every((item) => typeof item === 'bigint' || typeof item === 'number')) return list.reduce<number>((a, b) => a + Number(b), 0)
  return wrong('sum() takes a list of numbers')
}

type Comparable = bigint | number | string | boolean | Date

/** The items of a list that have an order among them. */
function comparable(list: readonly unknown[]): Comparable[] {
  const sorts = new Set(list.map((item) => (typeof item === 'bigint' || typeof item === 'number' ? 'number' : item instanceof Date ? 'time' : typeof item)))
  const [sort] = sorts
  if (list.length === 0) return wrong('the list is empty')
  return sorts.size === 1 && sort !== undefined && sort !== 'object' ? (list as Comparable[]) : wrong('the items of the list have no order')
}

function wrong(message: string): never {
  throw new Error(message)
}
