import type { Digest } from '#lib/digest.ts'
import { plumbline } from '#model/field-facts.ts'
import type { AuditEntry, Finding, Sought, Trace } from '#model/finding.ts'
import { isCarrier, isProgram } from './writers.ts'

/** The field managers’ time has no more than seconds. */
const blurMs = 2_000
/** For how long before it was seen a write may have made something so that has no time of its own. */
const beforeMs = 10_000

/** When the newest of these owners wrote, where they say. */
export function latest(owners: Sought['owners']): number | null {
  const times = owners.flatMap((owner) => owner.at ?? [])
  return times.length === 0 ? null : Math.max(...times)
}

/**
 * The write that made a thing so, as far as an audit source tells. What is known of the very same thing stays: who made it so is looked for by what was there
 * when it was found, and was found once and for all when the audit source has forgotten it.
 */
export function traceOf({ audit, known }: { readonly audit: readonly AuditEntry[]; readonly known: readonly Trace[] }, of: Digest, fresh: Sought): Trace {
  const before = known.find((one) => one.of === of)
  const sought = before?.sought ?? fresh
  const fitting = writesThatFit(audit, sought)
  return { of, sought, write: fitting.length === 0 ? (before?.write ?? null) : (newestOf(fitting, sought) ?? null) }
}

/** A finding with whom an audit source names by now, where it named nobody before. */
export function attributed(finding: Finding, audit: readonly AuditEntry[]): Finding | undefined {
  if (finding.person !== null) return undefined
  const traces = finding.traces.map((one) => traceOf({ audit, known: finding.traces }, one.of, one.sought))
  const person = joined(traces.map(({ write }) => personOf(write)))
  if (person === null) return undefined
  return { ...finding, traces, person, cause: finding.cause === 'unknown' ? 'manual' : finding.cause, onset: finding.onset ?? Math.min(...traces.flatMap(({ write }) => write?.at ?? [])) }
}

/**
 * The writes that an audit source tells of, and that may have made a field, an object or its absence so, the newest first: of a verb that fits, by the manager that
 * owns the field and at its time; where nothing is left that has a time, shortly before it was seen. A deletion counts however long ago it was, but not where the object
 * was there afterwards: seen, or made again. What was written before it was surely not so yet made nothing so. What bears our own name explains no drift. Who only
 * carries out what another asked for (a namespace is emptied, what hung on something is collected) counts where nobody else does.
 */
function writesThatFit(entries: readonly AuditEntry[], { verbs, owners, seenAt, since = 0 }: Sought): AuditEntry[] {
  const at = latest(owners)
  const managers = new Set(owners.map((owner) => owner.manager))
  const made = Math.max(since - blurMs, ...entries.filter((entry) => mayMake(entry) && entry.at <= seenAt).map(({ at: then }) => then))
  const isThen = (then: number, from: number): boolean => (at === null ? then >= from && then <= seenAt + blurMs : Math.abs(then - at) <= blurMs)
  const isFit = ({ verb, at: then }: AuditEntry): boolean => (verb === 'delete' ? isThen(then, made) : then >= since && isThen(then, seenAt - beforeMs))
  const fit = entries
    .filter((entry) => verbs.includes(entry.verb) && entry.manager !== plumbline && isFit(entry) && (managers.size === 0 || entry.manager === null || managers.has(entry.manager)))
    .sort((a, b) => b.at - a.at)
  const asked = fit.filter(({ user }) => !isCarrier(user))
  return asked.length > 0 ? asked : fit
}

/** An apply may make an object. An update makes none: what goes with a finalizer is written to after its deletion, by whoever takes that away. */
function mayMake({ verb, user }: AuditEntry): boolean {
  return verb === 'create' || (verb === 'patch' && !isCarrier(user))
}

/**
 * The newest; none where another user wrote at the same time, or deleted it too, and nothing tells the two apart. Where no owner is left it is the last one before it was
 * seen, and under no name where that user wrote under several.
 */
function newestOf(fitting: readonly AuditEntry[], { owners, seenAt }: Sought): AuditEntry | undefined {
  const [newest] = fitting
  if (newest === undefined) return undefined
  const isTimed = latest(owners) !== null
  const rival = fitting.find((entry) => entry.user !== newest.user && (!isTimed || newest.at - entry.at <= blurMs))
  if (rival !== undefined) return undefined
  const last = isTimed ? newest : (fitting.find(({ at }) => at <= seenAt) ?? newest)
  return isTimed || fitting.every(({ manager }) => manager === last.manager) ? last : { ...last, manager: null }
}

export function personOf(write: AuditEntry | null): string | null {
  return write === null || isProgram(write.user) ? null : write.user
}

/** Several names as one, each once; null for none. */
export function joined(names: readonly (string | null)[]): string | null {
  const known = [...new Set(names.flatMap((name) => name ?? []))].sort()
  return known.length === 0 ? null : known.join(', ')
}
