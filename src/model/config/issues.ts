import type { z } from 'zod'
import { didYouMean } from '#lib/nearest.ts'
import { isObject } from '#lib/json.ts'
import type { Json } from '#lib/json.ts'
import { fieldsAt, isNearSecret } from './schema-walk.ts'

/** One thing that is wrong with a document, in the words of whoever wrote it. */
export type Complaint = {
  readonly path: readonly (string | number)[]
  /** Whether the field's name is wrong, or its value. */
  readonly at: 'key' | 'value'
  /** What is wrong, without the path: `expected a string, found 5`. */
  readonly what: string
  readonly expected?: string
  readonly hint?: string
}

type Issue = z.core.$ZodIssue

/** zod's issues as complaints, each once: the useful branch of a union, a missing field only when no misspelt one explains it. */
export function complaintsOf(issues: readonly Issue[], schema: z.ZodType, value: Json): Complaint[] {
  const all = issues.flatMap((issue) => translate(issue, [], schema, value))
  const unknown = all.filter((one) => one.at === 'key')
  const explained = (one: Complaint): boolean =>
    unknown.some((key) => key.hint !== undefined && samePath(key.path.slice(0, -1), one.path.slice(0, -1)) && key.hint.includes(`“${String(one.path.at(-1))}”`)) && one.what.startsWith('is missing')
  const spokenFor = (one: Complaint): boolean =>
    one.what.startsWith('expected exactly one of') && all.some((other) => other !== one && other.path.length > one.path.length && samePath(other.path.slice(0, one.path.length), one.path) && other.at === 'key')
  return all.filter((one) => !explained(one) && !spokenFor(one))
}

/** `spec.probes[0].http.path`; names that are no plain words are quoted. */
export function showPath(path: readonly (string | number)[]): string {
  return path
    .map((segment, index) => {
      if (typeof segment === 'number') return `[${segment}]`
      return /^[\w-]+$/.test(segment) ? `${index === 0 ? '' : '.'}${segment}` : `[${JSON.stringify(segment)}]`
    })
    .join('')
}

function translate(issue: Issue, base: readonly (string | number)[], schema: z.ZodType, root: Json): Complaint[] {
  const path = [...base, ...issue.path.map((segment) => (typeof segment === 'symbol' ? String(segment) : segment))]
  const value = shownAt(root, path, schema)
  switch (issue.code) {
    case 'unrecognized_keys': {
      const known = fieldsAt(schema, path)
      const free = known.filter((field) => !isObject(value) || !Object.hasOwn(value, field)) // a field that is there already is not meant
      const expected = known.length === 0 ? {} : { expected: `one of ${known.join(', ')}` }
      return issue.keys.map((key) => ({ path: [...path, key], at: 'key', what: 'unknown field', ...expected, ...didYouMean(key, free) }))
    }
    case 'invalid_union':
      return union(issue, path, schema, root)
    case 'invalid_key':
      return [{ path, at: 'key', what: issue.issues[0]?.message ?? 'not a valid name' }]
    case 'invalid_element':
      return issue.issues.flatMap((inner) => translate(inner, path, schema, root))
    case 'invalid_value': {
      const values = issue.values.map((one) => String(one))
      const expected = values.length === 1 ? `“${values[0]}”` : `one of ${values.join(', ')}`
      return [{ path, at: 'value', what: wanted(expected, value), expected, ...(typeof value === 'string' && value !== hidden ? didYouMean(value, values) : {}) }]
    }
    case 'invalid_type': {
      const expected = typeName(issue.expected)
      const hint = issue.expected === 'boolean' && typeof value === 'string' && /^(y|yes|n|no|on|off)$/i.test(value) ? { hint: 'Booleans are written true and false here.' } : {}
      return [{ path, at: 'value', what: wanted(expected, value), expected, ...hint }]
    }
    default: {
      const expected = issue.message.startsWith('expected ') ? { expected: issue.message.slice('expected '.length) } : {}
      return [{ path, at: 'value', what: `${issue.message}${value === undefined || isObject(value) || Array.isArray(value) ? '' : `, found ${show(value)}`}`, ...expected }]
    }
  }
}

/** The branch of a union that was meant: the one whose top level fits best. Where none fits at all, what the branches want, together. */
function union(issue: Extract<Issue, { code: 'invalid_union' }>, path: (string | number)[], schema: z.ZodType, root: Json): Complaint[] {
  const value = shownAt(root, path, schema)
  const branches = issue.errors.map((issues) => ({ issues, misfit: misfit(issues) }))
  const least = Math.min(...branches.map((branch) => branch.misfit))
  const meant = branches.filter((branch) => branch.misfit === least)
  const [only] = meant
  if (meant.length === 1 && only !== undefined && least < wholeMisfit) return only.issues.flatMap((inner) => translate(inner, path, schema, root))
  if (isObject(value) && meant.length > 0) {
    const known = fieldsAt(schema, path)
    const unknown = Object.keys(value).filter((key) => !known.includes(key))
    const expected = `one of ${known.join(', ')}`
    if (unknown.length > 0) return unknown.map((key) => ({ path: [...path, key], at: 'key', what: 'unknown field', expected, ...didYouMean(key, known) }))
    return [{ path, at: 'value', what: `expected exactly ${expected}`, expected: `exactly ${expected}` }]
  }
  const complaints = issue.errors.flatMap((issues) => issues.filter((inner) => inner.path.length === 0).flatMap((inner) => translate(inner, path, schema, root)))
  const expected = [...new Set(complaints.flatMap((one) => one.expected ?? []))].join(' or ')
  const hint = complaints.find((one) => one.hint !== undefined)?.hint
  return [{ path, at: 'value', what: wanted(expected, value), expected, ...(hint === undefined ? {} : { hint }) }]
}

/** More than any number of unknown fields. */
const wholeMisfit = 1_000

/** How badly a value misses a branch, by its top level alone: the wrong sort of value, then fields that the branch does not know or misses. */
function misfit(issues: readonly Issue[]): number {
  return issues.reduce((sum, issue) => {
    if (issue.path.length === 0) return sum + (issue.code === 'unrecognized_keys' ? 2 * issue.keys.length : wholeMisfit)
    return sum + (issue.path.length === 1 && issue.code === 'invalid_type' && issue.message.endsWith('undefined') ? 1 : 0)
  }, 0)
}

function wanted(expected: string, value: Json | undefined): string {
  return value === undefined ? `is missing: expected ${expected}` : `expected ${expected}, found ${show(value)}`
}

/** Stands in for a text that is not shown. A document that holds just this only hides itself. */
const hidden = '\0hidden'

function show(value: Json): string {
  if (value === hidden) return 'another text (not shown)'
  if (value === null) return 'nothing (null)'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object') return 'a mapping'
  const text = typeof value === 'string' ? `“${value}”` : String(value)
  return text.length > 60 ? `${text.slice(0, 60)}…` : text
}

function typeName(type: string): string {
  const names: Record<string, string> = { string: 'a string', number: 'a number', int: 'a whole number', boolean: 'true or false', object: 'a mapping', record: 'a mapping', array: 'a list' }
  return names[type] ?? type
}

function valueAt(root: Json, path: readonly (string | number)[]): Json | undefined {
  let value: Json | undefined = root
  for (const segment of path) {
    if (Array.isArray(value)) value = typeof segment === 'number' ? value[segment] : undefined
    else if (isObject(value)) value = Object.hasOwn(value, String(segment)) ? value[String(segment)] : undefined
    else return undefined
  }
  return value
}

/** The value at a path, unless it may be a secret that was written down in the clear. */
function shownAt(root: Json, path: readonly (string | number)[], schema: z.ZodType): Json | undefined {
  const value = valueAt(root, path)
  return typeof value === 'string' && isNearSecret(schema, path) ? hidden : value
}

function samePath(a: readonly (string | number)[], b: readonly (string | number)[]): boolean {
  return a.length === b.length && a.every((segment, index) => segment === b[index])
}
