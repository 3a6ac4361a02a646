import type { Claim } from './claim.ts'
import { begin } from './begin.ts'
import { refusal } from './gate-run.ts'
import { openRun } from './open-run.ts'
import type { Parts } from './parts.ts'
import { sampleBefore } from './sample-before.ts'
import { deliver, gateRun, operate, planRun, renderRun, seal, sealFailure, verifyChange } from './steps.ts'
import { waitRun } from './wait-run.ts'

/**
 * The path: commit -> snapshot -> render -> plan -> gate -> apply -> verify -> record.
 *
 * One call carries a run as far as it goes: to its record, or to where it waits. It may be called again at any time and after any crash: what is
 * on disk says where it stands, and each step is either without effect or journalled before it begins.
 * What nobody here can decide (a lost lease, a store that is away, a system that does not answer while planning) is thrown: the queue tries again.
 */
export async function run(parts: Parts, id: string, claim: Claim): Promise<void> {
  // The run, its snapshot and its configuration. Nothing, when it has ended or another run is at work on one of its modules.
  const work = await begin(parts, id, claim)
  if (work === undefined) return

  try {
    const intents = await renderRun(work)

    // A run whose effects have begun keeps the plan that was gated; any other is planned against the world as it is now.
    let plan = work.underWay
    if (plan === undefined) {
      const gate = await gateRun(work, intents, await planRun(work, intents))
      plan = gate.plan
      if (gate.outcome === 'wait') return await waitRun(work, plan, gate)
      if (gate.outcome === 'refuse') return await sealFailure(work, plan, gate, refusal(gate))

      // Intent is on disk before the first effect; and only one run at a time is at work on a module.
      if (!(await openRun(work, plan, gate))) return
    }

    // A run without a new snapshot: its steps, one after the other.
    if (work.run.kind === 'operation') return await operate(work)

    // What relative thresholds compare with is asked before the first effect, and kept.
    await sampleBefore(work, intents)

    // Modules as a graph: each is applied, becomes ready and is verified before what depends on it begins.
    const modules = await deliver(work, intents, plan)

    // The change as a whole, when all of it is there.
    const whole = await verifyChange(work, modules.map(({ outcome }) => outcome))
    await seal(work, intents, plan, modules, whole)
  } catch (error) {
    await work.stopped(error)
  }
}
