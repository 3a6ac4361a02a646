import { Failure } from '#lib/failure.ts'
import type { FailureJson } from '#lib/failure.ts'
import type { RunState } from '#model/run.ts'
import type { ChainLink, RunPredicate } from '#record/predicates.ts'
import { provenanceOf, testResultOf } from '#record/standards.ts'
import { runStatement } from '#record/statement.ts'
import { heldBy } from '#store/inventory.ts'
import { isToldOf, notify } from '#store/notifications.ts'
import { operationSteps } from '#store/operations.ts'
import { enqueue, enqueueAll } from '#store/queue.ts'
import { approvalsOf, findRun, journal, moduleOutcomes, openRuns, updateRun } from '#store/runs.ts'
import type { EffectRow, NewRun, RunRow } from '#store/runs.ts'
import { tallyRun } from '#store/tallies.ts'
import { findSnapshot } from '#store/snapshots.ts'
import type { Sql } from '#store/sql.ts'
import { appendToChain } from './chain.ts'
import { effectRecord } from './effect-record.ts'
import { endRollback } from './end-rollback.ts'
import { unknownOf } from './not-known.ts'
import type { Parts } from './parts.ts'
import { endsUnattended, wholeSpan } from './telemetry/in-span.ts'

/** Appends the run's record to its environment's chain, and with it the run has ended. */
export async function record(tx: Sql, parts: Parts, id: string, state: RunState, failure: FailureJson | null, now: number): Promise<void> {
  const run = await findRun(tx, id)
  if (run === undefined) throw new Error(`run ${id} is gone`)
  const { seq, head } = await appendToChain(tx, parts, run.environment, async (link) => runStatement(await predicateOf(tx, run, link, state, failure, now)), now)
  if (await updateRun(tx, id, state, now, { failure, recordSeq: seq, recordDigest: head })) {
    await tallyRun(tx, id)
    if (parts.tracer !== undefined && endsUnattended(state)) wholeSpan(parts.tracer, run, state, failure, now)
    await tellFailed(tx, parts, run, state, failure, now)
  }
  if (run.kind === 'rollback') await endRollback(tx, parts, run, state, now)
}

/** A verification that failed is told as a verdict, by itself or after a delivery: where that was said of this run, it is not said again. */
async function tellFailed(tx: Sql, parts: Pick<Parts, 'redactor'>, run: RunRow, state: RunState, failure: FailureJson | null, now: number): Promise<void> {
  if (run.kind === 'verify' || (state !== 'failed' && state !== 'halted' && state !== 'interrupted')) return
  if (failure === null && (await isToldOf(tx, run.environment, 'verdict', run.id))) return
  const why = failure === null ? 'what it delivered is not verified' : `${failure.subject}: ${failure.message}`
  await notify(tx, now, { kind: 'run-failed', environment: run.environment, module: null, body: { message: parts.redactor.redact(`${run.id} (${run.reason}) ${state}: ${why}`), run: run.id, state, ...(failure === null ? {} : { code: failure.code }) } })
}

async function predicateOf(tx: Sql, run: RunRow, chain: ChainLink, state: RunState, failure: FailureJson | null, now: number): Promise<RunPredicate> {
  const commits = (await findSnapshot(tx, run.snapshot))?.commits ?? {}
  const modules = await moduleOutcomes(tx, run.id)
  const effects = await journal(tx, run.id)
  const rows = await Promise.all(modules.map(({ module }) => heldBy(tx, run.environment, module)))
  const steps = run.operation === null ? [] : await operationSteps(tx, run.id)
  const held = new Map(rows.flat().filter((row) => row.run === run.id).map((row) => [row.key, row]))
  return {
    chain,
    run: run.id,
    state,
    actor: run.actor,
    reason: run.reason,
    ticket: run.ticket,
    snapshot: { id: run.snapshot, commits },
    ...(run.rollback === null ? {} : { rollback: run.rollback }),
    ...(run.operation === null ? {} : { operation: { ...run.operation, steps } }),
    ...heldOf(run),
    changes: run.changes,
    plan: run.planDigest === null ? null : { digest: run.planDigest },
    gates: run.gates,
    approvals: await approvalsOf(tx, run.id),
    effects: effectsOf(run, effects).map((row) => effectRecord(row, held.get(row.effect.key))),
    modules: modules.map((row) => row.outcome),
    probes: modules.flatMap((row) => row.probes.map((probe) => ({ ...probe, module: row.module }))),
    unknown: [...(run.plan?.unknown ?? []), ...unknownOf({ effects, modules, steps })],
    failure,
    provenance: provenanceOf({ run: run.id, environment: run.environment, modules: Object.keys(run.modules), plan: run.planDigest, commits, startedAt: run.createdAt, endedAt: now }),
    testResults: modules.flatMap(({ module, probes }) => {
      const result = testResultOf(probes, [{ uri: `plumbline:${run.environment}/${module}#probes` }])
      return result === undefined ? [] : [{ module, ...result }]
    }),
    startedAt: run.createdAt,
    endedAt: now,
  }
}

function heldOf({ modules, snapshot }: RunRow): Pick<RunPredicate, 'held'> {
  const held = Object.entries(modules).flatMap(([module, { snapshot: at }]) => (at === undefined || at === snapshot ? [] : [[module, at] as const]))
  return held.length === 0 ? {} : { held: Object.fromEntries(held) }
}

/** What was carried out; of a run whose effects never began, what its plan would have done. */
function effectsOf(run: RunRow, written: readonly EffectRow[]): Pick<EffectRow, 'effect' | 'outcome' | 'state'>[] {
  if (written.length > 0 || run.plan === null) return [...written]
  return run.plan.steps.flatMap((step) => step.waves.flat()).map((effect) => ({ effect, outcome: null, state: 'pending' }))
}

/** A run has ended: its environment is looked at again, and so are the runs that may have waited for it. */
export async function wakeAfter(parts: Parts, environment: string): Promise<void> {
  await enqueue(parts.sql, parts.clock, `environment/${environment}`)
  await wakeWaiting(parts)
}

/** Runs of other environments may wait for just this. */
export async function wakeWaiting({ sql, clock }: Pick<Parts, 'sql' | 'clock'>): Promise<void> {
  const waiting = (await openRuns(sql)).filter(({ state }) => state === 'waiting' || state === 'planning')
  await enqueueAll(sql, clock, waiting.map(({ id }) => `run/${id}`))
}

/** Why a run ended before it began: another one does its work, or (without `by`) nothing is left of what it was to change. */
export function replacedBy(old: RunRow, by: NewRun | undefined): FailureJson {
  const message =
    by === undefined
      ? 'what it was to change was taken back in Git'
      : by.startedBy === null
        ? `a newer snapshot changes what it was to do: ${by.id} does it now`
        : `${by.startedBy} started ${by.id}, which does it now`
  return new Failure({ code: 'run-superseded', subject: `run ${old.id}`, message, ...(by === undefined ? {} : { hint: `plumb show ${by.id}` }) }).toJSON()
}
