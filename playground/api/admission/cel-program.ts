import { Environment } from '@marcbachmann/cel-js'
import { addExtensions } from '#lib/cel-extensions.ts'
import { parseCel } from '#lib/cel-library/has.ts'
import { metered } from '#playground/schema/cel-cost.ts'
import { OutOfTime } from '#playground/schema/within-time.ts'
import { addAuthorizer } from './cel-authorizer.ts'

const longest = 10_000
const remembered = 1000

const environment = addAuthorizer(
  addExtensions(
    new Environment({
      enableOptionalTypes: true,
      homogeneousAggregateLiterals: false,
      limits: { maxAstNodes: 2000, maxDepth: 100, maxListElements: 500, maxMapEntries: 500, maxCallArguments: 32 },
    }),
  ),
)
for (const name of ['object', 'oldObject', 'request', 'params', 'namespaceObject', 'variables']) environment.registerVariable(name, 'dyn')

/** The values of `object`, `oldObject`, `request`, `params`, `namespaceObject`, `variables` and `authorizer`, as CEL takes them. */
export type Values = Readonly<Record<string, unknown>>

export type Program = { readonly run: (values: Values) => unknown; readonly type: string } | { readonly broken: string }

const programs = new Map<string, Program>()

/** An expression, read and checked once. */
export function programOf(expression: string): Program {
  let program = programs.get(expression)
  if (program === undefined) {
    if (programs.size >= remembered) programs.clear()
    programs.set(expression, (program = compile(expression)))
  }
  return program
}

function compile(expression: string): Program {
  if (expression.length > longest) return { broken: `the expression is longer than ${longest} characters` }
  try {
    const run = parseCel(environment, expression)
    const check = run.check()
    return check.valid ? { run: metered(run), type: String(check.type) } : { broken: firstLine(check.error) }
  } catch (error) {
    return { broken: firstLine(error) }
  }
}

/** What an expression gives, or the error in Kubernetes' words. `OutOfTime` goes through. */
export function evaluate(expression: string, values: Values): { readonly value: unknown } | { readonly error: string } {
  const program = programOf(expression)
  if ('broken' in program) return { error: `compilation error: compilation failed: ${program.broken}` }
  try {
    return { value: program.run(values) }
  } catch (error) {
    if (error instanceof OutOfTime) throw error
    return { error: `expression '${expression}' resulted in error: ${firstLine(error).replace(/^No such key/, 'no such key')}` }
  }
}

function firstLine(error: unknown): string {
  if (error instanceof RangeError) return 'the expression is nested too deeply'
  return (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? ''
}
