import { z } from 'zod'
import { isObject } from '#lib/json.ts'
import type { Json, JsonObject } from '#lib/json.ts'
import { duration, name } from './parts.ts'

/** How many samples a window may look back at: each of them is kept in the record. */
const widest = 100

const bound = z
  .strictObject({
    times: z.number().positive().optional().describe('So many times the value before the change.'),
    plus: z.number().optional().describe('The value before the change, and so much more (or less).'),
  })
  .refine(({ times, plus }) => times !== undefined || plus !== undefined, 'expected times, plus, or both')

/** What every probe has, whatever its kind. The member named after the kind holds the rest (`http: { … }`). */
export const probeFrame = {
  name: name.describe('Unique among the probes beside it.'),
  settle: duration.prefault('0s').describe('How long to wait after the delivery before it is first asked.'),
  within: duration.prefault('60s').describe('How long it may take to pass, from when it is first asked.'),
  every: duration.prefault('2s').describe('How often it is asked meanwhile.'),
  timeout: duration.prefault('5s').describe('How long one answer may take.'),
  window: z
    .strictObject({
      passed: z.int().min(1).max(widest).describe('So many samples have to pass (or warn)…'),
      of: z.int().min(1).max(widest).describe('… of so many that follow each other.'),
    })
    .refine(({ passed, of }) => passed <= of, { path: ['passed'], error: 'expected no more than `of`' })
    .optional()
    .describe('More than one sample decides: `{ passed: 8, of: 10 }`. Without it, the first one that passes.'),
  compare: z
    .strictObject({
      max: bound.optional().describe('The most that it may be.'),
      min: bound.optional().describe('The least that it may be.'),
      warn: bound.optional().describe('Beyond this it warns: above it, or, with `min` and without `max`, below it.'),
    })
    .refine(({ max, min, warn }) => max !== undefined || min !== undefined || warn !== undefined, 'expected max, min or warn')
    .optional()
    .describe('Holds the value against the one from right before the run’s first effect: `{ max: { times: 1.5 } }`. Where that one is not known, as at a first delivery, the verdict is `unknown`.'),
  across: z
    .array(z.record(z.string(), z.unknown()))
    .min(1)
    .max(100)
    .optional()
    .describe('Several targets of one probe, asked side by side: each a mapping of fields that stand in place of those of the kind.'),
  need: z
    .union([z.enum(['all', 'any', 'quorum']), z.int().min(1)])
    .default('all')
    .describe('How many of `across` have to pass: `quorum` is more than half of them; or a number.'),
}

/** A probe for the kinds that are there: `{ name, settle, within, every, timeout, window, compare, across, need, <kind>: {…} }` with exactly one kind. */
export function probeSchema(probes: Readonly<Record<string, z.ZodType>>) {
  const kinds = Object.keys(probes)
  const framed = z
    .strictObject({ ...probeFrame, ...Object.fromEntries(kinds.map((kind) => [kind, (probes[kind] as z.ZodType).optional()])) })
    .refine((value) => kinds.filter((kind) => (value as Record<string, unknown>)[kind] !== undefined).length === 1, {
      error: `expected exactly one of ${kinds.join(', ')}`,
    })
    .refine(({ need, across }) => typeof need !== 'number' || need <= (across?.length ?? 1), { path: ['need'], error: 'expected no more than there are in across' })
    .refine(({ window, within, every }) => window === undefined || (window.passed - 1) * every <= within, {
      path: ['window', 'passed'],
      error: 'expected no more samples than `within` has room for, at one `every` so often',
    })
    .transform((value): ProbeConfig => {
      const { name: own, settle, within, every, timeout, window, compare, across, need } = value
      const members = value as unknown as Record<string, unknown>
      const kind = kinds.find((candidate) => members[candidate] !== undefined) ?? ''
      return { name: own, settle, within, every, timeout, window, compare, need, kind, config: members[kind], across: across ?? [] }
    })
  return z.preprocess((raw, context) => spread(raw as Json, probes, context), framed).meta({ title: 'probe' })
}

/** Each of `across` becomes a whole configuration of its kind; the kind's own member need not be whole without them. */
function spread(raw: Json, probes: Readonly<Record<string, z.ZodType>>, context: z.core.$RefinementCtx): unknown {
  const kind = isObject(raw) ? Object.keys(probes).find((candidate) => raw[candidate] !== undefined) : undefined
  if (!isObject(raw) || kind === undefined) return raw
  const { across, [kind]: member } = raw
  if (!Array.isArray(across) || !isObject(member) || !across.every(isObject)) return raw
  const whole = across.map((fields): JsonObject => ({ ...member, ...fields }))
  const parsed = whole.map((config) => (probes[kind] as z.ZodType).safeParse(config))
  for (const [index, { error }] of parsed.entries())
    for (const issue of error?.issues ?? []) context.addIssue({ ...issue, continue: false, path: [...(isOwn(issue, across[index]) ? ['across', index] : [kind]), ...issue.path] } as never)
  if (parsed.every(({ success }) => success)) return { ...raw, [kind]: whole[0] ?? member, across: parsed.map(({ data }) => data) }
  // zod goes on after unknown fields alone; they are told already.
  const unknown = new Set(parsed.flatMap(({ error }) => error?.issues ?? []).flatMap((issue) => (issue.code === 'unrecognized_keys' ? issue.keys : [])))
  const { across: _told, ...rest } = raw
  return { ...rest, [kind]: Object.fromEntries(Object.entries(whole[0] ?? member).filter(([field]) => !unknown.has(field))) }
}

/** Whether a problem is of a field that stands in `across` itself: any other is the kind's. */
function isOwn(issue: z.core.$ZodIssue, fields: JsonObject | undefined): boolean {
  const first = issue.code === 'unrecognized_keys' ? issue.keys[0] : issue.path[0]
  return first === undefined || Object.hasOwn(fields ?? {}, first)
}

/** A limit that is made from the value before the change. */
export type Bound = z.output<typeof bound>
export type Compare = { max?: Bound | undefined; min?: Bound | undefined; warn?: Bound | undefined }
export type Window = { passed: number; of: number }
export type Need = 'all' | 'any' | 'quorum' | number

export type ProbeConfig = {
  name: string
  /** Milliseconds. */
  settle: number
  within: number
  every: number
  timeout: number
  window: Window | undefined
  compare: Compare | undefined
  need: Need
  /** The id of the probe's folder. */
  kind: string
  /** What the kind's own schema gave. */
  config: unknown
  /** The same for each of several targets; empty where there is one, `config`. */
  across: readonly unknown[]
}

/** Probes as documents have them, by name: to compare, and to tell of. Their order is nothing. */
export function probesByName(probes: readonly ProbeConfig[]): JsonObject {
  const plain = JSON.parse(JSON.stringify(probes)) as (JsonObject & { name: string; kind: string; config: Json })[]
  return Object.fromEntries(plain.map(({ name: own, kind, config, ...frame }) => [own, { ...frame, [kind]: config }]))
}
