import { isObject } from '#lib/json.ts'
import type { Cause } from '#playground/contract.ts'
import { programOf } from '../admission/cel-program.ts'
import { objects } from '../admission/evaluate-policy.ts'
import type { Behaviour } from './behaviours.ts'
import { invalidValue } from './immutable.ts'

/** A policy, or a webhook's conditions, with an expression that cannot be read is refused when it is written, not when it is needed. */
export const admissionPolicy: Behaviour = {
  check: (object) => {
    const spec = isObject(object.spec) ? object.spec : {}
    return [
      ...expressions(spec.variables, 'spec.variables', 'expression'),
      ...expressions(spec.matchConditions, 'spec.matchConditions', 'expression', 'bool'),
      ...expressions(spec.validations, 'spec.validations', 'expression', 'bool'),
      ...expressions(spec.validations, 'spec.validations', 'messageExpression', 'string'),
      ...expressions(spec.auditAnnotations, 'spec.auditAnnotations', 'valueExpression'),
    ]
  },
}

export const webhookConfiguration: Behaviour = {
  check: (object) => objects(object.webhooks).flatMap((webhook, index) => expressions(webhook.matchConditions, `webhooks[${index}].matchConditions`, 'expression', 'bool')),
}

function expressions(list: unknown, path: string, field: string, type?: 'bool' | 'string'): Cause[] {
  return objects(list).flatMap((item, index): Cause[] => {
    const text = item[field]
    if (typeof text !== 'string' || text === '') return []
    const at = `${path}[${index}].${field}`
    const program = programOf(text)
    if ('broken' in program) return [invalidValue(at, text, `compilation failed: ${program.broken}`)]
    if (type === undefined || program.type === type || program.type === 'dyn') return []
    return [invalidValue(at, text, `must evaluate to ${type}`)]
  })
}
