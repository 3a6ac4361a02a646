import type { FailureJson } from '#lib/failure.ts'
import type { AuditEntry, DriftPolicy, Finding, FindingEvent, FindingState } from '#model/finding.ts'
import { plumbline } from '#model/field-facts.ts'
import type { Drift } from './classify.ts'
import { fighters, withTurn } from './contested.ts'
import type { Restored } from './restored.ts'
import { attributed } from './trace.ts'

/** What is resolved for less than this and comes back is the same finding, opened again: a fight is seen, and nobody is told of it anew. */
export const reopensFor = 86_400_000

/** What the object is, and whose. */
export type Subject = Pick<Finding, 'environment' | 'place' | 'target' | 'driver' | 'module' | 'object'>

export type FoldInput = {
  readonly subject: Subject
  /** What one look told: empty where reality is as declared. */
  readonly drifts: readonly Drift[]
  /** Of this object: those that are not resolved, and those that were resolved lately. */
  readonly known: readonly Finding[]
  /** How reality is as declared now. */
  readonly restored: (finding: Finding) => Restored
  /** What audit sources told of writes to this object: of what is gone by now, too. */
  readonly audit: readonly AuditEntry[]
  /** How the way back stands that a finding says is under way. */
  readonly wayBack: (finding: Finding) => WayBack
  readonly decide: (drift: Drift) => DriftPolicy
  readonly newId: () => string
  readonly now: number
}

export type WayBack = { readonly state: 'under way' } | { readonly state: 'ended'; readonly failure: FailureJson | null }

/** What became of a finding, for records and whoever listens; `decided` is worth no word: what is done about it is something else. */
export type Happened = Extract<FindingEvent, 'opened' | 'changed' | 'attributed' | 'contested' | 'resolved' | 'ignored'> | 'decided'

/** `restored`: of what is resolved. */
export type Folded = { readonly finding: Finding; readonly happened: Happened; readonly restored?: Restored }

/**
 * What a look means for the findings of its object: one finding a cause, updated and never repeated. Only what changed is answered, so that the same look
 * twice, late or in another order changes nothing more.
 */
export function fold(input: FoldInput): Folded[] {
  const known = newestByCause(input.known)
  const present = new Set(input.drifts.map(({ cause }) => cause))
  const gone = [...known.values()].filter((one) => one.state !== 'resolved' && !present.has(one.cause))
  const taken = new Set<Finding>()
  const folded = input.drifts.flatMap((drift) => {
    const own = known.get(drift.cause)
    // The same thing with another cause, for more is known of it now (an audit source spoke late), is the same finding.
    const renamed = own === undefined || own.state === 'resolved' ? gone.find((one) => one.digest === drift.digest) : undefined
    if (renamed !== undefined) taken.add(renamed)
    return updated(input, drift, renamed ?? own) ?? []
  })
  const heirs = new Map<string, string | null>(folded.map(({ finding, happened }) => [finding.cause, happened === 'ignored' ? null : finding.id]))
  for (const [cause, { id, state }] of known) if (!heirs.has(cause) && state !== 'resolved') heirs.set(cause, id)
  return [...folded, ...gone.filter((one) => !taken.has(one)).map((one) => resolved(input, one, goesOnAs(one, input.drifts, heirs)))]
}

/** `turn`: who had one with it. */
type GoesOn = { readonly restored: Restored; readonly turn: string | undefined }

/** What a finding goes on as, where nothing is as declared: the object is gone, or another; or a field of it differs still, and more is known of it by now, or another has it. */
function goesOnAs({ cause, fields, traces }: Finding, drifts: readonly Drift[], heirs: ReadonlyMap<string, string | null>): GoesOn | undefined {
  if (cause === 'orphan') return undefined
  const whole = drifts.find((one) => one.cause === 'missing' || one.cause === 'recreated')
  // Another object that is ours by now is none any more, whatever of it differs.
  const part = cause === 'recreated' ? undefined : drifts.find((one) => one.fields.some(({ path }) => fields.some((field) => field.path === path)))
  const heir = whole ?? part
  if (heir === undefined) return undefined
  const isSame = traces.every(({ of }) => heir.traces.some((one) => one.of === of))
  return { restored: { as: heir.cause, finding: heirs.get(heir.cause) ?? null, by: heir.person ?? heir.manager }, turn: isSame ? undefined : (heir.manager ?? 'unknown') }
}

/** Of a cause the one that is not resolved; else the one that was resolved last. */
function newestByCause(known: readonly Finding[]): Map<string, Finding> {
  const sorted = [...known].sort((a, b) => Number(a.state !== 'resolved') - Number(b.state !== 'resolved') || a.updatedAt - b.updatedAt)
  return new Map(sorted.map((one) => [one.cause, one]))
}

function updated(input: FoldInput, drift: Drift, before: Finding | undefined): Folded | undefined {
  const { now } = input
  const decision = input.decide(drift)
  if (decision === 'ignore') return before === undefined || before.state === 'resolved' ? undefined : ignored(input, drift, before)
  const isBack = before?.state === 'resolved' && now - (before.resolvedAt ?? 0) < reopensFor
  if (before === undefined || (before.state === 'resolved' && !isBack)) return { finding: opened(input, drift, decision), happened: 'opened' }
  const ended = (before.state === 'reverting' || before.state === 'adopting') && !isBack ? input.wayBack(before) : undefined
  // What was reverted, and is there again before anybody saw it gone, came back too.
  const isReturned = before.state === 'reverting' && ended?.state === 'ended' && ended.failure === null
  const isOther = isBack || isReturned || before.digest !== drift.digest
  const turns = isOther || before.manager !== drift.manager ? withTurn(isReturned ? withTurn(before.turns, plumbline, now) : before.turns, drift.manager ?? 'unknown', now) : before.turns
  const facts = { ...input.subject, ...drift, turns, decision, ...(ended?.state === 'ended' ? { failure: ended.failure } : {}) }
  const finding: Finding = isOther
    ? { ...before, ...facts, ...(ended?.state === 'under way' ? {} : { run: null, failure: null }), count: before.count + 1, source: isBack || before.fields[0]?.path !== drift.fields[0]?.path ? null : before.source, resolvedAt: null, updatedAt: now }
    : { ...before, ...facts }
  const state = stateOf(input, finding, isOther, ended)
  const next: Finding = { ...finding, state, accepted: state === 'accepted' ? finding.accepted : null, updatedAt: state === before.state && !isOther ? before.updatedAt : now }
  if (!isOther && JSON.stringify(next) === JSON.stringify(before)) return undefined
  const happened = isBack ? 'opened' : state === 'contested' && before.state !== 'contested' ? 'contested' : isOther ? 'changed' : next.person !== null && next.person !== before.person ? 'attributed' : 'decided'
  return { finding: next, happened }
}

/** A person’s word stands on what was there then; a way back stands while it is under way; a fight is for a person to end. */
function stateOf(input: FoldInput, finding: Finding, isOther: boolean, wayBack: WayBack | undefined): FindingState {
  if (wayBack?.state === 'under way') return finding.state
  // Also in a fight: it is a person who ended it, until it goes on.
  if (!isOther && finding.state === 'accepted' && (finding.accepted?.until ?? 0) > input.now) return 'accepted'
  if (fighters(finding.turns) !== undefined) return 'contested'
  return finding.decision === 'hold' ? 'held' : 'open'
}

function opened({ subject, newId, now }: FoldInput, drift: Drift, decision: DriftPolicy): Finding {
  return {
    ...subject,
    ...drift,
    id: newId(),
    seenAt: now,
    updatedAt: now,
    count: 1,
    state: decision === 'hold' ? 'held' : 'open',
    decision,
    source: null,
    accepted: null,
    run: null,
    failure: null,
    turns: [{ by: drift.manager ?? 'unknown', at: now }],
    resolvedAt: null,
  }
}

/** Where Git declares by now what is there, or a controller rightly moves it, nobody had a turn; nor where more is known of the same. */
function resolved({ restored: restoration, audit, now }: FoldInput, before: Finding, goesOn: GoesOn | undefined): Folded {
  const restored = goesOn?.restored ?? restoration(before)
  const turn = goesOn !== undefined ? goesOn.turn : !('by' in restored) ? undefined : before.state === 'reverting' ? plumbline : (restored.by ?? 'unknown')
  const turns = turn === undefined ? before.turns : withTurn(before.turns, turn, now)
  return { restored, finding: { ...(attributed(before, audit) ?? before), state: 'resolved', accepted: null, failure: null, turns, resolvedAt: now, updatedAt: now }, happened: 'resolved' }
}

/** Nothing has become as declared, and nobody had a turn. */
function ignored({ now }: FoldInput, drift: Drift, before: Finding): Folded {
  return { finding: { ...before, ...drift, decision: 'ignore', state: 'resolved', accepted: null, failure: null, resolvedAt: now, updatedAt: now }, happened: 'ignored' }
}
