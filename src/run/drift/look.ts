import type { DriverCall } from '#drivers/driver.ts'
import { classify, orphan, type Drift } from '#drift/classify.ts'
import { compareDeclared } from '#drift/compare.ts'
import { fold, reopensFor, type Folded, type WayBack } from '#drift/fold.ts'
import { restoredOf } from '#drift/restored.ts'
import { Failure, type FailureJson } from '#lib/failure.ts'
import { newId } from '#lib/ids.ts'
import type { AuditEntry, Finding } from '#model/finding.ts'
import type { Held, Observation } from '#model/plan.ts'
import { isEnded } from '#model/run.ts'
import type { Desired, ObjectKey } from '#model/resource.ts'
import { auditEntries } from '#store/audit.ts'
import { addFindingChanges, knownFindings, saveFindings } from '#store/findings.ts'
import { heldAt, lastEffects, type LastEffect } from '#store/inventory.ts'
import { enqueue } from '#store/queue.ts'
import { findRun } from '#store/runs.ts'
import type { Sql } from '#store/sql.ts'
import { askByPolicy } from '../adopt/ask.ts'
import type { Claim } from '../claim.ts'
import { lookAtOnce } from '../look-again.ts'
import type { Parts } from '../parts.ts'
import { auditOf } from './audit.ts'
import type { DriftPolicies } from './policies.ts'
import { reasonsOf } from './reasons.ts'
import type { Target } from './targets.ts'

export type Looker = {
  readonly parts: Parts
  readonly claim: Claim
  readonly target: Target
  readonly call: DriverCall
  readonly place: string
  readonly policies: DriftPolicies
  /** The version in which the kind of an object is watched. */
  readonly versionOf: (key: ObjectKey) => string | undefined
  /** Whether an object may have a finding. */
  readonly isFound: (key: ObjectKey) => boolean
  /** How many objects are watched. */
  readonly watched: () => number
  /** When what follows from findings is done next, so that many findings ask for it once. */
  readonly told: { due: number }
}

/** What was found of one object. `yielded`: as declared, but for what another rightly moves as long as it is there. `later`: nothing could be said of it now; `ours`: we are at work on it, and will hear of that; `left`: nobody holds it here. */
export type Looked = { readonly key: ObjectKey; readonly said: 'fine' | 'yielded' | 'drifted' | 'left' | 'ours' | 'later'; readonly observation?: Extract<Observation, { state: 'present' }>; readonly findings: readonly Finding[] }

/**
 * Looks at objects and makes their findings true. What a watch told is only the reason: the inventory is read, then the objects; what is not as declared, or
 * was not, is then decided in one transaction, with the inventory read once more, so that what we do ourselves meanwhile is never taken for drift. What
 * cannot be read opens and resolves nothing.
 */
export async function lookAt(looker: Looker, keys: readonly ObjectKey[]): Promise<Looked[]> {
  const { parts, call } = looker
  const before = await standing(parts.sql, looker, keys)
  const asked = keys.filter((key) => before.get(key)?.isOurDoing !== true)
  if (asked.length === 0) return keys.map((key) => ({ key, said: 'ours', findings: [] }))
  const wanted = asked.flatMap((key) => desiredAs(key, before.get(key)?.held?.apiVersion ?? looker.versionOf(key)))
  const observations = new Map((await observed(looker, asked, wanted)).map((one) => [one.key, one]))
  call.signal.throwIfAborted()
  const looked = new Map<ObjectKey, Looked>()
  const doubtful: ObjectKey[] = []
  for (const key of keys) {
    const stands = before.get(key) as Standing
    const seen = stands.isOurDoing ? undefined : known(observations.get(key))
    if (stands.isOurDoing) looked.set(key, { key, said: 'ours', findings: [] })
    else if (seen === undefined) looked.set(key, { key, said: 'later', findings: [] })
    else if (looker.isFound(key) || driftsOf(looker, key, stands, seen, [], []).length > 0) doubtful.push(key)
    else looked.set(key, { key, said: saidOf(stands, seen), findings: [], ...(seen.state === 'present' ? { observation: seen } : {}) })
  }
  if (doubtful.length > 0) for (const one of await judged(looker, doubtful, before, observations)) looked.set(one.key, one)
  return keys.flatMap((key) => looked.get(key) ?? [])
}

/** Of so few a driver reads each by itself; of more it lists all that there is beside them. */
const few = 9
/** A list of all costs less than so large a part of them one by one. */
const muchOf = 8

async function observed({ target, call, watched }: Looker, keys: readonly ObjectKey[], wanted: readonly Desired[]): Promise<Observation[]> {
  if (keys.length <= few || keys.length * muchOf > watched()) return target.via.observe(call, keys, wanted)
  const parts: Promise<Observation[]>[] = []
  for (let at = 0; at < keys.length; at += few) parts.push(target.via.observe(call, keys.slice(at, at + few), wanted))
  return (await Promise.all(parts)).flat()
}

async function judged(looker: Looker, keys: readonly ObjectKey[], before: ReadonlyMap<ObjectKey, Standing>, observations: ReadonlyMap<ObjectKey, Observation>): Promise<Looked[]> {
  const { parts, claim, target, place } = looker
  const now = parts.clock.now()
  // Who is about to be told is not asked for again.
  const tellAt = looker.told.due > now + tellAfter / 2 ? 0 : now + tellAfter
  const result = await parts.sql.transaction(async (tx) => {
    await claim.fence(tx)
    const after = await standing(tx, looker, keys)
    const all = Map.groupBy(await knownFindings(tx, target.environment, place, keys, now - reopensFor), ({ object }) => object)
    const audits = Map.groupBy(auditOf(target) === undefined ? [] : await auditEntries(tx, target.environment, target.target, keys), ({ object }) => object)
    const waysBack = await revertsOf(tx, [...all.values()].flat())
    const folded: Folded[] = []
    const looked = keys.map((key): Looked => {
      const seen = known(observations.get(key))
      const stands = after.get(key)
      const findings = all.get(key) ?? []
      if (stands === undefined || seen === undefined || moved(before.get(key), stands)) return { key, said: 'later', findings }
      const audit = audits.get(key) ?? []
      const drifts = driftsOf(looker, key, stands, seen, findings, audit)
      const changes = fold(foldInput(looker, key, stands, seen, drifts, findings, audit, waysBack, now))
      folded.push(...changes)
      const left = [...findings.filter((one) => !changes.some(({ finding }) => finding.id === one.id)), ...changes.map(({ finding }) => finding)].filter(({ state }) => state !== 'resolved')
      const said = drifts.length > 0 ? 'drifted' : saidOf(stands, seen)
      return { key, said, findings: left, ...(seen.state === 'present' ? { observation: seen } : {}) }
    })
    await keep(tx, looker, folded, now, tellAt)
    return { looked, isTold: folded.length > 0 }
  })
  if (result.isTold && tellAt > 0) looker.told.due = tellAt
  return result.looked
}

type Known = Extract<Observation, { state: 'absent' | 'present' }>

/** What is there, or not: what could not be read, or is not served just now, is neither. */
function known(observation: Observation | undefined): Known | undefined {
  return observation?.state === 'absent' || observation?.state === 'present' ? observation : undefined
}

/** Of an object without drift. */
function saidOf({ held }: Standing, seen: Known): 'left' | 'fine' | 'yielded' {
  if (held === undefined || seen.state === 'absent') return 'left'
  return compareDeclared(held, seen).delegated.length > 0 ? 'yielded' : 'fine'
}

/** `appliedAt`: when our last apply of it was acknowledged, as far as the journal tells. */
type Standing = { readonly held: Held | undefined; readonly isOurDoing: boolean; readonly appliedAt: number }

/** What the inventory holds of objects in this environment, and whether we are at work on them just now. */
async function standing(sql: Sql, { target, place }: Looker, keys: readonly ObjectKey[]): Promise<Map<ObjectKey, Standing>> {
  const rows = new Map((await heldAt(sql, place, keys)).map((row) => [row.key, row]))
  const effects = Map.groupBy(await lastEffects(sql, target.environment, keys), ({ key }) => key)
  return new Map(
    keys.flatMap((key): [ObjectKey, Standing][] => {
      const held = rows.get(key)
      // Another environment delivers it to the same place: it is watched from there.
      if (held !== undefined && held.environment !== target.environment) return [[key, { held: undefined, isOurDoing: true, appliedAt: 0 }]]
      const own = (effects.get(key) ?? []).filter(({ module }) => held === undefined || module === held.module)
      return [[key, { held, isOurDoing: own.some(isUnderWay) || (held !== undefined && own.some(wasDeleted)), appliedAt: Math.max(0, ...own.filter(({ outcome }) => outcome === 'applied').map(({ endedAt }) => endedAt ?? 0)) }]]
    }),
  )
}

/** Begun and not told as ended; or ended without anybody knowing how, which the next run finds out. */
function isUnderWay({ state, outcome, runIsOpen }: LastEffect): boolean {
  return (state === 'started' && runIsOpen) || outcome === 'unknown'
}

/** We deleted it, and it goes from the inventory when that is confirmed. */
function wasDeleted({ action, state, outcome }: LastEffect): boolean {
  return action === 'deleted' && state === 'done' && (outcome === 'terminating' || outcome === 'applied')
}

/** Whether another apply was acknowledged while the object was read. */
function moved(before: Standing | undefined, after: Standing): boolean {
  const [a, b] = [before?.held, after.held]
  return before?.isOurDoing !== after.isOurDoing || a?.run !== b?.run || a?.uid !== b?.uid || a?.desired !== b?.desired || a?.module !== b?.module
}

function driftsOf(looker: Looker, key: ObjectKey, { held, appliedAt }: Standing, observation: Known, findings: readonly Finding[], audit: readonly AuditEntry[]): Drift[] {
  if (held !== undefined) {
    // Its revert has been applied: what differs again is something else, though it looks the same.
    const isUndone = ({ state, run }: Finding): boolean => state === 'reverting' && run === held.run && appliedAt > 0
    const known = findings.flatMap((one) => (one.state === 'resolved' || isUndone(one) ? [] : one.traces))
    // It was there when we applied it, when another of its name was found, and when it was found to be there again.
    const there = findings.map(({ cause, seenAt: at, resolvedAt }) => (cause === 'missing' ? (resolvedAt ?? 0) : at))
    // Whatever was over when we looked after that apply.
    const isRestored = findings.some((one) => isUndone(one) || (one.resolvedAt !== null && one.resolvedAt >= appliedAt))
    return classify({ held, observation, audit, known, elevations: looker.policies.elevations, seenAt: looker.parts.clock.now(), since: Math.max(appliedAt, ...there), ...(isRestored ? { restoredAt: appliedAt } : {}) })
  }
  return observation.state === 'present' && observation.claim !== undefined && observation.key === key && !observation.terminating ? [orphan(observation)] : []
}

function foldInput(
  { target, place, policies }: Looker,
  key: ObjectKey,
  { held }: Standing,
  observation: Known,
  drifts: readonly Drift[],
  findings: readonly Finding[],
  audit: readonly AuditEntry[],
  waysBack: ReadonlyMap<string, WayBack>,
  now: number,
): Parameters<typeof fold>[0] {
  const module = held?.module ?? (observation.state === 'present' ? observation.claim : undefined) ?? findings[0]?.module ?? ''
  return {
    subject: { environment: target.environment, place, target: target.target, driver: target.driver, module, object: key },
    drifts,
    known: findings,
    audit,
    restored: (finding) => restoredOf(finding, { held, observation, findings }),
    // What is adopted has no run of ours: who adopts says when it is over.
    wayBack: (finding) => (finding.state === 'adopting' ? undefined : waysBack.get(finding.run ?? '')) ?? { state: 'under way' },
    decide: (drift) => policies.decide(module, key, drift, { declared: held?.fields ?? [], live: observation.state === 'present' ? observation.body : undefined }),
    newId: () => newId('f', now),
    now,
  }
}

/** How the runs that revert something have ended, where they have. */
async function revertsOf(tx: Sql, findings: readonly Finding[]): Promise<Map<string, WayBack>> {
  const ways = new Map<string, WayBack>()
  for (const id of new Set(findings.flatMap(({ state, run }) => (state === 'reverting' && run !== null ? [run] : [])))) {
    const run = await findRun(tx, id)
    // Its way has ended; that what was reverted is not verified is another matter.
    const failed = run === undefined || run.state === 'cancelled' || run.state === 'superseded' || run.failure !== null
    if (run === undefined || isEnded(run.state)) ways.set(id, { state: 'ended', failure: failed ? (run?.failure ?? gone(id)) : null })
  }
  return ways
}

function gone(run: string): FailureJson {
  return new Failure({ code: 'run-unknown', subject: `run ${run}`, message: 'it is not there any more', hint: 'Begin it again, or decide otherwise: plumb revert, plumb adopt, plumb accept.' }).toJSON()
}

/** For the driver’s `observe`: in which version an object was declared. */
function desiredAs(key: ObjectKey, apiVersion: string | undefined): Desired[] {
  return apiVersion === undefined ? [] : [{ key, body: { apiVersion }, origin: { repository: '', file: '', line: 0 } }]
}

const tellAfter = 1_000

async function keep(tx: Sql, { parts, target: { environment }, policies }: Looker, folded: readonly Folded[], now: number, tellAt: number): Promise<void> {
  if (folded.length === 0) return
  await saveFindings(tx, folded.map(({ finding }) => finding), now)
  const told = folded.flatMap(({ happened, ...one }) => (happened === 'decided' ? [] : [{ ...one, happened }]))
  const reasons = await reasonsOf(tx, told, now)
  await addFindingChanges(tx, told.map(({ finding, happened }) => ({ finding: finding.id, environment, at: now, what: happened, actor: 'plumbline', reason: reasons.get(finding.id) ?? finding.message, body: finding })))
  await askByPolicy(tx, parts, folded.map(({ finding }) => finding), policies.inForce, now)
  // What changed underneath may work no longer, or again: its probes say.
  const modules = [...new Set(told.filter(({ finding, happened }) => finding.decision !== 'ignore' && happened !== 'attributed').map(({ finding }) => finding.module))].sort()
  await lookAtOnce(tx, parts, environment, modules, 'something else is there than what was delivered')
  // Records and people can wait for a moment, and many changes are one: findings cannot.
  if (tellAt > now) await enqueue(tx, parts.clock, `drift/${environment}`, { due: tellAt })
}
