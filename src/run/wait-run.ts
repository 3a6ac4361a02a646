import { isEnded } from '#model/run.ts'
import type { GateDecision } from '#model/gate.ts'
import type { Plan } from '#model/plan.ts'
import { notify } from '#store/notifications.ts'
import { enqueue } from '#store/queue.ts'
import { findRun, lockRuns, updateRun } from '#store/runs.ts'
import type { RunRow } from '#store/runs.ts'
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
    const before = await findRun(tx, work.run.id)
    if (before === undefined || isEnded(before.state)) return // somebody cancelled or replaced it meanwhile
    await updateRun(tx, work.run.id, 'waiting', clock.now(), { waiting, plan, planDigest: plan.digest, gates: gate.decisions, failure: null })
    // Until it is accepted the old policy stands: who waited to know by which one things are delivered knows.
    if (work.run.kind === 'policy' && before.state !== 'waiting') await enqueue(tx, clock, `environment/${work.run.environment}`)
    const asks = newlyAsks(before, plan, waiting)
    if (asks !== undefined) await notify(tx, clock.now(), { kind: 'approval', environment: before.environment, module: null, body: { message: work.parts.redactor.redact(`${before.id} (${before.reason}) waits: ${asks.message}`), run: before.id, plan: plan.digest, rule: asks.code } })
    if (due.length > 0) await enqueue(tx, clock, `run/${work.run.id}`, { due: Math.min(...due) })
  })
}

/** What people are asked for, unless they were asked for the same on the same plan before. */
function newlyAsks({ gates, planDigest }: RunRow, plan: Plan, waiting: readonly GateDecision[]): GateDecision | undefined {
  const asked = new Set(planDigest === plan.digest ? gates.flatMap(({ code, outcome }) => (outcome === 'wait' ? [code] : [])) : [])
  return waiting.find(({ code, waitingFor }) => (waitingFor === 'approval' || waitingFor === 'person') && !asked.has(code))
}
