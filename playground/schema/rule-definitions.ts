import type { Cause, Schema } from '#playground/contract.ts'
import { costErrors } from './cel-limits.ts'
import { hasRules, programOf, readRule } from './cel-rules.ts'
import { shapeOf, type Shape } from './cel-shapes.ts'
import { typesOf, type TypeProblem } from './cel-types.ts'

type Rule = NonNullable<Schema['x-kubernetes-validations']>[number]

/** What of a definition's rules may be too expensive, as causes below `path`, so that they are refused when they are defined. */
export function expensiveRules(schema: Schema, path: string): Cause[] {
  return hasRules(schema) ? costErrors(schema, path, (expression) => ('broken' in programOf(expression) ? undefined : readRule(expression))) : []
}

/** What is wrong with the rules of a definition's schema, as causes below `path`, so that a broken rule is refused when it is defined. */
export function brokenRules(schema: Schema, path: string, shape: Shape | undefined = shapeOf(schema, true)): Cause[] {
  if (!hasRules(schema)) return []
  const own = (schema['x-kubernetes-validations'] ?? []).flatMap((rule, i) => {
    const at = `${path}.x-kubernetes-validations[${i}]`
    const broken = problemOf(rule.rule, shape, 'bool')
    const ofRule = broken === 'wrong type' ? 'cel expression must evaluate to a bool' : broken && `compilation failed: ${broken}`
    if (ofRule !== undefined) return [refused(`${at}.rule`, rule, ofRule)]
    const message = rule.messageExpression === undefined ? undefined : problemOf(rule.messageExpression, shape, 'string')
    if (message === undefined) return []
    return [refused(`${at}.messageExpression`, rule, message === 'wrong type' ? 'messageExpression must evaluate to a string' : `messageExpression compilation failed: ${message}`)]
  })
  const fields = Object.entries(schema.properties ?? {}).flatMap(([name, field]) => brokenRules(field, `${path}.properties[${name}]`, shapeOf(field)))
  const items = schema.items === undefined ? [] : brokenRules(schema.items, `${path}.items`, shapeOf(schema.items))
  const { additionalProperties: others } = schema
  return [...own, ...fields, ...items, ...(typeof others === 'object' ? brokenRules(others, `${path}.additionalProperties`, shapeOf(others)) : [])]
}

/** Why an expression cannot be run; `wrong type` where it can, and makes something else. */
function problemOf(expression: string, shape: Shape | undefined, wanted: 'bool' | 'string'): string | undefined {
  const read = readRule(expression)
  const types = read === undefined || shape === undefined ? undefined : typesOf(read, expression, shape)
  if (types !== undefined && types.problems.length > 0) return types.problems.map((problem) => drawn(expression, problem)).join('\n')
  const program = programOf(expression)
  if ('broken' in program) return program.broken
  return types === undefined || types.kind === wanted || types.kind === 'dyn' || types.kind === 'optional' ? undefined : 'wrong type'
}

/** As cel-go draws an error below the line that it is in. */
function drawn(expression: string, { at, message }: TypeProblem): string {
  const before = expression.slice(0, at).split('\n')
  const column = before.at(-1)?.length ?? 0
  return `ERROR: <input>:${before.length}:${column + 1}: ${message}\n | ${expression.split('\n')[before.length - 1]}\n | ${'.'.repeat(column)}^`
}

/** The rule is shown as Go writes a struct that has no names for JSON, and escapes what HTML would read. */
function refused(field: string, { rule, message = '', messageExpression = '', reason, fieldPath = '', optionalOldSelf }: Rule, detail: string): Cause {
  const text = JSON.stringify({ Rule: rule, Message: message, MessageExpression: messageExpression, Reason: reason ?? null, FieldPath: fieldPath, OptionalOldSelf: optionalOldSelf ?? null })
  const shown = text.replace(/[<>&\u2028\u2029]/g, (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`)
  return { reason: 'FieldValueInvalid', message: `Invalid value: ${shown}: ${detail}`, field }
}
