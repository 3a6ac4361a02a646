import { effectsOf } from '#model/effects.ts'
import { showKey } from '#model/resource.ts'
import { some, type Rule } from './rule.ts'

/** What holds data, also what is in a namespace or by a definition that goes, is deleted only where a person approved this plan and named that very object, by its key or as it is shown. */
export const deletionState: Rule = {
  code: 'deletion.state',
  decide: ({ plan, approvals, run }) => {
    const deleted = effectsOf(plan).filter(({ action }) => action === 'deleted')
    // What is in a namespace or a definition goes with it.
    const objects = [...new Set(deleted.flatMap(({ key, holdsState, holdsData = [] }) => (holdsState ? [key, ...holdsData] : holdsData)))]
    if (objects.length === 0) return undefined
    const valid = approvals.filter(({ planDigest }) => planDigest === plan.digest)
    const named = (key: string): boolean => valid.some((approval) => approval.objects.includes(key) || approval.objects.includes(showKey(key)))
    const missing = objects.filter((key) => !named(key))
    if (missing.length === 0) {
      const by = [...new Set(valid.filter((approval) => objects.some((key) => approval.objects.includes(key) || approval.objects.includes(showKey(key)))).map(({ principal }) => principal))].sort()
      return { code: 'deletion.state', outcome: 'allow', message: `Deleting ${some(objects.map(showKey))}, and the data with it, was approved by name.`, by }
    }
    return {
      code: 'deletion.state',
      outcome: 'wait',
      waitingFor: 'approval',
      message: `This deletes data: ${some(missing.map(showKey), 10)}. A person has to name each of them.`,
      hint: `plumb approve ${run} --reason "…" ${missing.slice(0, 3).map((key) => `--object ${key}`).join(' ')}${missing.length > 3 ? ' …' : ''}`,
    }
  },
}
