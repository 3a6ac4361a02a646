import type { AuditEntry, ElevationWindow, FindingCause } from '#model/finding.ts'
import type { Owner } from '#model/plan.ts'
import { isProgram, writerOf, type Writer } from './writers.ts'

/** What is known of who made one thing so. */
export type Traces = {
  /** The other owners of the field as it is now. */
  readonly owners: readonly Owner[]
  /** Every owner of the object. */
  readonly all: readonly Owner[]
  /** When they wrote it, where they say. */
  readonly writtenAt: number | null
  /** We own it too, or still. */
  readonly ours: boolean
  /** The write that an audit source names for it. */
  readonly audit: AuditEntry | undefined
  readonly elevations: readonly ElevationWindow[]
  readonly module: string
}

export type Attribution = { readonly cause: Extract<FindingCause, 'hotfix' | 'manual' | 'controller' | 'unknown'>; readonly person: string | null; readonly at: number | null }

/**
 * Who made a field so. The rows are read from the top; the first that fits decides.
 *
 * | # | elevation                          | owned by                                       | audit source names | then         |
 * |---|------------------------------------|------------------------------------------------|--------------------|--------------|
 * | 1 | open then, for whom the audit names |                                               | a person           | `hotfix`     |
 * | 2 | open then, for the module          | interactive clients alone                      | nobody             | `hotfix`     |
 * | 3 |                                    | any                                            | a person           | `manual`     |
 * | 4 |                                    | any                                            | a program          | `controller` |
 * | 5 |                                    | nobody (it was removed), or us (and another)   | nobody             | `unknown`    |
 * | 6 |                                    | interactive clients alone                      | nobody             | `manual`     |
 * | 7 |                                    | controllers alone                              | nobody             | `controller` |
 * | 8 |                                    | others, or several of different sorts          | nobody             | `unknown`    |
 */
export function attribute(traces: Traces): Attribution {
  const { audit } = traces
  const sort = sortOf(traces)
  const person = audit === undefined || isProgram(audit.user) ? null : audit.user
  const at = audit?.at ?? traces.writtenAt
  const elevation = at === null ? undefined : traces.elevations.find((one) => one.from <= at && at <= one.until && (one.modules?.includes(traces.module) ?? true))
  if (elevation !== undefined && person === elevation.person) return { cause: 'hotfix', person, at }
  if (elevation !== undefined && audit === undefined && sort === 'interactive') return { cause: 'hotfix', person: elevation.person, at }
  if (person !== null) return { cause: 'manual', person, at }
  if (audit !== undefined) return { cause: 'controller', person, at }
  return { cause: sort === 'interactive' ? 'manual' : sort === 'controller' ? 'controller' : 'unknown', person, at }
}

function sortOf({ owners, all, ours }: Traces): Writer {
  if (ours || owners.length === 0) return 'ambiguous'
  const sorts = [...new Set(owners.map((owner) => writerOf(owner, all)))]
  const [only, ...more] = sorts
  return only === undefined || more.length > 0 ? 'ambiguous' : only
}
