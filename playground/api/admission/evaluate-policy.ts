import { toCel } from '#lib/cel-values.ts'
import { isObject, type JsonObject } from '#lib/json.ts'
import type { KubernetesObject } from '#playground/contract.ts'
import { evaluate, type Values } from './cel-program.ts'
import { withVariables } from './cel-values.ts'

/** What a validation says against a request, or why it could not be asked. */
export type Failed = { readonly index: number; readonly message: string; readonly reason: string; readonly errored: boolean }

export type Evaluated = { readonly failed: readonly Failed[]; readonly annotations: Readonly<Record<string, string>>; /** Audit annotations that could not be made. */ readonly problems: readonly string[] }

const longestMessage = 5 * 1024
const longestAnnotation = 10 * 1024

/** A policy's verdict with one parameter. Source: apiserver `pkg/admission/plugin/policy/validating/validator.go`. */
export function evaluatePolicy(spec: JsonObject, given: Values, param: KubernetesObject | undefined): Evaluated {
  const nothing: Evaluated = { failed: [], annotations: {}, problems: [] }
  const variables = objects(spec.variables).map(({ name, expression }) => ({ name: String(name), expression: String(expression) }))
  const values = withVariables({ ...given, params: toCel(param ?? null) }, variables)
  const conditions = conditionsHold(objects(spec.matchConditions), values)
  if (conditions === 'not-met') return nothing
  if (conditions !== 'met') return { ...nothing, failed: [{ index: 0, message: conditions.error, reason: '', errored: true }] }
  const failed = objects(spec.validations).flatMap((validation, index): Failed[] => {
    const result = evaluate(String(validation.expression), values)
    if ('error' in result) return [{ index, message: result.error, reason: '', errored: true }]
    if (result.value === true) return []
    return [{ index, message: messageOf(validation, values), reason: typeof validation.reason === 'string' ? validation.reason : 'Invalid', errored: false }]
  })
  return { failed, ...annotationsOf(objects(spec.auditAnnotations), values) }
}

/** Match conditions of a policy or webhook: one that is false decides, whatever the others are. */
export function conditionsHold(conditions: readonly JsonObject[], values: Values): 'met' | 'not-met' | { readonly error: string } {
  const errors: string[] = []
  for (const { expression } of conditions) {
    const result = evaluate(String(expression), values)
    if ('error' in result) errors.push(result.error)
    else if (result.value === false) return 'not-met'
  }
  return errors.length === 0 ? 'met' : { error: errors.length === 1 ? (errors[0] as string) : `[${errors.join(', ')}]` }
}

function messageOf(validation: JsonObject, values: Values): string {
  if (typeof validation.messageExpression === 'string' && validation.messageExpression !== '') {
    const result = evaluate(validation.messageExpression, values)
    const message = 'value' in result && typeof result.value === 'string' ? result.value.trim() : ''
    if (message !== '' && message.length <= longestMessage && !message.includes('\n')) return message
  }
  if (typeof validation.message === 'string' && validation.message !== '') return validation.message.trim()
  return `failed expression: ${String(validation.expression).trim()}`
}

function annotationsOf(annotations: readonly JsonObject[], values: Values): Pick<Evaluated, 'annotations' | 'problems'> {
  const made: Record<string, string> = {}
  const problems: string[] = []
  for (const { key, valueExpression } of annotations) {
    const result = evaluate(String(valueExpression), values)
    if ('error' in result) problems.push(result.error)
    else if (typeof result.value === 'string') {
      if (result.value.trim() !== '') made[String(key)] = result.value.trim().slice(0, longestAnnotation)
    } else if (result.value !== null) problems.push(`valueExpression '${String(valueExpression)}' resulted in unsupported return type: ${typeof result.value}. Return type must be either string or null.`)
  }
  return { annotations: made, problems }
}

export function objects(value: unknown): JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : []
}
