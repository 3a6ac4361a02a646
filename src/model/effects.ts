import type { Effect, Plan } from './plan.ts'

/** All effects of a plan, in its order. */
export function effectsOf(plan: Pick<Plan, 'steps'>): Effect[] {
  return plan.steps.flatMap((step) => step.waves.flat())
}

/** Whether an effect does nothing to the system, and has nothing to be approved: what stays as it is, what is left alone. */
export function isIdle(effect: Effect): boolean {
  return (effect.action === 'unchanged' || effect.action === 'skipped') && effect.handedOverFrom === undefined && effect.refused === undefined
}
