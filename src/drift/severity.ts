import type { FindingState } from '#model/finding.ts'
import type { Tier } from './decide.ts'

/** The most serious first: what nobody deals with before what somebody does. */
export const statesBySeverity: readonly FindingState[] = ['contested', 'open', 'held', 'reverting', 'adopting', 'accepted', 'resolved']

const tiers: readonly Tier[] = ['production', 'staging', 'sandbox']

/** Production before the rest. */
export function byTier(environments: readonly string[], tierOf: (environment: string) => Tier): string[] {
  return environments.toSorted((a, b) => tiers.indexOf(tierOf(a)) - tiers.indexOf(tierOf(b)))
}
