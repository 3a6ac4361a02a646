import { isIdle } from '#model/effects.ts'
import { instant, type Rule } from './rule.ts'

/** A person paused the environment, or a module that this plan changes. It ends by itself. An operation that a person starts is perhaps what the pause is for; a schedule’s waits. */
export const pause: Rule = {
  code: 'pause',
  decide: ({ plan, pauses, operation, now }) => {
    const changed = plan.steps.filter((step) => !step.waves.flat().every(isIdle)).map(({ module }) => module)
    const active = pauses.filter(({ module, until }) => until > now && (changed.length > 0 || operation?.scheduled === true) && (module === null || changed.includes(module)))
    if (active.length === 0) return undefined
    const sentences = active.map(({ module, by, reason, until }) => `${module ?? plan.environment} is paused by ${by} until ${instant(until)}: ${reason}`)
    return {
      code: 'pause',
      outcome: 'wait',
      waitingFor: 'pause',
      until: Math.max(...active.map(({ until }) => until)),
      message: `${sentences.join('. ')}.`,
      hint: `To end it before its time: plumb resume -e ${plan.environment}${active[0]?.module == null ? '' : ` -m ${active[0].module}`}`,
      by: [...new Set(active.map(({ by }) => by))].sort(),
    }
  },
}
