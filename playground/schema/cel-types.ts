import type { ParseResult } from '@marcbachmann/cel-js'
import type { Kind, Shape } from './cel-shapes.ts'
import { celName } from './cel-values.ts'

/** What is known of a value's type. `dyn` is whatever is not known, and fits everywhere; so does an `error`, which was told already. */
type Type = { readonly kind: Kind | 'error'; readonly item?: Type; readonly fields?: ReadonlyMap<string, Shape> }

type Node = { readonly op: string; readonly args: unknown; readonly range: { readonly start: number; readonly end: number }; readonly pos: number }

export type TypeProblem = { readonly at: number; readonly message: string }

const dyn: Type = { kind: 'dyn' }
const error: Type = { kind: 'error' }
const bool: Type = { kind: 'bool' }
const int: Type = { kind: 'int' }
const string: Type = { kind: 'string' }

/** Kinds whose operators are all known here. A value of another kind is let pass. */
const scalars: ReadonlySet<Type['kind']> = new Set<Type['kind']>(['string', 'bytes', 'int', 'double', 'bool', 'timestamp', 'duration'])
const told: ReadonlySet<Type['kind']> = new Set<Type['kind']>([...scalars, 'list', 'map'])
const numbers: ReadonlySet<Type['kind']> = new Set<Type['kind']>(['int', 'double'])
const relations: ReadonlySet<string> = new Set(['<', '<=', '>', '>='])
const equalities: ReadonlySet<string> = new Set(['==', '!='])

/** `left operator right`: what it makes. */
const sums: Readonly<Record<string, Kind>> = {
  'int + int': 'int',
  'double + double': 'double',
  'string + string': 'string',
  'bytes + bytes': 'bytes',
  'duration + duration': 'duration',
  'timestamp + duration': 'timestamp',
  'duration + timestamp': 'timestamp',
  'int - int': 'int',
  'double - double': 'double',
  'duration - duration': 'duration',
  'timestamp - timestamp': 'duration',
  'timestamp - duration': 'timestamp',
  'int * int': 'int',
  'double * double': 'double',
  'int / int': 'int',
  'double / double': 'double',
  'int % int': 'int',
}
const arithmetic: ReadonlySet<string> = new Set(['+', '-', '*', '/', '%'])
const ofStrings: ReadonlySet<string> = new Set(['startsWith', 'endsWith', 'contains', 'matches'])

/**
 * What is wrong with the types of a rule for values of a shape, in cel-go's words (`checker/checker.go`, `common/error.go`), and the kind of its result. It says only what is certain: a
 * real server refuses all of it, and some more.
 */
export function typesOf(expression: ParseResult, text: string, self: Shape): { readonly problems: readonly TypeProblem[]; readonly kind: Type['kind'] } {
  const checker = new Checker(text, self)
  const { kind } = checker.of(expression.ast as unknown as Node, new Map())
  return { problems: checker.problems.sort((a, b) => a.at - b.at), kind }
}

type Locals = ReadonlyMap<string, Type>

class Checker {
  readonly problems: TypeProblem[] = []
  readonly #text: string
  readonly #self: Shape

  constructor(text: string, self: Shape) {
    this.#text = text
    this.#self = self
  }

  of(node: Node, locals: Locals): Type {
    const parts = (Array.isArray(node.args) ? node.args : [node.args]) as Node[]
    switch (node.op) {
      case 'value':
        return literal(node.args)
      case 'id':
        return locals.get(String(node.args)) ?? (node.args === 'self' || node.args === 'oldSelf' ? this.#self : dyn)
      case '.':
        return this.#field(this.of(parts[0] as Node, locals), String(parts[1]), this.#text.lastIndexOf('.', node.pos))
      case '[]':
        return this.#item(parts[0] as Node, parts[1] as Node, locals)
      case 'list':
        return parts.length === 0 ? dyn : { kind: 'list', item: common(parts.map((part) => this.of(part, locals))) }
      case 'map':
        for (const part of (parts as unknown as [Node, Node][]).flat()) this.of(part, locals)
        return dyn
      case '?:':
        return this.#conditional(parts as [Node, Node, Node], locals)
      case '&&':
      case '||':
        return parts.filter((part) => !this.#expectBool(part, this.of(part, locals))).length === 0 ? bool : error
      case '!_':
      case '-_':
        return this.#unary(node, this.of(parts[0] as Node, locals))
      case 'call':
        return this.#call(node, ...(node.args as [string, Node[]]), locals)
      case 'rcall':
        return this.#method(...(node.args as [string, Node, Node[]]), locals)
      default:
        return parts.length === 2 && typeof parts[1] === 'object' ? this.#operator(node.op, parts as [Node, Node], locals) : (this.of(parts[0] as Node, locals), dyn)
    }
  }

  #field(of: Type, name: string, at: number): Type {
    if (of.kind === 'map') return of.item ?? dyn
    if (of.kind === 'object') {
      const field = of.fields?.get(name) ?? of.fields?.get(celName(name))
      if (field === undefined) this.#say(at, `undefined field '${name}'`)
      return field ?? error
    }
    if (!told.has(of.kind)) return of.kind === 'error' ? error : dyn
    this.#say(at, `type '${nameOf(of)}' does not support field selection`)
    return error
  }

  #item(list: Node, index: Node, locals: Locals): Type {
    const [of, by] = [this.of(list, locals), this.of(index, locals)]
    if (of.kind !== 'list' && of.kind !== 'map') return dyn
    if (scalars.has(by.kind) && by.kind !== (of.kind === 'list' ? 'int' : 'string') && !(of.kind === 'list' && by.kind === 'double')) return this.#noOverload(this.#between(list, index, '['), '_[_]', [of, by])
    return of.item ?? dyn
  }

  #conditional([condition, yes, no]: [Node, Node, Node], locals: Locals): Type {
    const [when, a, b] = [this.of(condition, locals), this.of(yes, locals), this.of(no, locals)]
    const fits = !(told.has(when.kind) && when.kind !== 'bool') && !(told.has(a.kind) && told.has(b.kind) && a.kind !== b.kind)
    return fits ? common([a, b]) : this.#noOverload(this.#between(condition, yes, '?'), '_?_:_', [when, a, b])
  }

  #unary(node: Node, type: Type): Type {
    const fits = node.op === '!_' ? type.kind === 'bool' : numbers.has(type.kind) || type.kind === 'duration'
    if (!told.has(type.kind)) return node.op === '!_' ? bool : dyn
    return fits ? type : this.#noOverload(node.range.start, node.op, [type])
  }

  #expectBool(node: Node, type: Type): boolean {
    if (!told.has(type.kind) || type.kind === 'bool') return type.kind !== 'error'
    this.#say(this.#placeOf(node), `expected type 'bool' but found '${nameOf(type)}'`)
    return false
  }

  #operator(operator: string, [left, right]: [Node, Node], locals: Locals): Type {
    const [a, b] = [this.of(left, locals), this.of(right, locals)]
    const refuse = (name = `_${operator}_`): Type => this.#noOverload(this.#between(left, right, operator), name, [a, b])
    if (operator === 'in') {
      const among = b.kind === 'list' ? b.item : b.kind === 'map' ? string : undefined
      return scalars.has(b.kind) || (among !== undefined && differ(a, among)) ? refuse('@in') : bool
    }
    if (equalities.has(operator)) return differ(a, b) ? refuse() : bool
    if (!told.has(a.kind) || !told.has(b.kind)) return relations.has(operator) ? bool : dyn
    if (relations.has(operator)) return scalars.has(a.kind) && (a.kind === b.kind || (numbers.has(a.kind) && numbers.has(b.kind))) ? bool : refuse()
    if (!arithmetic.has(operator) || (a.kind === 'list' && b.kind === 'list')) return dyn
    const kind = sums[`${a.kind} ${operator} ${b.kind}`]
    return kind === undefined ? refuse() : { kind }
  }

  #call(node: Node, name: string, parts: readonly Node[], locals: Locals): Type {
    const [first] = parts
    if (name === 'has' && first !== undefined && (first.op === '.' || first.op === '.?')) {
      const [of, field] = first.args as [Node, unknown]
      this.#field(this.of(of, locals), typeof field === 'string' ? field : String((field as Node).args), this.#text.indexOf('(', node.range.start))
      return bool
    }
    const [given, ...more] = parts.map((part) => this.of(part, locals))
    if (given === undefined || more.length > 0) return dyn
    const hasSize = given.kind === 'string' || given.kind === 'bytes' || given.kind === 'list' || given.kind === 'map'
    if (name === 'size' && told.has(given.kind) && !hasSize) return this.#noOverload(this.#text.indexOf('(', node.range.start), 'size', [given])
    return Object.hasOwn(made, name) ? (made[name] ?? dyn) : dyn
  }

  #method(name: string, receiver: Node, parts: readonly Node[], locals: Locals): Type {
    const of = this.of(receiver, locals)
    const [variable] = parts
    if (variable?.op === 'id' && (of.kind === 'list' || of.kind === 'map') && Object.hasOwn(macros, name)) return this.#macro(name, of, receiver, parts, locals)
    // What is bound by a macro that is not known here is not known either.
    if (variable?.op === 'id' && (parts.length > 1 || Object.hasOwn(macros, name))) return dyn
    const given = parts.map((part) => this.of(part, locals))
    if (name === 'size' && parts.length === 0) return int
    if (of.kind !== 'string' || !ofStrings.has(name) || given.length !== 1) return dyn
    const [argument] = given as [Type]
    if (!told.has(argument.kind) || argument.kind === 'string') return bool
    this.#say(this.#text.indexOf('(', receiver.range.end), `found no matching overload for '${name}' applied to 'string.(${nameOf(argument)})'`)
    return error
  }

  #macro(name: string, of: Type, receiver: Node, [variable, ...body]: readonly Node[], locals: Locals): Type {
    if (body.length !== 1 && !(name === 'map' && body.length === 2)) return dyn
    const each = of.kind === 'map' ? string : (of.item ?? dyn)
    const inner = new Map(locals).set(String(variable?.args), each)
    const types = body.map((part) => this.of(part, inner))
    const [first = dyn, last = first] = [types[0], types.at(-1)]
    if (name === 'all' || name === 'exists') {
      this.#expectBool(body[0] as Node, first)
      return bool
    }
    const made: Type = name === 'exists_one' ? int : { kind: 'list', item: name === 'map' ? last : each }
    const isCondition = name !== 'map' || body.length === 2
    if (isCondition && told.has(first.kind) && first.kind !== 'bool') return this.#noOverload(this.#text.indexOf('(', receiver.range.end), '_?_:_', [first, made, made])
    return name === 'exists_one' ? bool : made
  }

  #noOverload(at: number, name: string, operands: readonly Type[]): Type {
    this.#say(at, `found no matching overload for '${name}' applied to '(${operands.map(nameOf).join(', ')})'`)
    return error
  }

  #say(at: number, message: string): void {
    this.problems.push({ at, message })
  }

  /** Where an operator stands between its operands. */
  #between(left: Node, right: Node, operator: string): number {
    const at = this.#text.slice(left.range.end, right.range.start).indexOf(operator)
    return left.range.end + Math.max(0, at)
  }

  /** Where cel-go says that an expression is. */
  #placeOf(node: Node): number {
    if (node.op === '.') return this.#text.lastIndexOf('.', node.pos)
    if (node.op === 'call') return this.#text.indexOf('(', node.range.start)
    if (node.op === 'rcall') return this.#text.indexOf('(', (node.args as [string, Node])[1].range.end)
    const operator = node.op === '?:' ? '?' : node.op === '[]' ? '[' : node.op
    if (/^\w|_$/.test(operator) && operator !== 'in') return node.range.start
    const [left, right] = node.args as [Node, Node]
    return this.#between(left, right, operator)
  }
}

const macros = { all: true, exists: true, exists_one: true, map: true, filter: true }

/** What functions of one argument make. */
const made: Readonly<Record<string, Type>> = { size: int, int, string, double: { kind: 'double' }, bool, bytes: { kind: 'bytes' }, duration: { kind: 'duration' }, timestamp: { kind: 'timestamp' } }

function literal(value: unknown): Type {
  if (value === null) return { kind: 'null' }
  if (typeof value === 'bigint') return int
  if (typeof value === 'number') return { kind: 'double' }
  if (typeof value === 'string') return string
  if (typeof value === 'boolean') return bool
  return value instanceof Uint8Array ? { kind: 'bytes' } : dyn
}

/** The one type of several values, if they have one that is known. */
function common(types: readonly Type[]): Type {
  const [first] = types
  return first !== undefined && types.every(({ kind }) => kind === first.kind) && scalars.has(first.kind) ? first : dyn
}

/** Never equal, whatever they are. A time may be null. */
function differ(a: Type, b: Type): boolean {
  const mayBeNull = (kind: Type['kind']): boolean => kind === 'timestamp' || kind === 'duration' || !scalars.has(kind)
  if (a.kind === 'null' || b.kind === 'null') return !mayBeNull(a.kind === 'null' ? b.kind : a.kind) && a.kind !== b.kind
  if (!told.has(a.kind) || !told.has(b.kind)) return false
  return a.kind !== b.kind
}

function nameOf({ kind, item = dyn }: Type): string {
  if (kind === 'list') return `list(${nameOf(item)})`
  if (kind === 'error') return '!error!'
  return kind === 'map' ? `map(string, ${nameOf(item)})` : kind
}
