import { effectsOf } from '#model/effects.ts'
import { showKey } from '#model/resource.ts'
import { some, type Rule } from './rule.ts'

/** A plan with anything unknown or refused in it is not carried out, in no part. */
export const applicable: Rule = {
  code: 'plan.applicable',
  decide: ({ plan }) => {
    const effects = effectsOf(plan)
    const [refused, ...more] = effects.flatMap((effect) => (effect.refused === undefined ? [] : [effect.refused]))
    const unknown = plan.unknown.map((failure) => `${failure.subject}: ${failure.message}`)
    if (unknown.length === 0) unknown.push(...effects.filter(({ action }) => action === 'unknown').map(({ key }) => `${showKey(key)} could not be read`))
    if (unknown.length > 0) {
      return {
        code: 'plan.applicable',
        outcome: 'refuse',
        message: `What is there could not be found out, and nothing is done on a guess: ${some(unknown, 3)}.`,
        hint: plan.unknown.find(({ hint }) => hint !== undefined)?.hint ?? 'Find out why it cannot be read, then deliver again.',
      }
    }
    if (refused === undefined) return undefined
    return {
      code: 'plan.applicable',
      outcome: 'refuse',
      message: `${refused.message}${more.length === 0 ? '' : ` (and ${more.length} more such)`}.`,
      ...(refused.hint === undefined ? {} : { hint: refused.hint }),
    }
  },
}
