import type { ParseResult } from '@marcbachmann/cel-js'
import type { Cause, Schema } from '#playground/contract.ts'
import { forbidden } from './causes.ts'
import { estimatedCost } from './cel-estimate.ts'
import { mostTimes, shapeOf } from './cel-shapes.ts'

/** What one rule may cost by its estimate, and all rules of a schema together: a real server's own limits. */
const mostOfOne = 10_000_000
const mostOfAll = 100_000_000

type Observed = { readonly field: string; readonly what: 'rule' | 'messageExpression'; readonly cost: number }

/**
 * What is too expensive among the rules of a definition's schema, where `read` gives the expressions that can be read. Rules under a list or map without a
 * limit may run as often as their object fits into a request. Source: apiextensions-apiserver `pkg/apis/apiextensions/validation/validation.go`.
 */
export function costErrors(schema: Schema, path: string, read: (expression: string) => ParseResult | undefined): Cause[] {
  const all = observe(schema, path, read, 1, true)
  const errors = all.filter(({ cost }) => cost > mostOfOne).map(({ field, what, cost }) => forbidden(field, exceeds(`estimated ${what} cost`, cost, mostOfOne)))
  const total = all.reduce((sum, { cost }) => sum + cost, 0)
  if (total <= mostOfAll) return errors
  const dearest = all.filter(({ cost }) => cost >= mostOfAll / 100).sort((a, b) => b.cost - a.cost)
  return [
    ...errors,
    ...dearest.slice(0, 4).map(({ field }) => forbidden(field, 'contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema')),
    forbidden(path, exceeds('x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema', total, mostOfAll)),
  ]
}

/** `times`: how often the schema is in an object at most; undefined for as often as it fits. */
function observe(schema: Schema, path: string, read: (expression: string) => ParseResult | undefined, times: number | undefined, isRoot: boolean): Observed[] {
  const rules = schema['x-kubernetes-validations'] ?? []
  const shape = rules.length === 0 ? undefined : shapeOf(schema, isRoot || schema['x-kubernetes-embedded-resource'] === true)
  const own = rules.flatMap(({ rule, messageExpression = '' }, i): Observed[] => {
    const [run, message] = [rule, messageExpression].map((expression) => (expression === '' ? undefined : read(expression)))
    if (shape === undefined) return []
    const at = `${path}.x-kubernetes-validations[${i}]`
    const cost = run === undefined ? 0 : estimatedCost(run, shape)
    const ofRule: Observed = { field: `${at}.rule`, what: 'rule', cost: cost === 0 ? 0 : cost * (times ?? mostTimes(shape)) }
    return message === undefined ? [ofRule] : [ofRule, { field: `${at}.messageExpression`, what: 'messageExpression', cost: estimatedCost(message, shape) }]
  })
  const below = (each: Schema, part: string, most: number | undefined): Observed[] => observe(each, `${path}.${part}`, read, times === undefined || most === undefined ? undefined : times * most, false)
  const fields = Object.entries(schema.properties ?? {}).flatMap(([name, field]) => below(field, `properties[${name}]`, typeof schema.additionalProperties === 'object' ? schema.maxProperties : 1))
  const items = schema.items === undefined ? [] : below(schema.items, 'items', schema.maxItems)
  const others = typeof schema.additionalProperties === 'object' ? below(schema.additionalProperties, 'additionalProperties', schema.maxProperties) : []
  return [...own, ...fields, ...items, ...others]
}

function exceeds(what: string, cost: number, limit: number): string {
  const factor = cost / limit
  const told = factor > 100 ? 'more than 100x' : factor < 1.5 ? `${factor.toFixed(6)}x` : `${factor.toFixed(1)}x`
  return `${what} exceeds budget by factor of ${told} (try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)`
}
