import type { FailureJson } from '#lib/failure.ts'
import type { Plan } from '#model/plan.ts'
import type { ModuleOutcome, RunState, Verification } from '#model/run.ts'
import { Frontier } from '#record/merkle.ts'
import { checkpointStatement, runStatement, sealRecord } from '#record/statement.ts'
import type { RunPredicate } from '#record/statement.ts'
import { enqueue } from '#store/queue.ts'
import type { Claim } from './claim.ts'
import { appendCheckpoint, appendRecord, chainEnd, lastFrontier } from '#store/records.ts'
import { approvalsOf, findRun, journal, listRuns, moduleOutcomes, updateRun } from '#store/runs.ts'
import type { RunRow } from '#store/runs.ts'
import type { Sql } from '#store/sql.ts'
import { findSnapshot } from '#store/snapshots.ts'
import { forgetStatus, saveStatus, statuses } from '#store/statuses.ts'
import type { ModuleResult } from './deliver-module.ts'
import { wakeWaiting } from './environment.ts'
import type { RunGate } from './gate-run.ts'
import type { Parts } from './parts.ts'
import type { Intents } from './render-run.ts'
import { statusOf } from './status-of.ts'
import type { Work } from './work.ts'

/** Ends a run that was carried out, with its record. */
export async function seal(work: Work, intents: Intents, _plan: Plan, results: readonly ModuleResult[]): Promise<void> {
  const bad = results.find(({ outcome }) => outcome.delivery !== 'delivered' || !['passed', 'warned'].includes(outcome.verification))
  const failure = results.find(({ outcome }) => outcome.delivery === 'failed')?.outcome.failure ?? null
  await end(work.parts, work.claim, work.run, bad === undefined ? 'succeeded' : 'failed', failure, (tx) => settleStatuses(tx, work, intents, results))
}

/** Ends a run that a gate refused: nothing was done. */
export async function sealFailure(work: Work, intents: Intents, plan: Plan, gate: RunGate, failure: FailureJson): Promise<void> {
  const { sql, clock } = work.parts
  await updateRun(sql, work.run.id, 'planning', clock.now(), { plan, planDigest: plan.digest, gates: gate.decisions })
  await end(work.parts, work.claim, work.run, 'failed', failure, (tx) => failStatuses(tx, work.parts, work.run, failure, intents))
}

/** Ends a run for a failure that nothing here can mend. */
export async function sealStopped(parts: Parts, claim: Claim, run: RunRow, failure: FailureJson): Promise<void> {
  await end(parts, claim, run, 'failed', failure, (tx) => failStatuses(tx, parts, run, failure, undefined))
}

/** The last step of every run: its state, its modules' statuses and its record become true together, or not at all. */
async function end(parts: Parts, claim: Claim, run: RunRow, state: RunState, failure: FailureJson | null, settle: (tx: Sql) => Promise<void>): Promise<void> {
  const { sql, clock } = parts
  const head = await sql.transaction(async (tx) => {
    await claim.fence(tx)
    await settle(tx)
    return record(tx, parts, run.id, state, failure, clock.now())
  })
  const unpublished = await parts.publish(run.environment, head)
  if (unpublished !== undefined) parts.log(`run ${run.id}: the checkpoint's head was not published: ${unpublished.message}`)
  await enqueue(sql, clock, `environment/${run.environment}`)
  await wakeWaiting(parts)
}

/** Appends the run's record to its environment's chain and signs a checkpoint that covers it. */
export async function record(tx: Sql, parts: Parts, id: string, state: RunState, failure: FailureJson | null, now: number): Promise<{ size: number; root: string; head: string }> {
  const run = await findRun(tx, id)
  if (run === undefined) throw new Error(`run ${id} is gone`)
  const last = await chainEnd(tx, run.environment)
  const seq = last === undefined ? 0 : last.seq + 1
  const { text, digest } = sealRecord(runStatement(await predicateOf(tx, run, { seq, previous: last?.digest ?? null }, state, failure, now)))
  const tree = new Frontier(await lastFrontier(tx, run.environment))
  tree.append(Buffer.from(digest))
  const head = { size: tree.size, root: tree.root().toString('hex'), head: digest }
  const statement = checkpointStatement({ environment: run.environment, ...head, at: now })
  await appendRecord(tx, { environment: run.environment, seq, digest, run: id, text }, now)
  await appendCheckpoint(tx, run.environment, tree.size, parts.signer.sign(Buffer.from(JSON.stringify(statement))), tree.toJSON())
  await updateRun(tx, id, state, now, { failure, recordSeq: seq, recordDigest: digest })
  return head
}

async function predicateOf(tx: Sql, run: RunRow, link: { seq: number; previous: `sha256:${string}` | null }, state: RunState, failure: FailureJson | null, now: number): Promise<RunPredicate> {
  const snapshot = await findSnapshot(tx, run.snapshot)
  const modules = await moduleOutcomes(tx, run.id)
  const effects = await journal(tx, run.id)
  return {
    chain: { environment: run.environment, ...link },
    run: run.id,
    state,
    actor: run.actor,
    reason: run.reason,
    ticket: run.ticket,
    snapshot: { id: run.snapshot, commits: snapshot?.commits ?? {} },
    changes: run.changes,
    plan: run.planDigest === null ? null : { digest: run.planDigest },
    gates: run.gates,
    approvals: await approvalsOf(tx, run.id),
    effects: effects.map(({ effect, outcome, state: journalled }) => ({
      key: effect.key,
      module: effect.module,
      action: effect.action,
      changes: effect.changes,
      outcome: outcome?.action ?? outcome?.state ?? (journalled === 'pending' ? 'skipped' : 'unknown'),
      ...(outcome?.uid === undefined ? {} : { uid: outcome.uid }),
      ...(outcome?.failure === undefined ? {} : { failure: outcome.failure }),
    })),
    modules: modules.map((row) => row.outcome),
    probes: modules.flatMap((row) => row.probes.map((probe) => ({ ...probe, module: row.module }))),
    unknown: run.plan?.unknown ?? [],
    failure,
    startedAt: run.createdAt,
    endedAt: now,
  }
}

async function settleStatuses(tx: Sql, work: Work, intents: Intents, results: readonly ModuleResult[]): Promise<void> {
  const { run, snapshot, parts } = work
  const now = parts.clock.now()
  const known = new Map((await statuses(tx, run.environment)).map((row) => [row.module, row]))
  for (const { outcome } of results) {
    const asked = run.modules[outcome.module]
    const intent = intents.modules.get(outcome.module)
    const row = known.get(outcome.module) ?? statusOf(run.environment, outcome.module, intent, now)
    if (row === undefined || asked === undefined) continue
    if (intent === undefined && outcome.delivery === 'delivered') {
      await forgetStatus(tx, run.environment, outcome.module, now)
      continue
    }
    const again = outcome.failure?.code === 'plan-moved' && !(await givenUp(tx, run, outcome.module))
    // A newer run may have been decided on meanwhile: what it wants stays.
    const overtaken = row.intent !== asked.intent && row.run !== run.id
    await saveStatus(tx, {
      ...row,
      ...deliveryOf(outcome, row, asked, run, snapshot.seq, overtaken),
      ...verificationOf(outcome, row, asked, now),
      ...(again ? { intent: null } : {}),
      updatedAt: now,
    })
  }
}

type Row = NonNullable<ReturnType<typeof statusOf>>

function deliveryOf(outcome: ModuleOutcome, row: Row, asked: { intent: string; changed: boolean }, run: RunRow, snapshotSeq: number, overtaken: boolean): Partial<Row> {
  if (outcome.delivery === 'delivered' && run.kind === 'verify') return { run: run.id }
  if (outcome.delivery === 'delivered')
    return {
      ...(overtaken ? {} : { delivery: 'synced', run: run.id }),
      delivered: asked.intent,
      snapshot: run.snapshot,
      snapshotSeq,
      failure: null,
      readinessOnly: outcome.readinessOnly,
    }
  const failure = outcome.failure ?? null
  if (outcome.delivery === 'halted') return asked.changed ? { delivery: 'behind', failure } : { failure }
  const unknown = failure !== null && unknowns.includes(failure.code)
  return { ...(overtaken ? {} : { delivery: unknown ? 'unknown' : 'failed', run: run.id }), failure }
}

/** Failures after which nobody can say what is there. */
const unknowns = ['effect-unknown', 'kubernetes-unreachable', 'kubernetes-failing', 'target-unreachable']

function verificationOf(outcome: ModuleOutcome, row: Row, asked: { intent: string }, now: number): Partial<Row> {
  if (outcome.delivery === 'halted') return {}
  const verification: Verification = outcome.verification === 'pending' ? 'unknown' : outcome.verification
  const good = verification === 'passed' || verification === 'warned'
  // A new intent has to prove itself from the start.
  const since = row.delivered === asked.intent ? row.verifiedSince : null
  return { verification, verifiedSince: good ? (since ?? now) : null }
}

/** Planning anew because the world moved is right once or twice; after that somebody else keeps moving it, and a person must look. */
async function givenUp(tx: Sql, run: RunRow, module: string): Promise<boolean> {
  const before = await listRuns(tx, { environment: run.environment, module, limit: 3 })
  return before.length === 3 && before.every((one) => one.modules[module]?.intent === run.modules[module]?.intent)
}

async function failStatuses(tx: Sql, parts: Parts, run: RunRow, failure: FailureJson, intents: Intents | undefined): Promise<void> {
  if (run.kind === 'verify') return
  const now = parts.clock.now()
  for (const row of await statuses(tx, run.environment)) {
    if (run.modules[row.module]?.changed !== true) continue
    await saveStatus(tx, { ...row, delivery: 'failed', failure: intents?.modules.get(row.module)?.failure ?? failure, run: run.id, updatedAt: now })
  }
}
