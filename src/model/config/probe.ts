import { z } from 'zod'
import { duration, name } from './parts.ts'

/** What every probe has, whatever its kind. The member named after the kind holds the rest (`http: { … }`). */
const probeFrame = {
  name: name.describe('Unique in the module.'),
  within: duration.prefault('60s').describe('How long after the delivery it may take to pass.'),
  every: duration.prefault('2s').describe('How often it is asked meanwhile.'),
  timeout: duration.prefault('5s').describe('How long one answer may take.'),
}

/** A probe for the kinds that are there: `{ name, within, every, timeout, <kind>: {…} }` with exactly one kind. */
export function probeSchema(probes: Readonly<Record<string, z.ZodType>>) {
  const kinds = Object.keys(probes)
  return z
    .strictObject({ ...probeFrame, ...Object.fromEntries(kinds.map((kind) => [kind, (probes[kind] as z.ZodType).optional()])) })
    .refine((value) => kinds.filter((kind) => (value as Record<string, unknown>)[kind] !== undefined).length === 1, {
      error: `expected exactly one of ${kinds.join(', ')}`,
    })
    .transform((value): ProbeConfig => {
      const members = value as unknown as Record<string, unknown>
      const kind = kinds.find((candidate) => members[candidate] !== undefined) ?? ''
      return { name: value.name, within: value.within, every: value.every, timeout: value.timeout, kind, config: members[kind] }
    })
}

export type ProbeConfig = {
  name: string
  /** Milliseconds. */
  within: number
  every: number
  timeout: number
  /** The id of the probe's folder. */
  kind: string
  /** What the kind's own schema gave. */
  config: unknown
}
