import { isIdle } from '#model/effects.ts'
import { instant, some, type EarlierModule, type Rule } from './rule.ts'

/**
 * Another environment comes first: each module that this plan changes must be delivered and verified there, as this snapshot wants it there, for long
 * enough. What that environment does not render counts as verified; what is not known never does.
 */
export const deliverAfter: Rule = {
  code: 'deliver.after',
  decide: ({ plan, policy: { deliver: { after } }, earlier, now }) => {
    if (after === undefined) return undefined
    const changed = plan.steps.filter((step) => !step.waves.flat().every(isIdle)).map(({ module }) => module)
    if (changed.length === 0) return undefined
    const states = changed.map((module) => stateOf(earlier.find((one) => one.module === module), after.verifiedFor, now))
    const missing = changed.flatMap((module, index) => (states[index]?.state === 'missing' ? [`${module} (${states[index].what})`] : []))
    if (missing.length > 0) {
      return {
        code: 'deliver.after',
        outcome: 'wait',
        waitingFor: 'environment',
        message: `${after.environment} comes first; not yet delivered and verified there: ${some(missing)}.`,
        hint: `plumb status -e ${after.environment}`,
      }
    }
    const until = Math.max(0, ...states.map((state) => (state.state === 'early' ? state.until : 0)))
    if (until > 0) {
      return { code: 'deliver.after', outcome: 'wait', waitingFor: 'environment', until, message: `It is verified in ${after.environment}, and has to stay so until ${instant(until)}.` }
    }
    return { code: 'deliver.after', outcome: 'allow', message: `Delivered and verified in ${after.environment}.` }
  },
}

type State = { readonly state: 'verified' } | { readonly state: 'early'; readonly until: number } | { readonly state: 'missing'; readonly what: string }

function stateOf(module: EarlierModule | undefined, verifiedFor: number, now: number): State {
  if (module?.desiredDigest === undefined) return { state: 'missing', what: 'not known' }
  if (module.desiredDigest === null) return { state: 'verified' }
  if (module.delivered !== module.desiredDigest) return { state: 'missing', what: 'not delivered' }
  if (module.verifiedSince === undefined) return { state: 'missing', what: 'not verified' }
  const until = module.verifiedSince + verifiedFor
  return until > now ? { state: 'early', until } : { state: 'verified' }
}
