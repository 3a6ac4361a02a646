import { Environment, type ParseResult } from '@marcbachmann/cel-js'
import { addExtensions } from '#lib/cel-extensions.ts'
import { parseCel } from '#lib/cel-library/has.ts'
import { equalJson, isObject, type Json } from '#lib/json.ts'
import type { Cause, Schema } from '#playground/contract.ts'
import { duplicate, forbidden, invalidValue, required } from './causes.ts'
import { type Budget, costOfAll, metered, OutOfCost } from './cel-cost.ts'
import { celValue } from './cel-values.ts'
import { oldField, oldItems } from './correlation.ts'
import { join } from './openapi-errors.ts'
import { OutOfTime, withinTime } from './within-time.ts'

type Rule = NonNullable<Schema['x-kubernetes-validations']>[number]

type Program = { readonly run: ReturnType<typeof metered>; readonly usesOldSelf: boolean } | { readonly broken: string }

/** What costs less than the limit may still take long: a regular expression that backtracks. On a busy machine what the cost limit ends takes a second. */
const milliseconds = 3_000
const longest = 5000

const environment = addExtensions(
  new Environment({
    enableOptionalTypes: true,
    homogeneousAggregateLiterals: false,
    limits: { maxAstNodes: 2000, maxDepth: 100, maxListElements: 500, maxMapEntries: 500, maxCallArguments: 32 },
  }),
)
  .registerVariable('self', 'dyn')
  .registerVariable('oldSelf', 'dyn')

const programs = new Map<string, Program>()

/** An expression as it is written, its types not looked at; undefined where it cannot be read. */
export function readRule(expression: string): ParseResult | undefined {
  try {
    return expression.length > longest ? undefined : parseCel(environment, expression)
  } catch {
    return undefined
  }
}

export function programOf(expression: string): Program {
  let program = programs.get(expression)
  if (program === undefined) {
    if (programs.size > 1000) programs.clear()
    program = compile(expression)
    programs.set(expression, program)
  }
  return program
}

function compile(expression: string): Program {
  if (expression.length > longest) return { broken: `the expression is longer than ${longest} characters` }
  try {
    const run = parseCel(environment, expression)
    const check = run.check()
    if (!check.valid) return { broken: firstLine(check.error) }
    return { usesOldSelf: namesOldSelf(run.ast), run: metered(run) }
  } catch (error) {
    return { broken: firstLine(error) }
  }
}

function namesOldSelf(node: unknown): boolean {
  if (Array.isArray(node)) return node.some(namesOldSelf)
  if (typeof node !== 'object' || node === null || !('op' in node) || !('args' in node)) return false
  return node.op === 'id' ? node.args === 'oldSelf' : namesOldSelf(node.args)
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n')[0] as string
}

/** As cel-go begins its errors: `no such key: replicas`. */
function celWords(error: unknown): string {
  return firstLine(error).replace(/^[A-Z](?=[a-z])/, (letter) => letter.toLowerCase())
}

/** How the server names a rule that it could not run: by its message, where it has one. */
function nameOf({ message = '', rule }: Rule): string {
  return (message === '' ? rule : message).trim()
}

/** Whether a schema, or anything below it, has rules. */
export function hasRules(schema: Schema): boolean {
  let answer = ruled.get(schema)
  if (answer === undefined) {
    const below = [...Object.values(schema.properties ?? {}), schema.items, schema.additionalProperties].filter((each) => typeof each === 'object')
    answer = (schema['x-kubernetes-validations'] ?? []).length > 0 || below.some(hasRules)
    ruled.set(schema, answer)
  }
  return answer
}

const ruled = new WeakMap<Schema, boolean>()

/**
 * Evaluates the `x-kubernetes-validations` of a schema, all of an object within one cost and one time limit. Rules that name `oldSelf` run only where there
 * is an old value; the others let be what did not change. Source: apiextensions-apiserver `schema/cel/validation.go`.
 */
export function ruleErrors(value: Json, schema: Schema, old: Json | undefined): Cause[] {
  if (!hasRules(schema)) return []
  const errors: Cause[] = []
  let at: { field: string; rule: Rule; type: string } | undefined
  try {
    const budget = { left: costOfAll }
    withinTime(milliseconds, () => visit(value, schema, '', old, errors, { begin: (field, rule, type) => (at = { field, rule, type }), budget }))
  } catch (error) {
    if (!(error instanceof OutOfTime || error instanceof OutOfCost) || at === undefined) throw error
    const detail =
      error instanceof OutOfCost && error.of === 'all'
        ? 'validation failed due to running out of cost budget, no further validation rules will be run'
        : `'operation cancelled: actual cost limit exceeded': no further validation rules will be run due to call cost exceeds limit for rule: ${nameOf(at.rule)}`
    errors.push(invalidValue(at.field, at.type, detail))
  }
  return errors
}

type Visit = { readonly begin: (field: string, rule: Rule, type: string) => void; readonly budget: Budget }

function visit(value: Json, schema: Schema, path: string, old: Json | undefined, errors: Cause[], visiting: Visit): void {
  if (value === null || !hasRules(schema)) return
  for (const rule of schema['x-kubernetes-validations'] ?? []) {
    visiting.begin(path, rule, schema.type ?? '')
    const error = ruleError(value, schema, path, old, rule, visiting.budget)
    if (error !== undefined) errors.push(error)
  }
  const { properties = {}, additionalProperties, items } = schema
  if (Array.isArray(value) && items !== undefined) {
    const before = oldItems(schema, value, old)
    for (const [i, item] of value.entries()) visit(item, items, `${path}[${i}]`, before[i], errors, visiting)
  } else if (isObject(value)) {
    for (const [name, field] of Object.entries(value)) {
      const own = Object.hasOwn(properties, name) ? properties[name] : typeof additionalProperties === 'object' ? additionalProperties : undefined
      if (own !== undefined) visit(field, own, join(path, name), oldField(old, name), errors, visiting)
    }
  }
}

function ruleError(value: Json, schema: Schema, path: string, old: Json | undefined, rule: Rule, budget: Budget): Cause | undefined {
  const program = programOf(rule.rule)
  const shown = typeof value === 'object' ? undefined : value
  if ('broken' in program) return invalidValue(path, shown, `rule compile error: ${program.broken}`)
  if (program.usesOldSelf && old === undefined && rule.optionalOldSelf !== true) return undefined
  const context = { self: celValue(value, schema), oldSelf: old === undefined ? null : celValue(old, schema) }
  let holds: unknown
  try {
    holds = program.run(context, budget)
  } catch (error) {
    if (error instanceof OutOfTime || error instanceof OutOfCost) throw error
    return invalidValue(path, schema.type ?? '', `${celWords(error)} evaluating rule: ${nameOf(rule)}`)
  }
  if (holds === true) return undefined
  if (!program.usesOldSelf && old !== undefined && equalJson(value, old)) return undefined
  return forReason(rule.reason, `${path}${rule.fieldPath ?? ''}`.replace(/^\./, ''), shown, messageOf(rule, context, budget))
}

function messageOf(rule: Rule, context: object, budget: Budget): string {
  const otherwise = rule.message === undefined || rule.message === '' ? `failed rule: ${rule.rule.trim()}` : rule.message.trim()
  if (rule.messageExpression === undefined) return otherwise
  const program = programOf(rule.messageExpression)
  if ('broken' in program) return otherwise
  try {
    const message = program.run(context, budget)
    const usable = typeof message === 'string' && message.trim() !== '' && message.length <= longest && !message.includes('\n')
    return usable ? message.trim() : otherwise
  } catch {
    return otherwise
  }
}

function forReason(reason: string | undefined, field: string, value: Json | undefined, message: string): Cause {
  switch (reason) {
    case 'FieldValueRequired':
      return required(field, message)
    case 'FieldValueForbidden':
      return forbidden(field, message)
    case 'FieldValueDuplicate':
      return duplicate(field, value)
    default:
      return invalidValue(field, value, message)
  }
}
