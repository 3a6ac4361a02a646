import { effectsOf } from '#model/effects.ts'
import { showKey } from '#model/resource.ts'
import { some, type Rule } from './rule.ts'

/**
 * A rollback brings back what was delivered here before: it waits for no other environment and for nobody to start it. One that a verdict asks for needs no
 * approval either: what it brings back was approved when it was delivered, and that a verdict may do so is a part of the policy. It deletes no data, with or without
 * a person: that is for a person's own rollback.
 */
export const rollbackRule: Rule = {
  code: 'rollback',
  decide: ({ plan, rollback }) => {
    if (rollback === undefined) return undefined
    const asked = rollback.of === null ? '' : ` of ${rollback.of}`
    if (rollback.by === 'person') return { code: 'rollback', outcome: 'allow', message: `It goes back${asked === '' ? '' : ` from what${asked} brought`} to what was delivered here before.` }
    const data = effectsOf(plan).flatMap(({ action, key, holdsState, holdsData = [] }) => (action !== 'deleted' ? [] : holdsState ? [key, ...holdsData] : holdsData))
    if (data.length === 0) return { code: 'rollback', outcome: 'allow', message: `The verdict${asked} decided it, and it goes back to what was delivered and verified here before.` }
    return {
      code: 'rollback',
      outcome: 'refuse',
      message: `Going back would delete data: ${some([...new Set(data)].map(showKey), 10)}. No verdict decides that.`,
      hint: `Revert in Git, or roll back as a person who names what is deleted: plumb rollback MODULE -e ${plan.environment} --reason WHY`,
    }
  },
}
