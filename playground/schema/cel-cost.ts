import type { ParseResult } from '@marcbachmann/cel-js'
import { callCosts, sizeOf } from './cel-call-costs.ts'

/** What a single evaluation may cost, and all that an object is judged by together: a real server's own limits, in its own unit. */
export const costOfOne = 1_000_000
export const costOfAll = 10_000_000

/** `one`: of the evaluation itself; `all`: of what was left for it. */
export class OutOfCost extends Error {
  readonly of: 'one' | 'all'

  constructor(of: 'one' | 'all') {
    super('operation cancelled: actual cost limit exceeded')
    this.of = of
  }
}

/** What the library's syntax trees have, as far as it is used here: it has no hook for costs. */
type Node = { readonly op: string; readonly args: unknown; readonly meta: { evaluate: Evaluate; alternate?: Node; macro?: object }; setMeta(key: 'evaluate', value: Evaluate): unknown }
type Evaluate = (evaluator: unknown, node: Node, context: unknown) => unknown

/** What is left to be spent by several evaluations. */
export type Budget = { left: number }

/**
 * An expression that was read and checked, which counts what it costs and throws `OutOfCost` where that is too much.
 * Source: cel-go `interpreter/runtimecost.go`; Kubernetes' own functions by `cel-call-costs.ts`.
 */
export function metered(expression: ParseResult): (context: object, budget?: Budget) => unknown {
  let spent = 0
  let limit = costOfOne
  instrument(expression.ast as unknown as Node, (cost) => {
    spent += cost
    if (spent > limit) throw over()
  })
  const over = (): OutOfCost => new OutOfCost(limit === costOfOne ? 'one' : 'all')
  return (context, budget = { left: costOfOne }) => {
    spent = 0
    limit = Math.min(costOfOne, budget.left)
    try {
      const value = expression(context)
      // Where the error stood beside `||` it was swallowed: `1/0 == 1 || true` is true.
      if (spent > limit) throw over()
      return value
    } catch (error) {
      throw spent > limit ? over() : error
    } finally {
      budget.left -= Math.min(spent, limit)
    }
  }
}

/** What a round of a macro of two variables costs beside what it asks: its condition and its step. */
const ofRound: Readonly<Record<string, number>> = { all: 3, exists: 4, existsOne: 2, exists_one: 2, transformList: 12, transformMap: 3, transformMapEntry: 2, sortBy: 12 }

function isConstant({ op, args }: Node): boolean {
  if (op === 'value') return true
  if (op === '-_') return isConstant(args as Node)
  return (op === 'list' || op === 'map') && (args as (Node | Node[])[]).flat().every(isConstant)
}

/** Whether a call is of a function with a dot in its name, whose first part is no value. */
function ofLibrary({ op, args }: Node): boolean {
  if (op !== 'rcall' || !Array.isArray(args)) return false
  const [name, receiver] = args as [string, Node]
  return receiver.op === 'id' && Object.hasOwn(callCosts, `${String(receiver.args)}.${name}`)
}

const isNode = (value: unknown): value is Node => typeof value === 'object' && value !== null && 'setMeta' in value

function instrument(root: Node, charge: (cost: number) => void): void {
  const seen = new Set<object>()
  const made = new Set<Node>()
  const last = new Map<Node, unknown>()
  const visit = (value: unknown, loop = 0): void => {
    if (typeof value !== 'object' || value === null || seen.has(value)) return
    seen.add(value)
    if (!isNode(value)) return Object.values(value).forEach((each) => visit(each, 0))
    const { alternate, macro } = value.meta
    if (alternate !== undefined) return visit(alternate, loopCost(value))
    if (macro !== undefined) visit(macro)
    else if (value.op === 'comprehension') {
      const { iterable, init, step } = value.args as { iterable: Node; init: Node; step: Node }
      made.add(init)
      visit([iterable, init, step])
      measure(step, last, () => charge(loop))
    } else visit(value.args)
    if (macro !== undefined) {
      const [name] = value.args as [string]
      const [round] = ('expressions' in macro ? (macro.expressions as (Node | undefined)[]).filter((each) => each !== undefined) : 'key' in macro ? [macro.key as Node] : []).slice(-1)
      if (round === undefined) return
      measure(round.meta.alternate ?? round, last, () => charge(ofRound[name] ?? 0))
      return measure((macro as { receiver: Node }).receiver, last, () => charge(1))
    }
    // What is constant costs nothing, but for where a macro begins.
    if (isConstant(value) && !made.has(value)) return measure(value, last, () => {})
    const cost = costOf(value, last)
    measure(value, last, () => charge(cost()))
  }
  visit(root)
}

/** Evaluates as before, keeps the value for whoever's cost depends on it, and then tells. */
function measure(node: Node, last: Map<Node, unknown>, tell: () => void): void {
  const { evaluate } = node.meta
  node.setMeta('evaluate', (evaluator, self, context) => {
    const value = evaluate(evaluator, self, context)
    last.set(node, value)
    tell()
    return value
  })
}

/** What a round of a macro costs beside what it asks of an item: its own condition and sum. */
function loopCost({ op, args }: Node): number {
  const name = op === 'rcall' && Array.isArray(args) ? args[0] : ''
  return name === 'all' ? 3 : name === 'exists' ? 4 : 0
}

const traversal = 0.1
const regularExpression = 0.25

function costOf(node: Node, last: ReadonlyMap<Node, unknown>): () => number {
  const { op, args } = node
  const parts = (Array.isArray(args) ? args : []) as unknown[]
  const size = (part: unknown): number => (isNode(part) ? sizeOf(last.get(part)) : 1)
  switch (op) {
    case 'value':
    case '?:':
    case '&&':
    case '||':
    case 'comprehension':
    case 'accuValue':
      return () => 0
    case 'list':
      return () => 10
    case 'map':
      return () => 30
    case 'accuPush':
      return () => 12
    case 'accuInc':
      return () => 2
    case 'in':
      return () => size(parts[1])
    case '+':
      return () => (isNode(parts[0]) && typeof last.get(parts[0]) === 'string' ? Math.ceil((size(parts[0]) + size(parts[1])) * traversal) : 1)
    case '==':
    case '!=':
    case '<':
    case '<=':
    case '>':
    case '>=':
      return () => Math.ceil(Math.min(size(parts[0]), size(parts[1])) * traversal)
    case 'call': {
      const [name, given = []] = parts as [string, Node[]]
      const cost = Object.hasOwn(callCosts, name) ? callCosts[name] : undefined
      return () => cost?.(given.map((part) => last.get(part)), last.get(node)) ?? 1
    }
    case 'rcall': {
      const [name, receiver, given = []] = parts as [string, Node, Node[]]
      const [argument] = given
      const cost = ofLibrary(node) ? callCosts[`${String(receiver.args)}.${name}`] : Object.hasOwn(callCosts, name) ? callCosts[name] : undefined
      if (cost !== undefined) return () => cost((ofLibrary(node) ? given : [receiver, ...given]).map((part) => last.get(part)), last.get(node))
      if (name === 'startsWith' || name === 'endsWith') return () => Math.ceil(size(argument) * traversal)
      if (name === 'contains') return () => Math.ceil(size(receiver) * traversal) * Math.ceil(size(argument) * traversal)
      if (name === 'matches') return () => Math.ceil((1 + size(receiver)) * traversal) * Math.ceil(size(argument) * regularExpression)
      return () => 1
    }
    default:
      return () => 1
  }
}
