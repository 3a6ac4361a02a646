import { isEnded } from '#model/run.ts'
import type { Plan } from '#model/plan.ts'
import { enqueue } from '#store/queue.ts'
import { findRun, lockRuns, openJournal, updateRun, workOfOthers } from '#store/runs.ts'
import { isBlocked } from './begin.ts'
import type { RunGate } from './gate-run.ts'
import type { Work } from './work.ts'

/**
 * Writes the plan, the decisions on it and every effect down: from here on a crash is taken up where it happened. Tells whether it did: not when
 * somebody cancelled or replaced the run while its plan was made, nor when another run has become active on one of its modules, whose end wakes this one, or has been and is over.
 */
export async function openRun(work: Work, plan: Plan, gate: RunGate): Promise<boolean> {
  const { sql, clock, repositories } = work.parts
  // What is delivered can be rendered again, also when a branch is rewritten or its server is away. Of what is not at hand nothing is delivered.
  for (const [name, commit] of Object.entries(work.snapshot.commits)) if (await repositories.has(name, commit)) await repositories.mirror(name).keep(commit)
  return sql.transaction(async (tx) => {
    await work.claim.fence(tx)
    await lockRuns(tx, work.run.environment)
    const run = await findRun(tx, work.run.id)
    if (run === undefined || isEnded(run.state) || (await isBlocked(tx, run))) return false
    // A module was taken out of it while its plan was made: it is planned anew, as whoever took it out has it woken.
    if (Object.keys(work.run.modules).some((module) => !(module in run.modules))) return false
    // Another run did something to its modules since: what was planned before that would be refused as moved. It is planned anew, at once.
    if ((await workOfOthers(tx, run)) !== work.standsOn) {
      await enqueue(tx, clock, `run/${run.id}`)
      return false
    }
    await openJournal(tx, run.id, plan.steps.flatMap((step) => (step.failure === undefined ? step.waves.flat() : [])))
    await updateRun(tx, run.id, 'delivering', clock.now(), { plan, planDigest: plan.digest, gates: gate.decisions, failure: null })
    return true
  })
}
