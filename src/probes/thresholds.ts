import type { Json } from '#lib/json.ts'
import { equalJson } from '#lib/json.ts'
import { printable } from './sample.ts'
import type { Found } from './sample.ts'

/** The rules for one value. `warn` lies on the good side of `max`; where there is no `max` but a `min`, on the good side of that. */
export type Thresholds = {
  readonly equals?: Json | undefined
  readonly min?: number | undefined
  readonly max?: number | undefined
  readonly warn?: number | undefined
  readonly unit?: string | undefined
}

/** `<= 10 s, warns above 5 s`. Undefined where there is no rule. */
export function thresholdText({ equals, min, max, warn, unit }: Thresholds): string | undefined {
  const written = (n: number): string => withUnit(n, unit)
  const parts = [
    ...(equals === undefined ? [] : [`= ${show(equals)}`]),
    ...(min === undefined ? [] : [`>= ${written(min)}`]),
    ...(max === undefined ? [] : [`<= ${written(max)}`]),
    ...(warn === undefined ? [] : [`warns ${warnsBelow({ min, max }) ? 'below' : 'above'} ${written(warn)}`]),
  ]
  return parts.length === 0 ? undefined : parts.join(', ')
}

/** Holds a value against its rules. `what` names it in the message: `replica lag 47 s, threshold 10 s`. */
export function judge(what: string, value: Json, rules: Thresholds): Found {
  const { equals, min, max, warn, unit } = rules
  const threshold = thresholdText(rules)
  const base = { value, ...(unit === undefined ? {} : { unit }), ...(threshold === undefined ? {} : { threshold }) }
  const ranged = min !== undefined || max !== undefined || warn !== undefined
  if (equals !== undefined && !equalJson(equals, value)) return { ...base, verdict: 'failed', message: `${what} is ${show(value)}, expected ${show(equals)}` }
  if (!ranged) return { ...base, verdict: 'passed', message: `${what} is ${show(value)}` }
  if (typeof value !== 'number' || !Number.isFinite(value)) return { ...base, verdict: 'failed', message: `${what} is ${show(value)}, expected a number` }
  const shown = `${what} ${withUnit(value, unit)}`
  if (max !== undefined && value > max) return { ...base, verdict: 'failed', message: `${shown}, threshold ${withUnit(max, unit)}` }
  if (min !== undefined && value < min) return { ...base, verdict: 'failed', message: `${shown}, at least ${withUnit(min, unit)} expected` }
  if (warn !== undefined && (warnsBelow(rules) ? value < warn : value > warn)) return { ...base, verdict: 'warned', message: `${shown}, warns ${warnsBelow(rules) ? 'below' : 'above'} ${withUnit(warn, unit)}` }
  return { ...base, verdict: 'passed', message: shown }
}

/** Of what was found about one answer: the worst, the first of equals. */
export function worstOf(all: readonly [Found, ...Found[]]): Found {
  const order = ['failed', 'unknown', 'warned', 'passed'] as const
  return all.reduce((worst, found) => (order.indexOf(found.verdict) < order.indexOf(worst.verdict) ? found : worst))
}

function warnsBelow({ min, max }: Pick<Thresholds, 'min' | 'max'>): boolean {
  return max === undefined && min !== undefined
}

function withUnit(n: number, unit: string | undefined): string {
  return unit === undefined || unit === '' ? String(n) : `${n} ${unit}`
}

/** A value as a message shows it: short, and never a whole document. */
export function show(value: Json): string {
  const text = typeof value === 'string' ? `“${value}”` : Array.isArray(value) ? `a list of ${value.length}` : typeof value === 'object' && value !== null ? 'an object' : String(value)
  const line = printable(text)
  return line.length > 80 ? `${line.slice(0, 80)}…` : line
}
