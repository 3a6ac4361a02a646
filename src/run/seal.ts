import type { FailureJson } from '#lib/failure.ts'
import { errors } from '#model/errors.ts'
import type { ErrorCode } from '#model/errors.ts'
import type { Effect, Plan } from '#model/plan.ts'
import { isGood } from '#model/judge-samples.ts'
import { deliveredAsPinned } from '#model/pin.ts'
import type { Pin } from '#model/pin.ts'
import type { ProbeResult } from '#model/probe.ts'
import type { ModuleOutcome, RunState } from '#model/run.ts'
import { pruneUnsure } from '#plan/doubts.ts'
import type { Claim } from './claim.ts'
import { heldBy } from '#store/inventory.ts'
import { findRun, lockRuns, saveModuleOutcome, updateRun } from '#store/runs.ts'
import type { RunRow } from '#store/runs.ts'
import { findSnapshot } from '#store/snapshots.ts'
import type { SnapshotRow } from '#store/snapshots.ts'
import type { Sql } from '#store/sql.ts'
import { forgetStatus, saveStatus, statuses } from '#store/statuses.ts'
import { decideRollback, rollBack } from './act-on-verdict.ts'
import type { ModuleResult } from './deliver-module.ts'
import type { RunGate } from './gate-run.ts'
import { isEnded } from '#model/run.ts'
import type { Parts } from './parts.ts'
import { accept } from './policy.ts'
import { keepProofs } from './proof.ts'
import { record, wakeAfter } from './record-run.ts'
import type { Intents } from './render-run.ts'
import { lookAgain, settleChange, settleVerification } from './settle-verification.ts'
import { statusOf } from './status-of.ts'
import { policyWanted } from './work.ts'
import type { Work } from './work.ts'

/** Ends a run that was carried out, with its record. */
export async function seal(work: Work, intents: Intents, plan: Plan, delivered: readonly ModuleResult[], whole: readonly ProbeResult[]): Promise<void> {
  const results = await Promise.all(delivered.map((result) => withWhatIsLeft(work, intents, plan, result)))
  const bad = results.find(({ outcome }) => outcome.delivery !== 'delivered' || !['passed', 'warned'].includes(outcome.verification))
  const failure = results.find(({ outcome }) => outcome.delivery === 'failed')?.outcome.failure ?? null
  const isWhole = bad === undefined && whole.every(isGood)
  await end(work.parts, work.claim, work.run, isWhole ? 'succeeded' : 'failed', failure, async (tx) => {
    if (work.run.kind === 'policy') await accept(tx, work.run.environment, policyWanted(work) ?? work.policy, work.snapshot.id, work.parts.clock.now())
    const rollback = await decideRollback(tx, work, intents, results, whole)
    const told = results.map((result) => withFailure(result, rollback.not.get(result.outcome.module)))
    for (const [i, { outcome, probes }] of told.entries()) if (outcome !== delivered[i]?.outcome) await saveModuleOutcome(tx, work.run.id, outcome, probes, work.parts.clock.now())
    await settleStatuses(tx, work, intents, told)
    await keepProofs(tx, work, intents, results)
    if (whole.length > 0) await settleChange(tx, work, whole)
    // After the statuses, so that the pin finds them as this run leaves them.
    await rollBack(tx, work, intents, rollback)
  })
}

/** What a person is to be told of a module that is delivered all the same. */
function withFailure(result: ModuleResult, failure: FailureJson | undefined): ModuleResult {
  return failure === undefined ? result : { ...result, outcome: { ...result.outcome, failure } }
}

/** A module is not delivered while something stays that Git no longer has: all else of it was done, what depends on it went on, and it is tried again. */
async function withWhatIsLeft(work: Work, intents: Intents, plan: Plan, result: ModuleResult): Promise<ModuleResult> {
  const { module, delivery } = result.outcome
  if (delivery !== 'delivered') return result
  const effects = plan.steps.find((step) => step.module === module)?.waves.flat() ?? []
  const left = effects.find((effect) => effect.left !== undefined)?.left ?? (intents.modules.has(module) ? undefined : await notTaken(work, module, effects))
  return left === undefined ? result : { ...result, outcome: { ...result.outcome, delivery: 'failed', failure: left } }
}

/** A module that is gone, and whose object the heir did not take. */
async function notTaken({ parts, run }: Work, module: string, effects: readonly Effect[]): Promise<FailureJson | undefined> {
  const held = new Set((await heldBy(parts.sql, run.environment, module)).map((row) => row.key))
  const effect = effects.find(({ key }) => held.has(key))
  return effect === undefined ? undefined : pruneUnsure(effect.key, `another module, which did not take it (${effect.why ?? effect.action})`)
}

/** Ends a run that a gate refused: nothing was done. */
export async function sealFailure(work: Work, plan: Plan, gate: RunGate, failure: FailureJson): Promise<void> {
  await end(work.parts, work.claim, work.run, 'failed', failure, async (tx) => {
    await updateRun(tx, work.run.id, 'planning', work.parts.clock.now(), { plan, planDigest: plan.digest, gates: gate.decisions })
    await failStatuses(tx, work.parts, work.run, failure, plan)
  })
}

/** Ends a run for a failure that nothing here can mend. */
export async function sealStopped(parts: Parts, claim: Claim, run: RunRow, failure: FailureJson): Promise<void> {
  await end(parts, claim, run, 'failed', failure, (tx) => failStatuses(tx, parts, run, failure, undefined))
}

/** The last step of every run: its state, its modules' statuses and its record become true together, or not at all. */
export async function end(parts: Parts, claim: Claim, run: RunRow, state: RunState, failure: FailureJson | null, settle: (tx: Sql) => Promise<void>): Promise<void> {
  const { sql, clock } = parts
  const ended = await sql.transaction(async (tx) => {
    await claim.fence(tx)
    await lockRuns(tx, run.environment)
    // Somebody cancelled or replaced it while its plan was made: it has its record.
    if (isEnded((await findRun(tx, run.id))?.state ?? 'cancelled')) return false
    await settle(tx)
    await record(tx, parts, run.id, state, failure, clock.now())
    return true
  })
  if (ended) await wakeAfter(parts, run.environment)
}

async function settleStatuses(tx: Sql, work: Work, intents: Intents, results: readonly ModuleResult[]): Promise<void> {
  const { run, snapshot, parts } = work
  const now = parts.clock.now()
  const known = new Map((await statuses(tx, run.environment)).map((row) => [row.module, row]))
  for (const result of results) {
    const { outcome } = result
    const asked = run.modules[outcome.module]
    const intent = intents.modules.get(outcome.module)
    const row = known.get(outcome.module) ?? statusOf(run.environment, outcome.module, intent, now)
    if (row === undefined || asked === undefined) continue
    if (intent === undefined && outcome.delivery === 'delivered' && (await heldBy(tx, run.environment, outcome.module)).length === 0) {
      await forgetStatus(tx, run.environment, outcome.module, now)
      continue
    }
    // A newer run may have been decided on meanwhile: what it wants stays.
    const decided = row.intent !== asked.intent && row.run !== run.id ? 'anew' : 'by this run'
    const at = asked.snapshot === undefined ? snapshot : ((await findSnapshot(tx, asked.snapshot)) ?? snapshot)
    await saveStatus(tx, { ...row, ...deliveryOf(outcome, row, asked, run, at, decided), updatedAt: now })
    if (outcome.delivery !== 'halted') await settleVerification(tx, work, result, row, intent)
  }
  await lookAgain(tx, work, results)
}

type Row = NonNullable<ReturnType<typeof statusOf>> & { readonly pinned?: Pin | null }

function deliveryOf(outcome: ModuleOutcome, row: Row, asked: { intent: string; changed: boolean }, run: RunRow, at: SnapshotRow, decided: 'by this run' | 'anew'): Partial<Row> {
  // That a drift could not be reverted says nothing of what was delivered: its finding says so.
  if (run.kind === 'revert' && outcome.delivery !== 'delivered') return {}
  // Nothing was done about it: it was looked at again, and what was known of its delivery stays.
  if (outcome.delivery === 'delivered' && !asked.changed) return { run: run.id, ...(row.delivered === asked.intent && row.intent === asked.intent ? { failure: null } : {}) }
  if (outcome.delivery === 'delivered')
    return {
      ...(decided === 'anew' ? {} : { delivery: pinnedDelivery(row, asked.intent), run: run.id }),
      delivered: asked.intent,
      snapshot: at.id,
      snapshotSeq: at.seq,
      failure: outcome.failure ?? null,
      readinessOnly: outcome.readinessOnly,
    }
  const failure = outcome.failure ?? null
  if (outcome.delivery === 'halted') return asked.changed ? { delivery: 'behind', failure } : { failure }
  return { ...(decided === 'anew' ? {} : { delivery: failure === null ? 'failed' : deliveryAfter(failure), run: run.id }), failure }
}

/** What is where its pin holds it is behind, as long as Git says something else. */
function pinnedDelivery({ pinned = null }: Row, intent: string): Row['delivery'] {
  return pinned === null ? 'synced' : deliveredAsPinned(pinned, intent)
}

/** Where it could not be found out what became of it, nobody can say what is there. */
function deliveryAfter(failure: FailureJson): 'failed' | 'unknown' {
  return errors[failure.code as ErrorCode]?.exit === 4 ? 'unknown' : 'failed'
}

async function failStatuses(tx: Sql, parts: Parts, run: RunRow, failure: FailureJson, plan: Plan | undefined): Promise<void> {
  if (run.kind === 'verify' || run.kind === 'revert') return
  const now = parts.clock.now()
  for (const row of await statuses(tx, run.environment)) {
    if (run.modules[row.module]?.changed !== true) continue
    const own = plan?.steps.find((step) => step.module === row.module)?.failure ?? failure
    await saveStatus(tx, { ...row, delivery: deliveryAfter(own), failure: own, run: run.id, updatedAt: now })
  }
}
