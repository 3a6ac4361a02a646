import { findingCauses, type Finding } from '#model/finding.ts'
import type { Tier } from './decide.ts'

const byState: Readonly<Record<Finding['state'], number>> = { contested: 0, open: 1, held: 2, reverting: 3, adopting: 3, accepted: 4, resolved: 5 }
const byTier: Readonly<Record<Tier, number>> = { production: 0, staging: 1, sandbox: 2 }

/** The most serious first: what nobody deals with before what somebody does, production before the rest, then by cause, then the newest. */
export function bySeverity(tierOf: (environment: string) => Tier): (a: Finding, b: Finding) => number {
  const rank = (one: Finding): number[] => [byState[one.state], byTier[tierOf(one.environment)], findingCauses.indexOf(one.cause), -one.updatedAt]
  return (a, b) => {
    const other = rank(b)
    for (const [at, value] of rank(a).entries()) if (value !== other[at]) return value - (other[at] ?? 0)
    return a.id < b.id ? -1 : 1
  }
}
