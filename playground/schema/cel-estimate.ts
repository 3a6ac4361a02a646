import type { ParseResult } from '@marcbachmann/cel-js'
import { callEstimate, isNamespace } from './cel-call-estimates.ts'
import type { Kind, Shape } from './cel-shapes.ts'

/** The fewest and the most characters, items or entries. */
export type Size = { readonly least: number; readonly most: number }

/** What is known of a value before it is there. */
export type Estimate = {
  /** What it costs at most to have it. */
  readonly cost: number
  readonly kind: Kind
  /** Of a list's items, or a map's values. */
  readonly item?: Kind
  /** Where it stands in what the rule is for, as `self`, `@items` and names of fields. */
  readonly path?: readonly string[]
  readonly size?: Size
  /** The sizes of keys and values, of a list or map that was made by the expression. */
  readonly entries?: { readonly kind: Kind; readonly key: Size; readonly value: Size }
  /** Of a number that stands there. */
  readonly literal?: number
}

export type Node = { readonly op: string; readonly args: unknown }

export const unknownSize: Size = { least: 0, most: Infinity }
const exactly = (size: number): Size => ({ least: size, most: size })
const union = (a: Size, b: Size): Size => ({ least: Math.min(a.least, b.least), most: Math.max(a.most, b.most) })
const scalars = new Set<Kind>(['bool', 'double', 'duration', 'int', 'timestamp'])

/**
 * What an expression costs at most on objects of a shape, as a real server estimates it when a definition is written, in its unit. Source: cel-go
 * `checker/cost.go`, with its oddities: what is not found in the object is looked for from its root.
 */
export function estimatedCost(expression: ParseResult, root: Shape): number {
  return new Estimator(root).of(expression.ast as unknown as Node, new Map()).cost
}

type Locals = ReadonlyMap<string, Estimate>

export class Estimator {
  readonly #root: Shape

  constructor(root: Shape) {
    this.#root = root
  }

  of(node: Node, locals: Locals): Estimate {
    const parts = (Array.isArray(node.args) ? node.args : [node.args]) as Node[]
    switch (node.op) {
      case 'value':
        return literal(node.args)
      case 'id':
        return this.#name(String(node.args), locals)
      case '.':
        return this.#field(this.of(parts[0] as Node, locals), String(parts[1]))
      case '.?':
        return { cost: this.of(parts[0] as Node, locals).cost + 1, kind: 'optional' }
      case '[]':
        return this.#item(this.of(parts[0] as Node, locals), this.of(parts[1] as Node, locals))
      case 'list':
        return this.#list(parts.map((part) => this.of(part, locals)))
      case 'map':
        return this.#map((parts as unknown as [Node, Node][]).map(([key, value]) => [this.of(key, locals), this.of(value, locals)]))
      case '?:':
        return this.#conditional(...(parts.map((part) => this.of(part, locals)) as [Estimate, Estimate, Estimate]))
      case 'call':
      case 'rcall':
        return this.#call(node, locals)
      default:
        return this.#operator(node.op, parts.map((part) => this.of(part, locals)))
    }
  }

  /** Undefined where nothing is known of it. */
  sizeOf({ size, path, kind }: Estimate): Size | undefined {
    return size ?? this.#sizeAt(path) ?? (scalars.has(kind) ? exactly(1) : undefined)
  }

  /** The size of a list's items. */
  itemSize({ path }: Estimate): Size {
    return this.#sizeAt(path === undefined ? undefined : [...path, '@items']) ?? unknownSize
  }

  #sizeAt(path: readonly string[] | undefined): Size | undefined {
    const shape = this.#shapeAt(path)
    return shape && { least: 0, most: shape.most }
  }

  #shapeAt(path: readonly string[] | undefined): Shape | undefined {
    if (path === undefined) return undefined
    let shape: Shape | undefined = this.#root
    for (const part of path.slice(1)) {
      if (part === '@keys') shape = shape?.kind === 'map' ? { kind: 'string', most: 0, fewestBytes: 2 } : undefined
      else shape = part === '@items' || part === '@values' ? shape?.item : shape?.fields?.get(part)
    }
    return shape
  }

  #located(path: readonly string[], cost: number): Estimate {
    const shape = this.#shapeAt(path)
    return { cost, path, kind: shape?.kind ?? 'dyn', ...(shape?.item === undefined ? {} : { item: shape.item.kind }) }
  }

  #name(name: string, locals: Locals): Estimate {
    const local = locals.get(name)
    if (local !== undefined) return { ...local, cost: 1 }
    const self = this.#located([name], 1)
    return name === 'self' || name === 'oldSelf' ? self : { cost: 1, kind: 'dyn', path: [name] }
  }

  #field(of: Estimate, name: string): Estimate {
    const cost = of.cost + (of.kind === 'map' || of.kind === 'object' ? 1 : 0)
    if (of.kind === 'optional') return { cost, kind: 'optional' }
    if (of.kind === 'map') return { cost, kind: of.item ?? 'dyn' }
    return of.path === undefined ? { cost, kind: 'dyn' } : this.#located([...of.path, name], cost)
  }

  #item(of: Estimate, index: Estimate): Estimate {
    const cost = of.cost + index.cost + 1
    const located = this.#located([...(of.path ?? []), of.kind === 'map' ? '@values' : '@items'], cost)
    const found = of.path === undefined ? { ...located, kind: of.item ?? ('dyn' as const) } : located
    return of.entries === undefined ? found : { ...found, size: of.entries.value }
  }

  #list(items: readonly Estimate[]): Estimate {
    const value = items.map((item) => this.sizeOf(item) ?? unknownSize).reduce(union, items.length === 0 ? exactly(0) : { least: Infinity, most: 0 })
    return { cost: sum(items) + 10, kind: 'list', item: items[0]?.kind ?? 'dyn', size: exactly(items.length), entries: { kind: 'list', key: exactly(1), value } }
  }

  #map(pairs: readonly (readonly [Estimate, Estimate])[]): Estimate {
    const first: Size = pairs.length === 0 ? exactly(0) : { least: Infinity, most: 0 }
    const [key, value] = [0, 1].map((at) => pairs.map((pair) => this.sizeOf(pair[at] as Estimate) ?? unknownSize).reduce(union, first)) as [Size, Size]
    return { cost: sum(pairs.flat()) + 30, kind: 'map', item: pairs[0]?.[1].kind ?? 'dyn', size: exactly(pairs.length), entries: { kind: 'map', key, value } }
  }

  #conditional(condition: Estimate, yes: Estimate, no: Estimate): Estimate {
    const size = union(this.sizeOf(yes) ?? unknownSize, this.sizeOf(no) ?? unknownSize)
    const kind = yes.kind === 'dyn' ? no.kind : yes.kind
    const entries = unionOfEntries(yes.entries, no.entries)
    return { cost: condition.cost + Math.max(yes.cost, no.cost), kind, size, ...(yes.item === undefined ? {} : { item: yes.item }), ...(entries === undefined ? {} : { entries }) }
  }

  #operator(op: string, args: readonly Estimate[]): Estimate {
    const [left, right = left] = args as [Estimate, Estimate?]
    const [leftSize, rightSize] = [left, right].map((of) => this.sizeOf(of) ?? unknownSize) as [Size, Size]
    const [both, compared] = [sum(args), Math.ceil(Math.min(leftSize.most, rightSize.most) * 0.1)]
    const kinds = [left.kind, right.kind]
    const areTexts = kinds.every((kind) => kind === 'string' || kind === 'bytes' || kind === 'dyn')
    switch (op) {
      case '&&':
      case '||':
        return { cost: both, kind: 'bool' }
      case '-_':
        return left.literal === undefined ? { cost: left.cost + 1, kind: left.kind } : { ...left, literal: -left.literal }
      case '!_':
        return { cost: left.cost + 1, kind: 'bool' }
      case '==':
      case '!=':
        if (left.kind === right.kind && left.kind === 'fixed') return { cost: both + 1, kind: 'bool' }
        return { cost: both + (left.kind === right.kind && left.kind === 'format' ? 7 : left.kind === right.kind && left.kind === 'url' ? Math.ceil(rightSize.most * 0.1) : compared), kind: 'bool' }
      case '<':
      case '<=':
      case '>':
      case '>=':
        return { cost: both + (areTexts ? (kinds.includes('dyn') ? Math.max(1, compared) : compared) : 1), kind: 'bool' }
      case 'in':
        return { cost: both + (right.kind === 'map' ? 1 : right.kind === 'dyn' ? Math.max(1, rightSize.most) : rightSize.most), kind: 'bool' }
      case '+':
        return this.#added(left, right, { least: leftSize.least + rightSize.least, most: leftSize.most + rightSize.most })
      default:
        return { cost: both + 1, kind: left.kind === 'dyn' ? right.kind : left.kind }
    }
  }

  #added(left: Estimate, right: Estimate, size: Size): Estimate {
    const kind = left.kind === 'dyn' ? right.kind : left.kind
    const cost = left.cost + right.cost
    if (kind === 'string' || kind === 'bytes') return { cost: cost + Math.ceil(size.most * 0.1), kind, size }
    if (kind === 'dyn') return { cost: cost + Math.max(1, Math.ceil(size.most * 0.1)), kind, size }
    if (kind !== 'list') return { cost: cost + 1, kind }
    const entries = unionOfEntries(left.entries, right.entries)
    return { cost: cost + 1, kind, size, item: left.item ?? right.item ?? 'dyn', ...(entries === undefined ? {} : { entries }) }
  }

  #call({ op, args }: Node, locals: Locals): Estimate {
    const [name, receiver, given] = (op === 'call' ? [(args as unknown[])[0], undefined, (args as unknown[])[1]] : (args as unknown[])) as [string, Node | undefined, readonly Node[]]
    if (name === 'has' && receiver === undefined) return { cost: this.of(((given[0] as Node).args as Node[])[0] as Node, locals).cost, kind: 'bool' }
    const namespace = receiver?.op === 'id' && !locals.has(String(receiver.args)) && isNamespace(String(receiver.args)) ? `${String(receiver.args)}.` : undefined
    const target = receiver === undefined || namespace !== undefined ? undefined : this.of(receiver, locals)
    const comprehension = target && this.#comprehension(name, target, given, locals)
    if (comprehension !== undefined) return comprehension
    const values = given.map((each) => this.of(each, locals))
    if (namespace === undefined && name === 'dyn' && values[0] !== undefined) return { ...values[0], cost: values[0].cost + 1, kind: 'dyn' }
    const { cost, ...result } = callEstimate(this, `${namespace ?? ''}${name}`, target, values)
    return { ...result, cost: cost + sum(values) + (target?.cost ?? 0) }
  }

  /** A macro, by what it is expanded to: the cost of a round times the rounds, and of what stands around it. */
  #comprehension(name: string, over: Estimate, given: readonly Node[], locals: Locals): Estimate | undefined {
    const names = given.slice(0, 2).map((node) => (node.op === 'id' ? String(node.args) : undefined))
    const two = twoVariables.has(name) && names[0] !== undefined && names[1] !== undefined && given.length >= 3 && !(name === 'map' || name === 'filter')
    const variables = two ? 2 : 1
    if (!macros.has(name) || names[0] === undefined || given.length < variables + 1) return undefined
    const inner = new Map(locals)
    if (two) inner.set(names[0], this.#variable(over, 'key')).set(names[1] as string, this.#variable(over, 'value'))
    else inner.set(names[0], this.#variable(over, over.kind === 'map' ? 'key' : 'value'))
    const [first, second] = given.slice(variables).map((node) => this.of(node, inner)) as [Estimate, Estimate?]
    const times = this.sizeOf(over) ?? unknownSize
    if (name === 'sortBy') return this.#sorted(over, first, times)
    const { cost, kind, item, value } = roundOf(name, first, second, inner.get(names[0]) as Estimate)
    const around = over.cost + (kind === 'bool' ? 1 : kind === 'map' ? 31 : 11) + (name.startsWith('exists_one') || name === 'existsOne' ? 1 : 0)
    const total = around + (times.most === 0 ? 0 : times.most * cost)
    if (kind === 'bool') return { cost: total, kind, size: exactly(1) }
    const valueSize = value === undefined ? undefined : this.sizeOf(value)
    return { cost: total, kind, size: times, item, entries: { kind, key: exactly(1), value: union(exactly(0), valueSize ?? unknownSize) } }
  }

  #variable(over: Estimate, part: 'key' | 'value'): Estimate {
    const isList = (over.entries?.kind ?? over.kind) === 'list'
    const path = [...(over.path ?? []), part === 'key' ? (isList ? '@indices' : '@keys') : isList ? '@items' : '@values']
    const kind = part === 'key' ? (isList ? 'int' : 'string') : (over.item ?? 'dyn')
    const located = this.#located(path, 1)
    const size = over.entries?.[part]
    // What is made up by the expression has a path of one part, which is that of the root.
    return { ...located, kind: over.path === undefined || located.kind === 'dyn' ? kind : located.kind, ...(this.#shapeAt(path) === undefined && size !== undefined ? { size } : {}) }
  }

  /** `cel.bind(input, list, input.sortedBy(input.map(e, key)))`. */
  #sorted(over: Estimate, key: Estimate, times: Size): Estimate {
    const factor = key.kind === 'string' || key.kind === 'bytes' ? 2.1 : 2
    const sizeOfResult: Size = { least: times.least ** 2, most: times.most ** 2 }
    const cost = 10 + over.cost + 1 + (1 + 11 + times.most * (12 + key.cost)) + Math.ceil(sizeOfResult.most * factor) + 11
    return { cost, kind: 'list', item: over.item ?? 'dyn', size: sizeOfResult }
  }
}

const twoVariables = new Set(['all', 'exists', 'existsOne', 'exists_one', 'transformList', 'transformMap', 'transformMapEntry'])
const macros = new Set([...twoVariables, 'map', 'filter', 'sortBy'])

type Round = { readonly cost: number; readonly kind: 'bool' | 'list' | 'map'; readonly item: Kind; readonly value?: Estimate }

/** What a round costs: the condition to go on, and the step. */
function roundOf(name: string, first: Estimate, second: Estimate | undefined, variable: Estimate): Round {
  const result = second ?? first
  const condition = second === undefined ? 0 : first.cost
  switch (name) {
    case 'all':
      return { cost: first.cost + 3, kind: 'bool', item: 'bool' }
    case 'exists':
      return { cost: first.cost + 4, kind: 'bool', item: 'bool' }
    case 'existsOne':
    case 'exists_one':
      return { cost: first.cost + 2, kind: 'bool', item: 'bool' }
    case 'filter':
      return { cost: first.cost + 13, kind: 'list', item: variable.kind, value: variable }
    case 'transformMap':
      return { cost: condition + result.cost + 3, kind: 'map', item: result.kind, value: result }
    case 'transformMapEntry':
      return { cost: condition + result.cost + 2, kind: 'map', item: result.item ?? 'dyn' }
    default:
      return { cost: condition + result.cost + 12, kind: 'list', item: result.kind, value: result }
  }
}

export function sum(estimates: readonly Estimate[]): number {
  return estimates.reduce((total, { cost }) => total + cost, 0)
}

function unionOfEntries(a: Estimate['entries'], b: Estimate['entries']): Estimate['entries'] {
  return a === undefined || b === undefined ? undefined : { kind: a.kind, key: union(a.key, b.key), value: union(a.value, b.value) }
}

function literal(value: unknown): Estimate {
  if (typeof value === 'string') return { cost: 0, kind: 'string', size: exactly([...value].length) }
  if (value instanceof Uint8Array) return { cost: 0, kind: 'bytes', size: exactly(value.length) }
  if (typeof value === 'boolean') return { cost: 0, kind: 'bool', size: exactly(1) }
  if (value === null) return { cost: 0, kind: 'null', size: exactly(1) }
  return { cost: 0, kind: typeof value === 'number' ? 'double' : 'int', size: exactly(1), literal: Number(value) }
}
