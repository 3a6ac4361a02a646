import type { FailureJson } from '#lib/failure.ts'
import { isLiveAlready } from '#model/field-facts.ts'
import type { Effect, Plan, Step } from '#model/plan.ts'
import type { GateDecision } from '#model/gate.ts'
import { isGood } from '#model/judge-samples.ts'
import { environmentItself, isFlapping, quietSince, standingVerification, timeIsOver, whyStale } from '#model/probe-state.ts'
import type { Flip } from '#model/probe-state.ts'
import { worst } from '#model/probe.ts'
import type { ProbeResult, Sample } from '#model/probe.ts'
import { deliveredAsPinned } from '#model/pin.ts'
import type { Delivery, ModuleOutcome, Verification } from '#model/run.ts'
import type { PlanAnswer, RunView, StatusView } from '#model/api/views.ts'
import type { Environment } from '#model/config/environment.ts'
import { summary } from '#plan/plan.ts'
import { countFindings, type FindingCount } from '#store/findings.ts'
import { heldIn } from '#store/inventory.ts'
import { operationSteps } from '#store/operations.ts'
import { activePauses } from '#store/pauses.ts'
import { probeStates } from '#store/probe-states.ts'
import type { ProbeStateRow } from '#store/probe-states.ts'
import { unpublished } from '#store/records.ts'
import { findRun, moduleOutcomes, openRuns, partsOfRuns } from '#store/runs.ts'
import type { EffectRow, RunModuleRow, RunParts, RunRow } from '#store/runs.ts'
import type { Sql } from '#store/sql.ts'
import { isOfChange } from './owned-probes.ts'
import { newestSnapshot, repositories } from '#store/snapshots.ts'
import { statuses } from '#store/statuses.ts'
import type { KnownStatus } from '#store/statuses.ts'
import { viewWatches } from './drift/views.ts'

/** ISO 8601. */
export function iso(at: number): string {
  return new Date(at).toISOString()
}

const isoOrNull = (at: number | null): string | null => (at === null ? null : iso(at))

/** Runs as people and programs see them. */
export async function viewRuns(sql: Sql, runs: readonly RunRow[], now: number): Promise<RunView[]> {
  const partsOf = await partsOfRuns(sql, runs.map((run) => run.id))
  const flapping = new Map<string, Flapping>()
  for (const environment of new Set(runs.map((run) => run.environment))) {
    const states = (await probeStates(sql, environment)).filter((state) => isFlapping(state, now))
    flapping.set(environment, new Map(states.map((state) => [`${state.module}/${state.probe}`, state])))
  }
  return await Promise.all(runs.map((run) => view(sql, run, partsOf(run.id), flapping.get(run.environment) ?? new Map())))
}

export async function viewRun(sql: Sql, run: RunRow, now: number): Promise<RunView> {
  const [only] = await viewRuns(sql, [run], now)
  return only!
}

/** By module and probe: those that flap. */
type Flapping = ReadonlyMap<string, ProbeStateRow>

async function view(sql: Sql, run: RunRow, { modules, effects: written, approvals }: RunParts, flapping: Flapping): Promise<RunView> {
  return {
    id: run.id,
    environment: run.environment,
    kind: run.kind,
    state: run.state,
    waiting: run.state === 'waiting' ? run.waiting.map(viewDecision) : [],
    actor: run.actor,
    reason: run.reason,
    ticket: run.ticket,
    snapshot: run.snapshot,
    ...(run.operation === null ? {} : { operation: await viewOperation(sql, run.id, run.operation) }),
    ...(run.rollback === null ? {} : { rollback: { of: run.rollback.of, by: run.rollback.by } }),
    changes: run.changes.map((change) => ({ ...change, at: iso(change.at) })),
    plan: run.plan === null ? null : { digest: run.plan.digest, summary: summary(run.plan) },
    steps: viewSteps(run, modules, written),
    probes: modules.flatMap((row) => row.probes.map((probe) => viewProbe(row.module, probe, flapping.get(`${row.module}/${probe.probe}`)))),
    gates: run.gates.map(viewDecision),
    approvals: approvals.map((approval) => ({ ...approval, objects: [...approval.objects], at: iso(approval.at) })),
    failure: run.failure,
    record: run.recordSeq === null || run.recordDigest === null ? null : { seq: run.recordSeq, digest: run.recordDigest },
    createdAt: iso(run.createdAt),
    endedAt: isoOrNull(run.endedAt),
  }
}

function viewProbe(module: string, { before, ...probe }: ProbeResult, flapping: ProbeStateRow | undefined): RunView['probes'][number] {
  return {
    ...probe,
    module,
    samples: probe.samples.map(viewSample),
    ...(before === undefined ? {} : { before: viewSample(before) }),
    ...(flapping === undefined ? {} : { flapping: flapping.flips.map(viewFlip) }),
  }
}

function viewSample({ across, ...sample }: Sample): RunView['probes'][number]['samples'][number] {
  return { ...sample, collectedAt: iso(sample.collectedAt), ...(across === undefined ? {} : { across: across.map((one) => ({ ...one, collectedAt: iso(one.collectedAt) })) }) }
}

function viewSteps(run: RunRow, modules: readonly RunModuleRow[], written: readonly EffectRow[]): RunView['steps'] {
  const steps: readonly Pick<Step, 'module' | 'dependsOn' | 'waves' | 'proof' | 'failure'>[] = run.plan?.steps ?? Object.keys(run.modules).map((module) => ({ module, dependsOn: [], waves: [] }))
  return steps.map((step) => {
    const outcome = modules.find((row) => row.module === step.module)?.outcome
    const failure = outcome?.failure ?? step.failure
    return {
      module: step.module,
      dependsOn: [...step.dependsOn],
      ...heldElsewhere(run, step.module),
      delivery: outcome?.delivery ?? 'pending',
      verification: outcome?.verification ?? 'pending',
      readinessOnly: outcome?.readinessOnly ?? false,
      ...(outcome?.onFailure === undefined ? {} : { onFailure: outcome.onFailure }),
      ...(failure === undefined ? {} : { failure }),
      ...viewProof(step),
      effects: step.waves.flat().map((effect) => viewEffect(effect, written.find((row) => row.module === step.module && row.key === effect.key))),
    }
  })
}

async function viewOperation(sql: Sql, run: string, { name, from, slot }: NonNullable<RunRow['operation']>): Promise<NonNullable<RunView['operation']>> {
  const steps = (await operationSteps(sql, run)).map(({ position: _position, probes, startedAt, endedAt, ...step }) => ({
    ...step,
    probes: probes.map(({ probe, kind, verdict, asked, samples }) => ({ probe, kind, verdict, asked, samples: samples.map(viewSample) })),
    startedAt: isoOrNull(startedAt),
    endedAt: isoOrNull(endedAt),
  }))
  return { name, from, slot: isoOrNull(slot), steps }
}

function heldElsewhere(run: RunRow, module: string): { snapshot?: string } {
  const at = run.modules[module]?.snapshot
  return at === undefined || at === run.snapshot ? {} : { snapshot: at }
}

function viewProof({ proof }: Pick<Step, 'proof'>): { proof?: string[] } {
  return proof === undefined || proof.changes.length === 0 ? {} : { proof: [...proof.changes] }
}

export function viewEffect(effect: Effect, row?: EffectRow): RunView['steps'][number]['effects'][number] {
  const failure = row?.outcome?.failure ?? effect.refused
  const shown = row?.effect ?? effect
  return {
    key: effect.key,
    action: effect.action,
    ...(row?.outcome === null || row?.outcome === undefined ? {} : { outcome: row.outcome.action ?? row.outcome.state }),
    changes: shown.changes.map((change) => ({ ...change, ...(isLiveAlready(change) ? { already: true as const } : {}) })),
    ...(effect.deferred === undefined ? {} : { deferred: effect.deferred }),
    ...(effect.handedOverFrom === undefined ? {} : { handedOverFrom: effect.handedOverFrom }),
    holdsState: effect.holdsState,
    ...(effect.holdsData === undefined ? {} : { holdsData: [...effect.holdsData] }),
    ...(failure === undefined ? {} : { failure }),
  }
}

export function viewDecision(decision: GateDecision): RunView['gates'][number] {
  const { until, by, ...rest } = decision
  return { ...rest, ...(until === undefined ? {} : { until: iso(until) }), ...(by === undefined ? {} : { by: [...by] }) }
}

/** A dry run's answer. */
export function viewPlan(plan: Plan, gates: readonly GateDecision[], outcome: PlanAnswer['outcome']): PlanAnswer {
  return {
    environment: plan.environment,
    snapshot: plan.snapshot,
    plan: { digest: plan.digest, summary: summary(plan) },
    steps: plan.steps.map((step) => {
      const failure = step.failure
      return { module: step.module, dependsOn: [...step.dependsOn], effects: step.waves.flat().map((effect) => viewEffect(effect)), ...viewProof(step), ...(failure ? { failure } : {}) }
    }),
    unknown: [...plan.unknown],
    gates: gates.map(viewDecision),
    outcome,
  }
}

/** Everything at a glance. */
export async function viewStatus(sql: Sql, workspace: string, environments: readonly Environment[], isGone: (environment: string) => boolean, brokenOf: BrokenOf, now: number): Promise<StatusView> {
  const newest = await newestSnapshot(sql)
  const rows = await statuses(sql)
  const open = await openRuns(sql)
  const pauses = await activePauses(sql, now)
  const states = Map.groupBy(await probeStates(sql), (state) => `${state.environment}/${state.module}`)
  const watches = await viewWatches(sql, now)
  const heads = await unpublished(sql)
  const findings = new Map((await countFindings(sql)).map(({ environment, module, ...counts }) => [`${environment}/${module}`, counts]))
  const cancelled = await cancelledRuns(sql, rows)
  const underWay = new Map<string, ModuleOutcome>()
  for (const run of open.filter(isUnderWay)) for (const { outcome } of await moduleOutcomes(sql, run.id)) underWay.set(`${run.environment}/${outcome.module}`, outcome)
  return {
    workspace,
    snapshot: newest?.id ?? null,
    repositories: (await repositories(sql)).map(({ commit: _commit, ...row }) => ({ ...row, checkedAt: isoOrNull(row.checkedAt) })),
    problems: newest?.problems ?? [],
    environments: await Promise.all([...environments].sort(byTier).map(async (environment) => {
      const { name } = environment.metadata
      const runs = open.filter((run) => run.environment === name)
      return {
        name,
        tier: environment.spec.tier,
        gone: isGone(name),
        holds: (await heldIn(sql, name)).reduce((sum, { objects }) => sum + objects, 0),
        ...viewItself(environment, states.get(`${name}/${environmentItself}`) ?? [], now),
        modules: rows.filter((row) => row.environment === name).map((row) => viewModule(row, { open: runs, outcome: underWay.get(`${name}/${row.module}`), cancelled: cancelled.get(row.run ?? ''), broken: brokenOf(row.module, row.repository), states: states.get(`${name}/${row.module}`) ?? [], now, found: findings.get(`${name}/${row.module}`) ?? { findings: 0, adopting: 0, reverting: 0 } })),
        waiting: runs.flatMap((run) => run.waiting.map((decision) => ({ run: run.id, waitingFor: decision.waitingFor ?? 'person', message: decision.message }))),
        pauses: pauses
          .filter((pause) => pause.environment === name)
          .map((pause) => ({ module: pause.module, reason: pause.reason, by: pause.by, until: iso(pause.until) })),
        watches: watches.filter((watch) => watch.environment === name),
        unpublished: heads.get(name) ?? null,
      }
    })),
  }
}

/** Of what is behind because somebody cancelled the run that was to deliver it: who did, and what begins it again. */
async function cancelledRuns(sql: Sql, rows: readonly KnownStatus[]): Promise<ReadonlyMap<string, FailureJson | null>> {
  const ids = new Set(rows.flatMap(({ delivery, run }) => (delivery === 'behind' && run !== null ? [run] : [])))
  const runs = await Promise.all([...ids].map((id) => findRun(sql, id)))
  return new Map(runs.flatMap((run) => (run?.state === 'cancelled' ? [[run.id, run.failure]] : [])))
}

const tiers = ['sandbox', 'staging', 'production']

function byTier(a: Environment, b: Environment): number {
  return tiers.indexOf(a.spec.tier) - tiers.indexOf(b.spec.tier) || (a.metadata.name < b.metadata.name ? -1 : 1)
}

function isUnderWay(run: RunRow): boolean {
  return run.state === 'delivering' || run.state === 'verifying'
}

/** What is wrong with a module's document in the newest snapshot, where something is. */
type BrokenOf = (module: string, repository: string) => FailureJson | undefined

/** The environment itself. What nobody looked at again in time says nothing any more; a change as a whole is not looked at again once it passed. */
function viewItself(environment: Environment, states: readonly ProbeStateRow[], now: number): Pick<StatusView['environments'][number], 'verification' | 'stale' | 'probes'> {
  const { verifyEvery, freshFor = 2 * verifyEvery } = environment.spec
  // Of one that is gone, and whose policy was accepted when this was no part of it, nobody knows how long a look holds: it does not.
  const over = states.filter(({ probe, verdict, askedAt }) => !(isOfChange(probe) && isGood({ verdict })) && !(askedAt + freshFor >= now))
  const verification = states.length === 0 ? null : worst(states.map(({ verdict }) => verdict))
  const isStale = over.length > 0 && verification !== 'unknown'
  return { verification: isStale ? 'stale' : verification, stale: isStale ? timeIsOver(Math.min(...over.map(({ askedAt }) => askedAt)), freshFor) : null, probes: states.map((state) => viewState(state, now)) }
}

type ModuleView = StatusView['environments'][number]['modules'][number]

/** What is known of a module beside its row: the open runs, what became of it in one that is at work on it, that its run was cancelled, what is wrong with its document, what its probes say. */
type Beside = { readonly open: readonly RunRow[]; readonly outcome: ModuleOutcome | undefined; readonly cancelled: FailureJson | null | undefined; readonly broken: FailureJson | undefined; readonly states: readonly ProbeStateRow[]; readonly now: number; readonly found: FindingCount }

function viewModule(row: KnownStatus, { open, outcome, cancelled, broken, states, now, found }: Beside): ModuleView {
  const run = open.find((candidate) => candidate.modules[row.module]?.changed === true)
  const failure = broken ?? row.failure ?? (run === undefined ? cancelled : null) ?? null
  const waiting = run?.waiting.map((decision) => decision.message).join('; ')
  return {
    name: row.module,
    repository: row.repository,
    track: row.track,
    ...factsOf({ ...row, ...(broken !== undefined && row.delivery === 'synced' ? { delivery: 'behind' as const } : {}) }, now, run, outcome),
    readinessOnly: row.readinessOnly,
    run: row.run,
    snapshot: row.snapshot,
    verifiedSince: isoOrNull(row.verifiedSince),
    pinned: viewPin(row),
    since: iso(run !== undefined && isUnderWay(run) && outcome !== undefined ? run.createdAt : row.since),
    verifiedAt: isoOrNull(row.verifiedAt),
    flapping: states.some((state) => isFlapping(state, now)),
    probes: states.map((state) => viewState(state, now)),
    ...found,
    note: run?.state === 'waiting' && waiting !== undefined && waiting !== '' ? waiting : (failure === null ? (run?.failure?.message ?? null) : failure.code === 'run-cancelled' ? [failure.message, failure.hint].join('; ') : failure.message),
    failure,
  }
}

function viewPin({ pinned }: KnownStatus): ModuleView['pinned'] {
  if (pinned === null) return null
  const { snapshot, by, actor, reason, ticket, at, run } = pinned
  return { snapshot, by, actor, reason, ticket, at: iso(at), run }
}

const viewFlip = ({ at, from, verdict, message }: Flip) => ({ at: iso(at), from, to: verdict, message })

function viewState(state: ProbeStateRow, now: number): ModuleView['probes'][number] {
  const { probe, kind, verdict, onset, askedAt, lastBefore, sample, causes, flips } = state
  return {
    probe,
    kind,
    verdict,
    onset: iso(onset),
    askedAt: iso(askedAt),
    lastBefore: isoOrNull(lastBefore),
    message: sample?.message ?? 'it could not be asked',
    ...(sample?.code === undefined ? {} : { code: sample.code }),
    ...(sample?.hint === undefined ? {} : { hint: sample.hint }),
    causes: causes.map((cause) => ({ ...cause, at: iso(cause.at) })),
    flapping: isFlapping(state, now),
    quietSince: isoOrNull(quietSince(state, now) ?? null),
    history: flips.map(viewFlip),
  }
}

/** The two facts. While a run is at work on a module, what was verified before says nothing of what is there now. */
function factsOf(row: KnownStatus, now: number, run: RunRow | undefined, outcome: ModuleOutcome | undefined): { delivery: Delivery; verification: Verification; stale: string | null } {
  const before = { delivery: row.delivery, verification: standingVerification(row, now), stale: whyStale(row, now) }
  if (run === undefined || !isUnderWay(run) || outcome === undefined) return before
  const verified: Verification = outcome.verification === 'pending' ? (row.verification === 'unknown' ? 'unknown' : 'stale') : outcome.verification
  const verification = { verification: verified, stale: verified === 'stale' ? `${run.id} is at work on it and has not verified it yet` : null }
  if (outcome.delivery === 'delivered') return { delivery: row.pinned === null ? 'synced' : deliveredAsPinned(row.pinned, row.intent), ...verification }
  return outcome.delivery === 'delivering' ? { delivery: 'progressing', ...verification } : before
}
