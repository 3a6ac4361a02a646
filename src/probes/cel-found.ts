import { Failure } from '#lib/failure.ts'
import type { Json } from '#lib/json.ts'
import type { Found } from './sample.ts'
import { show } from './thresholds.ts'

/** What an expression's value says of a thing: true or false, and nothing else. Failure `cel-failed`. */
export function celFound(value: unknown, what: string): Found {
  if (value === true) return { value, verdict: 'passed', message: `${what} is as the expression says` }
  if (value === false) return { value, verdict: 'failed', message: `${what} is not as the expression says` }
  throw new Failure({ code: 'cel-failed', subject: what, message: `the CEL expression gives ${show(value as Json)}, expected true or false` })
}
