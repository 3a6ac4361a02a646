import { isEnded } from '#model/run.ts'
import type { Plan } from '#model/plan.ts'
import { enqueue } from '#store/queue.ts'
import { findRun, lockRuns, updateRun } from '#store/runs.ts'
import type { RunGate } from './gate-run.ts'
import type { Work } from './work.ts'

/** Leaves the run waiting, with its plan for people to read. It is taken up again when what it waits for happens, or when time alone decides. */
export async function waitRun(work: Work, plan: Plan, gate: RunGate): Promise<void> {
  const { sql, clock } = work.parts
  const waiting = gate.decisions.filter((decision) => decision.outcome === 'wait')
  const due = waiting.flatMap((decision) => decision.until ?? [])
  await sql.transaction(async (tx) => {
    await work.claim.fence(tx)
    await lockRuns(tx, work.run.environment)
    if (isEnded((await findRun(tx, work.run.id))?.state ?? 'cancelled')) return // somebody cancelled or replaced it meanwhile
    await updateRun(tx, work.run.id, 'waiting', clock.now(), { waiting, plan, planDigest: plan.digest, gates: gate.decisions, failure: null })
    // Until it is accepted the old policy stands: who waited to know by which one things are delivered knows.
    if (work.run.kind === 'policy') await enqueue(tx, clock, `environment/${work.run.environment}`)
    if (due.length > 0) await enqueue(tx, clock, `run/${work.run.id}`, { due: Math.min(...due) })
  })
}
