import { canonicalJson } from '#lib/json.ts'
import type { FieldChange } from '#model/plan.ts'
import type { ProbeResult } from '#model/probe.ts'
import { calledModule } from '#model/probe-state.ts'
import { showKey } from '#model/resource.ts'
import { dayField } from './predicates.ts'
import type { EffectRecord, RunPredicate, VerdictChangePredicate } from './predicates.ts'
import { findingType, linkOf, recordKinds, runRecordType, verdictChangeType } from './statement.ts'
import type { RecordStatement } from './statement.ts'
import { verificationSummaryType } from './standards.ts'

/** A record as a person reads it, in whatever form it is written down: plain texts, escaped by nobody yet. */
export type ToldRecord = {
  readonly heading: string
  readonly facts: readonly (readonly [name: string, value: string])[]
  readonly tables: readonly { readonly title: string; readonly columns: readonly string[]; readonly rows: readonly (readonly string[])[] }[]
}

export function tellRecord(statement: RecordStatement, digest: string): ToldRecord {
  const link = linkOf(statement)
  const own = tellOwn(statement)
  return {
    heading: `${link?.environment} #${link?.seq}: ${own.heading}`,
    facts: [...own.facts, ['kind', recordKinds[statement.predicateType]], ['digest', digest], ['record before it', link?.previous ?? 'none: it is the first']],
    tables: own.tables.filter((table) => table.rows.length > 0),
  }
}

function tellOwn(statement: RecordStatement): ToldRecord {
  switch (statement.predicateType) {
    case runRecordType:
      return ofRun(statement.predicate)
    case verdictChangeType:
      return ofVerdict(statement.predicate)
    case verificationSummaryType: {
      const { module, from, to, samples, lastedMs, changes, worst, verification } = statement.predicate[dayField]
      const counts = (of: Readonly<Record<string, number>>, unit: (n: number) => string): string => Object.entries(of).map(([verdict, n]) => `${verdict} ${unit(n)}`).join(', ')
      return { heading: `${calledModule(module)} on ${stamp(from)} to ${stamp(to)}: ${verification}`, facts: [['samples', counts(samples, String)], ['lasted', counts(lastedMs, seconds)], ['changes', String(changes)], ['worst', worst]], tables: [] }
    }
    case findingType: {
      const { module, object, decision, cause, by, onset, actor, reason, ticket, fields, at, finding } = statement.predicate
      return {
        heading: `${decision}: drift of ${showKey(object)} (${module})`,
        facts: facts([['finding', finding], ['at', stamp(at)], ['first so', onset === null ? 'nobody can tell' : stamp(onset)], ['cause', cause], ['by', by], ['decided by', actor], ['reason', reason], ['ticket', ticket]]),
        tables: [{ title: 'Fields', columns: ['field', 'declared', 'live', 'owner'], rows: fields.map((field) => [field.path, json(field.declared), json(field.live), field.owner ?? '']) }],
      }
    }
    default: {
      const { chain: _, ...rest } = statement.predicate
      return { heading: recordKinds[statement.predicateType], facts: Object.entries(rest).map(([name, value]) => [name, name === 'at' || name === 'before' ? stamp(Number(value)) : typeof value === 'string' ? value : json(value)]), tables: [] }
    }
  }
}

function ofRun(run: RunPredicate): ToldRecord {
  return {
    heading: `${run.run} ${run.state}: ${run.reason}`,
    facts: facts([
      ['who', run.actor], ['why', run.reason], ['ticket', run.ticket], ['began', stamp(run.startedAt)], ['ended', stamp(run.endedAt)], ['snapshot', run.snapshot.id], ['plan', run.plan?.digest],
      ['failure', run.failure === null ? null : `${run.failure.code}: ${run.failure.message}`],
    ]),
    tables: [
      { title: 'Commits', columns: ['repository', 'commit', 'author', 'subject'], rows: run.changes.map((one) => [one.repository, one.sha, one.author.name, one.subject]) },
      { title: 'Gates', columns: ['rule', 'outcome', 'said'], rows: run.gates.map((one) => [one.code, one.outcome, one.message]) },
      { title: 'Approvals', columns: ['by', 'at', 'reason', 'objects'], rows: run.approvals.map((one) => [one.principal, stamp(one.at), one.reason, one.objects.join(', ')]) },
      { title: 'Modules', columns: ['module', 'delivery', 'verification', 'failure'], rows: run.modules.map((one) => [calledModule(one.module), one.delivery, `${one.verification}${one.readinessOnly ? ' (readiness only)' : ''}`, one.failure?.message ?? '']) },
      { title: 'Steps', columns: ['step', 'kind', 'outcome', 'said'], rows: (run.operation?.steps ?? []).map((one) => [one.name, one.kind, one.state, one.message ?? '']) },
      { title: 'Effects', columns: ['object', 'outcome', 'fields'], rows: run.effects.filter((one) => one.action !== 'unchanged' || one.changes.length > 0).map(effectRow) },
      samplesOf(run.probes),
      { title: 'Not known', columns: ['of', 'why'], rows: run.unknown.map((one) => [one.subject, one.message]) },
    ],
  }
}

function ofVerdict(change: VerdictChangePredicate): ToldRecord {
  return {
    heading: `${calledModule(change.module)}: verification ${change.from} -> ${change.to}`,
    facts: facts([
      ['what', change.message], ['delivery', change.delivery], ['since', stamp(change.onset)], ['last seen otherwise', change.lastBefore === null ? 'never' : stamp(change.lastBefore)], ['known', stamp(change.decidedAt)],
      ['flapping', change.flapping ? 'yes' : null], ['snapshot', change.snapshot],
    ]),
    tables: [
      { title: 'Just before', columns: ['what', 'which', 'at', 'about'], rows: change.before.map((one) => [one.kind, one.id, stamp(one.at), one.about]) },
      samplesOf(change.probes.map((probe) => ({ ...probe, module: change.module }))),
      { title: 'Not known', columns: ['of', 'why'], rows: change.unknown.map((one) => [one.subject, one.message]) },
    ],
  }
}

function effectRow(effect: EffectRecord): string[] {
  const fields = effect.changes.map(fieldLine)
  return [showKey(effect.key), `${effect.outcome}${effect.failure === undefined ? '' : `: ${effect.failure.message}`}`, fields.length > 20 ? `${fields.slice(0, 20).join('; ')}; and ${fields.length - 20} more` : fields.join('; ')]
}

function fieldLine({ path, state, from, to }: FieldChange): string {
  return `${path} ${state}${from === undefined ? '' : ` from ${brief(from)}`}${to === undefined ? '' : ` to ${brief(to)}`}`
}

function samplesOf(probes: readonly (ProbeResult & { readonly module: string })[]): ToldRecord['tables'][number] {
  const rows = probes.flatMap((probe) =>
    probe.samples.map((one) => [calledModule(probe.module), probe.probe, stamp(one.collectedAt), one.verdict, `${one.message}${one.threshold === undefined ? '' : ` (${one.threshold})`}`, one.target, `${one.durationMs} ms`]),
  )
  return { title: 'Samples', columns: ['module', 'probe', 'collected', 'verdict', 'said', 'asked', 'took'], rows }
}

function facts(given: readonly (readonly [string, string | null | undefined])[]): [string, string][] {
  return given.flatMap(([name, value]) => (value === null || value === undefined || value === '' ? [] : [[name, value] as [string, string]]))
}

/** UTC. */
export function stamp(at: number): string {
  return Number.isFinite(at) && Math.abs(at) <= 8.64e15 ? new Date(at).toISOString().replace('T', ' ') : 'at no time'
}

function seconds(ms: number): string {
  return `${Math.round(ms / 1000)} s`
}

function json(value: unknown): string {
  return value === undefined ? '' : canonicalJson(value)
}

function brief(value: unknown): string {
  const text = json(value)
  return text.length > 120 ? `${text.slice(0, 119)}…` : text
}
