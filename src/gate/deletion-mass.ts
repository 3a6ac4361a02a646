import { effectsOf } from '#model/effects.ts'
import type { Effect } from '#model/plan.ts'
import { parseKey, showKey } from '#model/resource.ts'
import { approvers, some, type Rule } from './rule.ts'

const mostObjects = 10
const leastHeld = 4

/** Deleting much needs a person who was told what and how many. */
export const deletionMass: Rule = {
  code: 'deletion.mass',
  decide: (input) => {
    const { plan, modules, run } = input
    const deleted = effectsOf(plan).filter(({ action }) => action === 'deleted')
    const reasons: string[] = []
    if (deleted.length > mostObjects) reasons.push(`more than ${mostObjects} objects`)
    for (const { module } of plan.steps) {
      const held = modules.find((one) => one.module === module)?.held ?? 0
      const count = deleted.filter((effect) => effect.module === module).length
      if (held >= leastHeld && count > held / 3) reasons.push(`${count} of the ${held} objects of ${module}`)
    }
    for (const effect of deleted.filter(isContainer)) {
      if (effect.contents === undefined) reasons.push(`${showKey(effect.key)} with whatever it contains (that was not counted)`)
      else if (effect.contents > 0) reasons.push(`${showKey(effect.key)} with the ${effect.contents} object${effect.contents === 1 ? '' : 's'} that it contains`)
    }
    if (reasons.length === 0) return undefined
    const by = approvers(input)
    const what = `This deletes ${deleted.length} object${deleted.length === 1 ? '' : 's'} (${some(deleted.map(({ key }) => showKey(key)), 10)}): ${reasons.join('; ')}.`
    if (by.length > 0) return { code: 'deletion.mass', outcome: 'allow', message: what, by }
    return {
      code: 'deletion.mass',
      outcome: 'wait',
      waitingFor: 'approval',
      message: what,
      hint: `If that is meant: plumb approve ${run} --reason "…". If not, look at the last commits: plumb cancel ${run}`,
    }
  },
}

/** What is in it is deleted with it. */
function isContainer({ key }: Effect): boolean {
  const { group, kind } = parseKey(key)
  return (group === '' && kind === 'Namespace') || (group === 'apiextensions.k8s.io' && kind === 'CustomResourceDefinition')
}
