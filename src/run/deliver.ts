import { isGood } from '#model/judge-samples.ts'
import { goesOn } from '#model/on-failure.ts'
import type { Plan, Step } from '#model/plan.ts'
import type { ModuleOutcome } from '#model/run.ts'
import { deliverModule } from './deliver-module.ts'
import type { ModuleResult } from './deliver-module.ts'
import { saveOutcome } from './guarded.ts'
import type { Intents } from './render-run.ts'
import type { Work } from './work.ts'

/**
 * Carries a plan out, as a graph: a module begins when all that it depends on is delivered and verified (or may go on although it is not); modules that do
 * not depend on each other go side by side. What fails stops what depends on it, and nothing else.
 */
export async function deliver(work: Work, intents: Intents, plan: Plan): Promise<ModuleResult[]> {
  const results = new Map<string, Promise<ModuleResult>>()
  for (const step of plan.steps) {
    // In the plan's order every module comes after what it depends on, so that its promise is here.
    const needed = step.dependsOn.flatMap((module) => results.get(module) ?? [])
    results.set(step.module, after(work, intents, step, needed))
  }
  // All of them, also when one throws: nobody may still be at work when the run is given back.
  const settled = await Promise.allSettled(results.values())
  return settled.map((one) => {
    if (one.status === 'rejected') throw one.reason
    return one.value
  })
}

async function after(work: Work, intents: Intents, step: Step, needed: readonly Promise<ModuleResult>[]): Promise<ModuleResult> {
  const before = await Promise.all(needed)
  const stopper = before.find(({ outcome }) => !letsOn(outcome))
  if (stopper === undefined) return deliverModule(work, intents, step)
  const outcome: ModuleOutcome = {
    module: step.module,
    delivery: 'halted',
    verification: 'unknown',
    readinessOnly: false,
    failure: {
      code: 'dependency-failed',
      subject: `module ${step.module}`,
      message: `${stopper.outcome.module}, which it depends on, ${stopper.outcome.delivery === 'delivered' ? 'is delivered but not verified' : 'was not delivered'}`,
      hint: `See what became of ${stopper.outcome.module}: \`plumb show ${work.run.id}\`.`,
      retry: 'later',
    },
  }
  await saveOutcome(work, outcome)
  return { outcome, probes: [] }
}

/** What depends on a module begins when that is delivered, and verified or forgiven; a run that only verifies stops at what is not verified. */
function letsOn(outcome: ModuleOutcome): boolean {
  return outcome.delivery === 'delivered' && (isGood({ verdict: outcome.verification }) || (outcome.onFailure !== undefined && goesOn(outcome.onFailure)))
}
