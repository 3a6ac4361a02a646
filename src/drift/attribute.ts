import { plumbline } from '#model/field-facts.ts'
import type { AuditEntry, ElevationWindow, FindingCause } from '#model/finding.ts'
import type { Owner } from '#model/plan.ts'
import { isCarrier, isProgram, writerOf, type Writer } from './writers.ts'

/** What is known of who made one thing so. `all`: every owner of the object. `at`: when, where somebody says. */
export type Traces = {
  /** The other owners of the field as it is now. */
  readonly owners: readonly Owner[]
  readonly all: readonly Owner[]
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
  const { audit, owners } = traces
  const sort = sortOf(traces)
  const person = audit === undefined || isProgram(audit.user) ? null : audit.user
  const at = audit?.at ?? latest(owners)
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

function latest(owners: readonly Owner[]): number | null {
  const times = owners.flatMap((owner) => owner.at ?? [])
  return times.length === 0 ? null : Math.max(...times)
}

/** The field managers’ time has no more than seconds. */
const blurMs = 2_000
/** For how long before it was seen a write may have made something so that has no time of its own. */
const beforeMs = 10_000

export type Sought = {
  readonly verbs: readonly AuditEntry['verb'][]
  readonly owners: readonly Owner[]
  /** When it was first seen to be so. */
  readonly seenAt: number
  /** When it was surely not so yet: what was done before made nothing so. */
  readonly since?: number
}

/**
 * The write that an audit source tells of, and that made a field, an object or its absence so: of a verb that fits, by the manager that owns the field now and
 * at its time; where nothing is left that has a time, shortly before it was seen. A deletion counts however long ago it was, but not where the object was there
 * afterwards: seen, or written. Of several the newest; none where another user wrote at the same time, or deleted it too, and nothing tells the two apart. What
 * bears our own name explains no drift. Who only carries out what another asked for (a namespace is emptied, what hung on something is collected) counts where nobody else does.
 */
export function auditOf(entries: readonly AuditEntry[], { verbs, owners, seenAt, since = 0 }: Sought): AuditEntry | undefined {
  const at = latest(owners)
  const managers = new Set(owners.map((owner) => owner.manager))
  const written = Math.max(since - blurMs, ...entries.filter(({ verb, at: then }) => verb !== 'delete' && then <= seenAt).map(({ at: then }) => then))
  const isThen = (entry: AuditEntry): boolean => (at === null ? entry.at <= seenAt + blurMs && (entry.verb === 'delete' ? entry.at >= written : entry.at >= seenAt - beforeMs) : Math.abs(entry.at - at) <= blurMs)
  const fit = entries
    .filter((entry) => verbs.includes(entry.verb) && entry.manager !== plumbline && isThen(entry) && (managers.size === 0 || entry.manager === null || managers.has(entry.manager)))
    .sort((a, b) => b.at - a.at)
  const asked = fit.filter(({ user }) => !isCarrier(user))
  const fitting = asked.length > 0 ? asked : fit
  const [newest] = fitting
  if (newest === undefined) return undefined
  const rival = fitting.find((entry) => entry.user !== newest.user && (at === null || newest.at - entry.at <= blurMs))
  return rival === undefined ? newest : undefined
}
