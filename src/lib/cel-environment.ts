import { Environment, type ParseResult } from '@marcbachmann/cel-js'
import { addExtensions } from './cel-extensions.ts'
import { parseCel } from './cel-library/has.ts'
import { Failure } from './failure.ts'

/** The longest expression that is read, in characters. */
const longestExpression = 10_000

const environment = addExtensions(
  new Environment({
    unlistedVariablesAreDyn: true,
    enableOptionalTypes: true,
    homogeneousAggregateLiterals: false,
    limits: { maxAstNodes: 2_000, maxDepth: 100, maxListElements: 500, maxMapEntries: 500, maxCallArguments: 32 },
  }),
)

/** An expression, read and checked for types as far as they are known. Failure `cel-invalid`, with `fields.line` and `fields.column`. */
export function readCel(expression: string): ParseResult {
  if (expression.length > longestExpression) throw invalid(expression, `it has ${expression.length} characters, and at most ${longestExpression} are read`)
  try {
    const read = parseCel(environment, expression)
    const { valid, error } = read.check()
    if (!valid && error !== undefined) throw error
    return read
  } catch (error) {
    throw invalid(expression, summaryOf(error), startOf(error))
  }
}

/** The first sentence of what the library says, without its drawing of the expression. */
export function summaryOf(error: unknown): string {
  if (error instanceof RangeError) return 'it is nested too deeply'
  return (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? ''
}

function startOf(error: unknown): number | undefined {
  const range = typeof error === 'object' && error !== null && 'range' in error ? (error.range as { start: number } | undefined) : undefined
  return range?.start
}

function invalid(expression: string, why: string, start?: number): Failure {
  const before = start === undefined ? undefined : expression.slice(0, start).split('\n')
  const place = before === undefined ? undefined : { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 }
  return new Failure({
    code: 'cel-invalid',
    subject: expression.length > 80 ? `${expression.slice(0, 80)}…` : expression,
    message: `the CEL expression is wrong${place === undefined ? '' : ` at line ${place.line}, column ${place.column}`}: ${why}`,
    hint: 'The language: https://github.com/google/cel-spec/blob/master/doc/langdef.md',
    ...(place === undefined ? {} : { fields: place }),
  })
}
