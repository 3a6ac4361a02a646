import type { ModuleOutcome, Verification } from '#model/run.ts'
import { dayField } from './predicates.ts'
import type { Day, FindingPredicate, RunPredicate, VerdictChangePredicate } from './predicates.ts'
import { deliveredWord } from './delivered.ts'
import { findingType, keyRotationType, linkOf, pinType, policyType, pruneType, runRecordType, verdictChangeType } from './statement.ts'
import type { RecordStatement } from './statement.ts'

/** What a moment is about. `change`: a commit. `context`: what is around (a pause, a key, what was pruned). */
export type MomentKind = 'change' | 'run' | 'approval' | 'verdict' | 'finding' | 'policy' | 'context'

/** Something that happened, on a line of time. Times are milliseconds since 1970. */
export type Moment = {
  readonly at: number
  readonly environment: string
  readonly kind: MomentKind
  /** The modules that it is about; none: all of the environment. */
  readonly modules: readonly string[]
  /** One sentence. */
  readonly text: string
  /** What the modules are found to be from here on, where it tells that. */
  readonly verdict: Verification | null
  /** Since when that is so, as far as anybody looked; earlier than `at`, when it was known. */
  readonly onset: number | null
  readonly by: string | null
  /** The run, finding or commit. */
  readonly ref: string | null
  /** The record's number in its environment's chain; null for what is in none (yet). */
  readonly record: number | null
}

type Told = Omit<Moment, 'environment' | 'record' | 'verdict' | 'onset' | 'by' | 'ref'> & Partial<Moment>

/** What modules were found to be, by `environment module`. */
export type Standing = ReadonlyMap<string, Verification>

/**
 * The moments that a record tells of, in order. A day's summary is one, too: nothing happened then, and how a module stood does not have to be looked for further back.
 * `standing`: before the record, as far as that is known.
 */
export function momentsOf(statement: RecordStatement, standing: Standing = new Map()): Moment[] {
  const link = linkOf(statement)
  const told = tell(statement, standing)
  return told.map((one) => ({ verdict: null, onset: null, by: null, ref: null, environment: link?.environment ?? '', record: link?.seq ?? null, ...one })).sort((a, b) => a.at - b.at)
}

/** The moments of records that come one after the other. */
export function momentsOfAll(statements: readonly RecordStatement[], before: Standing = new Map()): Moment[] {
  const standing = new Map(before)
  return statements.flatMap((statement) => {
    const moments = momentsOf(statement, standing)
    for (const [key, verdict] of standingAfter(moments)) standing.set(key, verdict)
    return moments
  })
}

/** Everything in order of time; a commit that several runs deliver is one moment, of all their modules. */
export function mergeMoments(moments: readonly Moment[]): Moment[] {
  const merged = new Map<string, Moment>()
  for (const moment of moments) {
    const key = moment.kind === 'change' ? `${moment.environment} ${moment.ref}` : `${merged.size}`
    const known = merged.get(key)
    merged.set(key, known === undefined ? moment : { ...known, modules: [...new Set([...known.modules, ...moment.modules])].sort() })
  }
  return [...merged.values()].sort((a, b) => a.at - b.at)
}

function tell(statement: RecordStatement, standing: Standing): Told[] {
  switch (statement.predicateType) {
    case runRecordType:
      return ofRun(statement.predicate, standing)
    case verdictChangeType:
      return [ofVerdict(statement.predicate)]
    case findingType:
      return [ofFinding(statement.predicate)]
    case policyType: {
      const { at, changes, actor, run } = statement.predicate
      return [{ at, kind: 'policy', modules: [], text: `the policy changed: ${changes.join('; ')}`, by: actor, ref: run }]
    }
    case pinType: {
      const { at, module, decision, snapshot, reason, actor, run } = statement.predicate
      return [{ at, kind: 'context', modules: [module], text: `${decision === 'pinned' ? `pinned to ${snapshot}` : `no longer pinned to ${snapshot}`}: ${reason}`, by: actor, ref: run }]
    }
    case keyRotationType:
      return [{ at: statement.predicate.at, kind: 'context', modules: [], text: `another key signs the records: ${statement.predicate.reason}`, by: statement.predicate.actor }]
    case pruneType:
      return [{ at: statement.predicate.at, kind: 'context', modules: [], text: `the first ${statement.predicate.size} records were pruned` }]
    default:
      return [ofDay(statement.predicate[dayField])]
  }
}

function ofRun(run: RunPredicate, standing: Standing): Told[] {
  const modules = run.modules.map((one) => one.module)
  const about = { modules, ref: run.run }
  const commits = run.changes.map((commit): Told => ({
    at: commit.at, kind: 'change', modules, text: `${commit.repository} ${commit.sha.slice(0, 8)}: ${commit.subject}`, by: commit.author.name, ref: `${commit.repository}@${commit.sha}`,
  }))
  const approvals = run.approvals.map((one): Told => ({ ...about, at: one.at, kind: 'approval', text: `approved: ${one.reason}`, by: one.principal }))
  const bad = run.probes.flatMap((probe): Told[] => {
    const first = probe.samples.find((sample) => sample.verdict !== 'passed')
    return first === undefined || probe.verdict === 'passed' ? [] : [{ ref: run.run, at: first.collectedAt, kind: 'verdict', modules: [probe.module], text: `${probe.probe} ${first.verdict}: ${first.message}` }]
  })
  const delivered = run.modules.length === 0 ? '' : ` (${deliveredWord(run.modules)})`
  const ended = run.state === 'superseded' ? `gave way: ${run.failure?.message ?? 'to another run'}` : `${run.state}${delivered}${run.failure === null ? '' : `: ${run.failure.message}`}`
  return [...commits, { ...about, at: run.startedAt, kind: 'run', text: `began: ${run.reason}`, by: run.actor }, ...approvals, ...bad, ...verdictsOf(run, standing), { ...about, at: run.endedAt, kind: 'run', text: ended }]
}

/** What a run found modules to be. What stood so before the run asked has no onset here: it began earlier. */
function verdictsOf(run: RunPredicate, standing: Standing): Told[] {
  const stoodSo = ({ module, verification }: ModuleOutcome): boolean => standing.get(`${run.chain.environment} ${module}`) === verification
  return [...foundOf(run, run.modules.filter(stoodSo)).map((told) => ({ ...told, onset: null })), ...foundOf(run, run.modules.filter((one) => !stoodSo(one)))]
}

function foundOf(run: RunPredicate, modules: readonly ModuleOutcome[]): Told[] {
  return [...Map.groupBy(modules, (one) => one.verification)].flatMap(([verdict, ones]): Told[] => {
    if (verdict === 'pending') return []
    const probes = run.probes.filter((probe) => ones.some((one) => one.module === probe.module))
    const message = probes.find((probe) => probe.verdict === verdict)?.samples.at(-1)?.message
    return [{ ref: run.run, at: run.endedAt, kind: 'verdict', modules: ones.map((one) => one.module), text: `verification ${verdict}${message === undefined || verdict === 'passed' ? '' : `: ${message}`}`, verdict, onset: onsetOf(verdict, probes) }]
  })
}

/** Since when modules were what a run found them to be: what is good since the last of their probes is, all else since the first of those that say so. */
function onsetOf(verdict: Verification, probes: RunPredicate['probes']): number | null {
  const onsets = probes.flatMap((probe) => {
    if (verdict !== 'passed' && probe.verdict !== verdict) return []
    const other = probe.samples.findLastIndex((sample) => sample.verdict !== probe.verdict)
    const first = probe.samples[other + 1] ?? probe.samples.at(-1)
    return first === undefined ? [] : [first.collectedAt]
  })
  if (onsets.length === 0) return null
  return verdict === 'passed' ? Math.max(...onsets) : Math.min(...onsets)
}

function ofVerdict({ module, from, to, message, onset, decidedAt, before, flapping }: VerdictChangePredicate): Told {
  const after = before.at(-1)
  const cause = after === undefined ? '' : ` (just before: ${after.kind} ${after.id}, ${after.about})`
  return { at: decidedAt, kind: 'verdict', modules: [module], text: `${message.includes(from) && message.includes(to) ? '' : `${from} -> ${to}: `}${message}${flapping ? ' (flapping)' : ''}${cause}`, verdict: to, onset, ref: after?.id ?? null }
}

function ofDay({ module, to, samples, changes, verification }: Day): Told {
  const counted = Object.entries(samples).map(([verdict, count]) => `${count} ${verdict}`).join(', ')
  return { at: to, kind: 'verdict', modules: [module], text: `the day ended ${verification}: samples ${counted}; ${changes} ${changes === 1 ? 'change' : 'changes'}`, verdict: verification }
}

function ofFinding({ at, module, object, decision, cause, by, fields, onset, actor, reason, finding }: FindingPredicate): Told {
  const paths = fields.map((field) => field.path)
  const what = paths.length > 3 ? `${paths.slice(0, 3).join(', ')} and ${paths.length - 3} more` : paths.join(', ')
  return { at, kind: 'finding', modules: [module], text: `${decision} (${cause}, by ${by}): ${object}${what === '' ? '' : ` ${what}`}${reason === '' ? '' : `: ${reason}`}`, onset, by: actor, ref: finding }
}

/** What modules are found to be after some moments. */
export function standingAfter(moments: readonly Moment[]): Map<string, Verification> {
  const standing = new Map<string, Verification>()
  for (const { verdict, environment, modules } of moments) if (verdict !== null) for (const module of modules) standing.set(`${environment} ${module}`, verdict)
  return standing
}
