import type { Environment, TypeDeclaration } from '@marcbachmann/cel-js'
import { entriesOf, equalInCel } from './equal.ts'
import { sortedBy } from './lists.ts'
import { wrong } from './wrong.ts'

/* What the library hands to a macro; its types say nothing of it. */
type Node = { readonly op: string; readonly args: unknown }
type Context = { forkWithVariable(name: string, type: TypeDeclaration): Context; reuse(parent: Context): Context; setIterValue(value: unknown, evaluator: Evaluator): Context }
type Checker = { check(node: Node, context: Context): TypeDeclaration; getType(name: string): TypeDeclaration; createError(code: string, message: string, node: Node): Error }
type Evaluator = { run(node: Node, context: Context): unknown; tryEval(node: Node, context: Context): unknown }
type Call = { readonly args: readonly Node[]; readonly receiver: Node }

/** One round of a comprehension: what an expression gives for a key and a value; `attempt` gives an error in place of throwing it. */
type Round = { readonly key: unknown; readonly value: unknown; run(node: Node): unknown; attempt(node: Node): unknown }

type Comprehension = {
  readonly name: string
  /** With how many expressions behind the two variables. */
  readonly expressions: 1 | 2
  readonly type: string
  readonly carryOut: (rounds: Iterable<Round>, expressions: readonly [Node, Node | undefined]) => unknown
}

/** cel-go's two-variable comprehensions (`ext.TwoVarComprehensions`), and `sortBy` of `ext.Lists`. */
export function addComprehensions(environment: Environment): Environment {
  for (const comprehension of comprehensions) {
    const { name, expressions, type } = comprehension
    environment.registerFunction(`list.${name}(${Array(expressions + 2).fill('ast').join(', ')}): ${type}`, (call: Call) => twoVariables(comprehension, call))
  }
  return environment.registerFunction('list.sortBy(ast, ast): list<dyn>', sortBy)
}

const comprehensions: readonly Comprehension[] = [
  { name: 'all', expressions: 1, type: 'bool', carryOut: (rounds, [predicate]) => quantified(rounds, predicate, false) },
  { name: 'exists', expressions: 1, type: 'bool', carryOut: (rounds, [predicate]) => quantified(rounds, predicate, true) },
  ...['existsOne', 'exists_one'].map((name): Comprehension => ({ name, expressions: 1, type: 'bool', carryOut: (rounds, [predicate]) => [...rounds].filter((round) => holds(round, predicate)).length === 1 })),
  ...([1, 2] as const).flatMap((expressions): Comprehension[] => [
    { name: 'transformList', expressions, type: 'list<dyn>', carryOut: (rounds, given) => transformed(rounds, given, (round, result) => ({ key: round.key, value: result })).map(({ value }) => value) },
    { name: 'transformMap', expressions, type: 'map<dyn, dyn>', carryOut: (rounds, given) => mapOf(transformed(rounds, given, (round, result) => ({ key: round.key, value: result }))) },
    { name: 'transformMapEntry', expressions, type: 'map<dyn, dyn>', carryOut: (rounds, given) => mapOf(transformed(rounds, given, (_, result) => entryOf(result))) },
  ]),
]

function twoVariables({ type, carryOut }: Comprehension, { args, receiver }: Call): object {
  const [keyName, valueName] = [nameOf(args[0]), nameOf(args[1])]
  const [first, second] = args.slice(2) as [Node, Node | undefined]
  let contexts: { readonly outer: Context; readonly inner: Context } | undefined
  return {
    async: false,
    // The nodes are in sight of whoever counts what they cost.
    receiver,
    expressions: [first, second],
    typeCheck: (checker: Checker, _: unknown, context: Context): TypeDeclaration => {
      const over = checker.check(receiver, context)
      const dyn = checker.getType('dyn')
      if (!['list', 'map', 'dyn'].includes(over.kind)) throw checker.createError('invalid_comprehension_range', `expression of type '${over.name}' cannot be range of a comprehension (must be list, map, or dynamic)`, receiver)
      const outer = context.forkWithVariable(keyName, over.kind === 'list' ? checker.getType('int') : (over.keyType ?? dyn))
      const inner = outer.forkWithVariable(valueName, over.valueType ?? dyn)
      for (const expression of [first, second]) if (expression !== undefined) checker.check(expression, inner)
      contexts = { outer, inner }
      return checker.getType(type)
    },
    evaluate: (evaluator: Evaluator, _: unknown, context: Context): unknown => {
      const over = evaluator.run(receiver, context)
      const entries: [unknown, unknown][] = Array.isArray(over) ? over.map((item, index) => [BigInt(index), item]) : typeof over === 'object' && over !== null ? entriesOf(over) : wrong('no such overload')
      const rounds = entries.map(([key, value]): Round => {
        const enter = (): Context => {
          if (contexts === undefined) throw new Error('the expression was not checked')
          return contexts.inner.reuse(contexts.outer.reuse(context).setIterValue(key, evaluator)).setIterValue(value, evaluator)
        }
        return { key, value, run: (node) => evaluator.run(node, enter()), attempt: (node) => evaluator.tryEval(node, enter()) }
      })
      return carryOut(rounds, [first, second])
    },
  }
}

function nameOf(node: Node | undefined): string {
  return node?.op === 'id' ? String(node.args) : wrong('the argument is not an identifier')
}

/** With `decisive` among the answers it is that one, whatever else failed. */
function quantified(rounds: Iterable<Round>, predicate: Node, decisive: boolean): boolean {
  let failed: unknown
  for (const round of rounds) {
    const answer = round.attempt(predicate)
    if (answer === decisive) return decisive
    if (answer !== !decisive) failed ??= answer instanceof Error ? answer : new Error('no such overload')
  }
  if (failed !== undefined) throw failed
  return !decisive
}

function holds(round: Round, predicate: Node): boolean {
  const answer = round.run(predicate)
  return typeof answer === 'boolean' ? answer : wrong('no such overload')
}

type Entry = { readonly key: unknown; readonly value: unknown }

function transformed(rounds: Iterable<Round>, [first, second]: readonly [Node, Node | undefined], entry: (round: Round, result: unknown) => Entry): Entry[] {
  const entries: Entry[] = []
  for (const round of rounds) if (second === undefined || holds(round, first)) entries.push(entry(round, round.run(second ?? first)))
  return entries
}

function entryOf(result: unknown): Entry {
  const [entry, ...more] = typeof result === 'object' && result !== null && !Array.isArray(result) ? entriesOf(result) : []
  return entry === undefined || more.length > 0 ? wrong('the transform must give a map of one entry') : { key: entry[0], value: entry[1] }
}

function mapOf(entries: readonly Entry[]): Map<unknown, unknown> {
  const map = new Map<unknown, unknown>()
  for (const { key, value } of entries) {
    if (map.has(key) || [...map.keys()].some((known) => equalInCel(known, key))) return wrong(`insert failed: key ${String(key)} already exists`)
    map.set(key, value)
  }
  return map
}

function sortBy({ args, receiver }: Call): object {
  const name = nameOf(args[0])
  const key = args[1] as Node
  let inner: Context | undefined
  return {
    async: false,
    receiver,
    key,
    typeCheck: (checker: Checker, _: unknown, context: Context): TypeDeclaration => {
      const over = checker.check(receiver, context)
      inner = context.forkWithVariable(name, over.valueType ?? checker.getType('dyn'))
      checker.check(key, inner)
      return over
    },
    evaluate: (evaluator: Evaluator, _: unknown, context: Context): unknown => {
      const list = evaluator.run(receiver, context)
      if (!Array.isArray(list) || inner === undefined) return wrong('no such overload')
      const own = inner
      return sortedBy(list, list.map((item) => evaluator.run(key, own.reuse(context).setIterValue(item, evaluator))))
    },
  }
}
