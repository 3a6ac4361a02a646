import { Failure } from '#lib/failure.ts'
import type { FailureJson } from '#lib/failure.ts'
import type { RunState } from '#model/run.ts'
import { Frontier } from '#record/merkle.ts'
import { checkpointStatement, runStatement, sealRecord } from '#record/statement.ts'
import type { RunPredicate } from '#record/statement.ts'
import { enqueue } from '#store/queue.ts'
import { appendCheckpoint, appendRecord, chainEnd, lastFrontier } from '#store/records.ts'
import { approvalsOf, findRun, journal, moduleOutcomes, openRuns, updateRun } from '#store/runs.ts'
import type { EffectRow, NewRun, RunRow } from '#store/runs.ts'
import { findSnapshot } from '#store/snapshots.ts'
import type { Sql } from '#store/sql.ts'
import type { Parts } from './parts.ts'

/** The end of an environment's chain, as a checkpoint has it. */
export type Head = { readonly size: number; readonly root: string; readonly head: string }

/** Appends the run's record to its environment's chain and signs a checkpoint that covers it. */
export async function record(tx: Sql, parts: Parts, id: string, state: RunState, failure: FailureJson | null, now: number): Promise<Head> {
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
    effects: effectsOf(run, effects).map(({ effect, outcome, state: journalled }) => ({
      key: effect.key,
      module: effect.module,
      action: effect.action,
      changes: effect.changes,
      ...(effect.handedOverFrom === undefined ? {} : { handedOverFrom: effect.handedOverFrom }),
      ...(effect.force ? { force: true } : {}),
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

/** What was carried out; of a run whose effects never began, what its plan would have done. */
function effectsOf(run: RunRow, written: readonly EffectRow[]): Pick<EffectRow, 'effect' | 'outcome' | 'state'>[] {
  if (written.length > 0 || run.plan === null) return [...written]
  return run.plan.steps.flatMap((step) => step.waves.flat()).map((effect) => ({ effect, outcome: null, state: 'pending' }))
}

/** After the record: the chain's head goes where nobody who can write the store can cut it, and whoever waited for this run is woken. Safe to repeat. */
export async function announceEnd(parts: Parts, environment: string, head: Head): Promise<void> {
  await wakeAfter(parts, environment)
  await publish(parts, environment, head)
}

export async function publish(parts: Parts, environment: string, head: Head): Promise<void> {
  const unpublished = await parts.publish(environment, head)
  if (unpublished !== undefined) parts.log(`environment ${environment}: the checkpoint's head was not published: ${unpublished.message}`)
}

/** A run has ended: its environment is looked at again, and so are the runs that may have waited for it. */
export async function wakeAfter(parts: Parts, environment: string): Promise<void> {
  await enqueue(parts.sql, parts.clock, `environment/${environment}`)
  await wakeWaiting(parts)
}

/** Runs of other environments may wait for just this. */
export async function wakeWaiting(parts: Parts): Promise<void> {
  for (const run of await openRuns(parts.sql)) if (run.state === 'waiting' || run.state === 'planning') await enqueue(parts.sql, parts.clock, `run/${run.id}`)
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
