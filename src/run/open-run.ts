import type { Plan } from '#model/plan.ts'
import { openJournal, updateRun } from '#store/runs.ts'
import type { RunGate } from './gate-run.ts'
import type { Work } from './work.ts'

/** Writes the plan, the decisions on it and every effect down: from here on a crash is taken up where it happened. */
export async function openRun(work: Work, plan: Plan, gate: RunGate): Promise<void> {
  const { sql, clock } = work.parts
  await sql.transaction(async (tx) => {
    await work.claim.fence(tx)
    await openJournal(tx, work.run.id, plan.steps.flatMap((step) => step.waves.flat()))
    await updateRun(tx, work.run.id, 'delivering', clock.now(), { plan, planDigest: plan.digest, gates: gate.decisions, failure: null })
  })
}
