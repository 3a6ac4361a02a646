import type { Environment, ParseResult } from '@marcbachmann/cel-js'

/* What the library's syntax trees and macros are; its types say nothing of it. */
type Node = { readonly op: string; readonly args: unknown; readonly meta?: { readonly macro?: Macro } }
type Macro = { args: readonly Node[]; typeCheck(checker: Checker, macro: Macro, context: unknown): unknown; /** The selections from the last to the first, and what they begin at. */ macroHasProps?: readonly Node[] }
type Checker = { check(node: Node, context: unknown): unknown }

/**
 * An expression as it is written, in which `has()` takes a field of whatever an expression makes, as cel-go's does: `has(object.spec.ports[0].name)`. The
 * library's own takes fields of a variable alone. Throws what the library throws.
 */
export function parseCel(environment: Environment, expression: string): ParseResult {
  const read = environment.parse(expression)
  widen(read.ast)
  return read
}

function widen(node: unknown): void {
  if (Array.isArray(node)) return node.forEach(widen)
  if (!isNode(node)) return
  const macro = node.meta?.macro
  if (node.op === 'call' && macro !== undefined && (node.args as [string])[0] === 'has') widenOne(macro)
  widen(node.args)
}

function widenOne(macro: Macro): void {
  const [argument] = macro.args
  const selections: Node[] = []
  let start = argument
  for (; start !== undefined && (start.op === '.' || start.op === '.?'); start = (start.args as [Node])[0]) selections.push(start)
  if (start === undefined || start.op === 'id' || argument?.op !== '.') return
  const from = start
  const { typeCheck } = macro
  macro.typeCheck = (checker, self, context) => {
    checker.check(from, context)
    macro.macroHasProps = [...selections, from]
    return typeCheck(checker, self, context)
  }
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'op' in value && 'args' in value
}
