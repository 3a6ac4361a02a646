import type { GateDecision } from '#model/gate.ts'
import { applicable } from './applicable.ts'
import { contested } from './contested.ts'
import { deletionMass } from './deletion-mass.ts'
import { deletionState } from './deletion-state.ts'
import { deliverAfter } from './deliver-after.ts'
import { deliverAutomatic } from './deliver-automatic.ts'
import { limitsRule } from './limits.ts'
import { pause } from './pause.ts'
import { reviewApprovals } from './review-approvals.ts'
import { rollbackRule } from './rollback.ts'
import type { GateInput, Rule } from './rule.ts'

/**
 * The modules that cannot or may not be delivered, whatever is decided on the others: a module that reaches beyond its limits, or whose effects are
 * refused, stops itself and what depends on it, and nobody else.
 */
export function refusedModules(input: GateInput): ReadonlyMap<string, GateDecision> {
  const refused = new Map<string, GateDecision>()
  for (const step of input.plan.steps) {
    if (step.failure !== undefined) continue
    const isKnown = step.waves.flat().every(({ action }) => action !== 'unknown')
    const alone = { ...input, plan: { ...input.plan, steps: [step], unknown: isKnown ? [] : input.plan.unknown } }
    const decision = [applicable, limitsRule].map((rule) => rule.decide(alone)).find((one) => one?.outcome === 'refuse')
    if (decision !== undefined) refused.set(step.module, decision)
  }
  return refused
}

/** In the order in which a person wants to hear of them: what cannot be, what may not be, what is still to come, what a person decides. */
export const rules = [applicable, limitsRule, rollbackRule, pause, deliverAfter, deliverAutomatic, contested, deletionState, deletionMass, reviewApprovals] as const satisfies readonly Rule[]

/** Every rule's word, and what follows: one refusal refuses, else one wait waits, else go. All rules are asked, so that nobody waits for one thing after the other. */
export function decideGate(input: GateInput): { readonly outcome: 'go' | 'wait' | 'refuse'; readonly decisions: readonly GateDecision[] } {
  const decisions = rules.flatMap((rule) => rule.decide(input) ?? [])
  const has = (outcome: GateDecision['outcome']): boolean => decisions.some((decision) => decision.outcome === outcome)
  return { outcome: has('refuse') ? 'refuse' : has('wait') ? 'wait' : 'go', decisions }
}
