import type { DriftPolicy, FindingCause } from '#model/finding.ts'

export type Tier = 'sandbox' | 'staging' | 'production'
export type CausePolicies = Readonly<{ [Cause in FindingCause]?: DriftPolicy | undefined }>

export type DecideInput = {
  readonly cause: FindingCause
  readonly tier: Tier
  /** What the environment says, and what the module says, which counts first. */
  readonly environment: CausePolicies
  readonly module: CausePolicies
  /** The object holds data (a PVC, a database). */
  readonly holdsState: boolean
  /** A field of it was left to a controller that is not there now, and may be again in a moment. */
  readonly wasYielded: boolean
  /** It is being deleted, and not gone yet: nothing can be made of that name. */
  readonly isLeaving: boolean
  /** Somebody’s word that is on its way: an elevation is open for the module. */
  readonly elevated: boolean
}

/** What a tier does where nobody says. What has no way back by itself (another object bears the name; it is not ours) is only told, everywhere. */
const byTier: Readonly<Record<Tier, CausePolicies>> = {
  sandbox: { hotfix: 'hold', manual: 'revert', controller: 'revert', missing: 'revert', unknown: 'revert' },
  staging: { hotfix: 'hold' },
  production: { hotfix: 'hold' },
}

/**
 * What is done about a drift. The module’s word counts first, then the environment’s, then the tier’s; then what nobody’s word changes:
 * what holds data is never reverted by itself, nor what was left to a controller that is gone, nothing is reverted under an open elevation, and what has no
 * way back, or none yet, is reported.
 */
export function decide({ cause, tier, environment, module, holdsState, wasYielded, isLeaving, elevated }: DecideInput): DriftPolicy {
  const wished = module[cause] ?? environment[cause] ?? byTier[tier][cause] ?? 'report'
  if (wished === 'adopt' && !isAdoptable(cause)) return 'report'
  if (wished !== 'revert') return wished
  if (cause === 'orphan' || cause === 'recreated') return 'report'
  if (holdsState || isLeaving) return 'report'
  return elevated || wasYielded ? 'hold' : 'revert'
}

/** Only fields can be written back to Git. */
function isAdoptable(cause: FindingCause): boolean {
  return cause !== 'missing' && cause !== 'recreated' && cause !== 'orphan'
}
