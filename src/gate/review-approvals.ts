import { effectsOf, isIdle } from '#model/effects.ts'
import { approvers, some, type Rule } from './rule.ts'

/** So many people approve exactly this plan, with how it is proven; its authors do not count, where the policy says so. */
export const reviewApprovals: Rule = {
  code: 'review.approvals',
  decide: (input) => {
    const { plan, policy: { review }, policyChanges, operation, authors, strangers, mayApprove, run } = input
    const proven = plan.steps.filter(({ proof, failure }) => proof !== undefined && failure === undefined)
    if (review.approvals === 0 || (policyChanges.length === 0 && operation === undefined && proven.length === 0 && effectsOf(plan).every(isIdle))) return undefined
    const proofs = proven.flatMap(({ module, proof }) => (proof?.changes ?? []).map((change) => `${module}: ${change}`))
    const policy = policyChanges.length === 0 ? '' : ` This changes its policy: ${some(policyChanges, 100)}.`
    const carried = operation === undefined ? '' : ` This carries out the operation ${operation.name}: ${operation.steps.join('; ')}.`
    const what = `${policy}${carried}${proofs.length === 0 ? '' : ` This changes how modules are proven: ${some(proofs, 100)}.`}`
    const unknown = review.notTheAuthor && strangers.length > 0 ? ` ${strangers.length === 1 ? `The author ${some(strangers)} is` : `The authors ${some(strangers)} are`} not known here and cannot be compared with who approves.` : ''
    const all = approvers(input)
    const by = review.notTheAuthor ? all.filter((principal) => !authors.includes(principal)) : all
    if (by.length >= review.approvals) return { code: 'review.approvals', outcome: 'allow', message: `Approved by ${by.join(', ')}.${what}${unknown}`, by }
    const stale = input.approvals.some(({ planDigest }) => planDigest !== plan.digest) ? ' An earlier approval was for another plan and does not count.' : ''
    const own = all.length > by.length ? ` That of ${all.filter((principal) => authors.includes(principal)).join(', ')} does not count: an author does not approve the own change.` : ''
    const approve = `plumb approve ${run} --reason "…"`
    return {
      code: 'review.approvals',
      outcome: 'wait',
      waitingFor: 'approval',
      message: `${plan.environment} asks for ${review.approvals} approval${review.approvals === 1 ? '' : 's'}${review.notTheAuthor ? ' by others than the author' : ''}; there ${by.length === 1 ? 'is' : 'are'} ${by.length}.${what}${own}${stale}${unknown}`,
      hint: review.notTheAuthor && authors.length > 0 ? `${approve}, ${asAnother(mayApprove.filter((name) => !authors.includes(name) && !by.includes(name)))}` : approve,
      ...(by.length === 0 ? {} : { by }),
    }
  },
}

/** How it is approved by somebody who counts: a command acts as the person whose token it has. */
function asAnother(others: readonly string[]): string {
  const made = 'an admin makes one: plumb token create NAME --role approver'
  return others.length === 0 ? `as somebody else: nobody else may approve here yet. With a token of theirs in PLUMB_TOKEN (${made})` : `as one of those who may: ${some(others)}. With their token in PLUMB_TOKEN (${made})`
}
