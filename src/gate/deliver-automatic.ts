import { effectsOf, isIdle } from '#model/effects.ts'
import type { Rule } from './rule.ts'

/** Where delivering is not automatic, a person starts it. */
export const deliverAutomatic: Rule = {
  code: 'deliver.automatic',
  decide: ({ plan, policy, startedBy }) => {
    if (policy.deliver.automatic || effectsOf(plan).every(isIdle)) return undefined
    if (startedBy !== null) return { code: 'deliver.automatic', outcome: 'allow', message: `Started by ${startedBy}.`, by: [startedBy] }
    return {
      code: 'deliver.automatic',
      outcome: 'wait',
      waitingFor: 'person',
      message: `Nothing is delivered to ${plan.environment} by itself: a person starts it.`,
      hint: `plumb deploy -e ${plan.environment}`,
    }
  },
}
