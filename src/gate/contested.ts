import { effectsOf } from '#model/effects.ts'
import { showKey } from '#model/resource.ts'
import { approvers, some, type Rule } from './rule.ts'

/** What Git changes and another owns is taken from that other only if a person who approved this plan said so. */
export const contested: Rule = {
  code: 'contested',
  decide: (input) => {
    const fields = effectsOf(input.plan).flatMap(({ key, changes }) =>
      changes.filter(({ state }) => state === 'contested').map(({ path, owner }) => `${path} of ${showKey(key)} (owned by ${owner ?? 'another'})`),
    )
    if (fields.length === 0) return undefined
    const by = approvers(input)
    const message = `Git changes what another changed too: ${some(fields)}.`
    if (by.length > 0) return { code: 'contested', outcome: 'allow', message: `${message} Git's value was approved.`, by }
    return {
      code: 'contested',
      outcome: 'wait',
      waitingFor: 'approval',
      message,
      hint: `To let Git win: plumb approve ${input.run} --reason "…". To keep what is there, write it to Git, or take the change back.`,
    }
  },
}
