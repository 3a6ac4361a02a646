import type { FailureJson } from '#lib/failure.ts'
import { safe } from './safe.ts'
import type { Paint } from './table.ts'

/** One problem of a configuration, as compilers tell theirs: where, which field, what was expected, and what was probably meant. */
export function problemLines(problem: FailureJson, paint: Paint): string[] {
  const expected = problem.fields?.['expected']
  return [
    `${paint('strong', safe(problem.subject))}: ${safe(problem.message)} ${paint('quiet', `[${problem.code}]`)}`,
    ...(typeof expected === 'string' && !problem.message.includes(expected) ? [`  expected ${safe(expected)}`] : []),
    ...(problem.hint === undefined ? [] : [`  ${safe(problem.hint)}`]),
  ]
}
