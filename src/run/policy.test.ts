import { expect, test } from 'vitest'
import { policyChanges, policyDigest } from './policy.ts'
import type { Policy } from './policy.ts'

const policy: Policy = { tier: 'production', deliver: { automatic: true, after: { environment: 'staging', verifiedFor: 600_000 } }, review: { approvals: 1, notTheAuthor: true }, drift: { hotfix: 'hold' } }

test('the same policy changes nothing, in whatever order it is written', () => {
  const other: Policy = { drift: { hotfix: 'hold' }, review: { notTheAuthor: true, approvals: 1 }, deliver: { after: { verifiedFor: 600_000, environment: 'staging' }, automatic: true }, tier: 'production' }
  expect(policyChanges(policy, other)).toEqual([])
  expect(policyDigest(policy, other)).toBe(policyDigest(policy, policy))
})

test('what changes is told by field, also what comes and what goes', () => {
  const { after: _, ...deliver } = policy.deliver
  const to: Policy = { ...policy, deliver, review: { ...policy.review, approvals: 0 }, drift: { hotfix: 'hold', manual: 'revert' } }
  expect(policyChanges(policy, to)).toEqual([
    'deliver.after.environment: "staging" -> nothing',
    'deliver.after.verifiedFor: 600000 -> nothing',
    'drift.manual: nothing -> "revert"',
    'review.approvals: 1 -> 0',
  ])
})

test('an approval stands on the very change: from what, to what', () => {
  const weaker: Policy = { ...policy, review: { ...policy.review, approvals: 0 } }
  const weakest: Policy = { ...policy, review: { approvals: 0, notTheAuthor: false } }
  expect(new Set([policyDigest(policy, weaker), policyDigest(policy, weakest), policyDigest(weaker, policy), policyDigest(weakest, weaker)]).size).toBe(4)
})

test('hostile names in a policy reach a person as text alone', () => {
  const to = { ...policy, deliver: { automatic: true, after: { environment: 'x\n-> "approved"', verifiedFor: 0 } } } as Policy
  expect(policyChanges(policy, to)[0]).toBe('deliver.after.environment: "staging" -> "x\\n-> \\"approved\\""')
})
