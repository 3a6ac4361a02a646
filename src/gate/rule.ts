import type { Digest } from '#lib/digest.ts'
import type { Environment } from '#model/config/environment.ts'
import type { Limits } from '#model/config/workspace.ts'
import type { Approval, GateDecision } from '#model/gate.ts'
import type { Plan } from '#model/plan.ts'
import type { RollbackOf } from '#model/rollback.ts'

/** What the gate has to know of a module in the plan. */
export type GatedModule = {
  readonly module: string
  /** The repository that its Module document is in: its limits are the module's. */
  readonly repository: string
  /** The secret references that it uses, as written: `vault:kv/production/orders#url`. */
  readonly secrets: readonly string[]
  /** Git no longer has it here: all that is left of it is to be let go. */
  readonly isGone: boolean
  /** How many objects the inventory holds for it in this environment. */
  readonly held: number
}

/** What is known of a module in the environment that has to come first. */
export type EarlierModule = {
  readonly module: string
  /** The digest of what this plan's snapshot renders for it there; null where it renders nothing; undefined where that is not known. */
  readonly desiredDigest: Digest | null | undefined
  /** The digest of what is delivered there, completely; absent where nothing is, or it failed, or it is not known. */
  readonly delivered?: Digest
  /** Since when what is delivered there has been verified without a break; absent where it is not. Milliseconds since 1970. */
  readonly verifiedSince?: number
}

export type GateInput = {
  /** The run, for the hints: `plumb approve RUN`. */
  readonly run: string
  readonly plan: Plan
  /** The policy in force: that of the last accepted configuration, which a change of the policy itself is gated by too. */
  readonly policy: Pick<Environment['spec'], 'deliver' | 'review'>
  /** What a run that changes the policy changes of it (`review.approvals: 1 -> 0`); empty for every other run. */
  readonly policyChanges: readonly string[]
  readonly modules: readonly GatedModule[]
  readonly limits: Readonly<Record<string, Limits>>
  /** By principals who may approve here (the caller checked their roles). */
  readonly approvals: readonly Approval[]
  /** Those that are active now, of this environment. `module: null` is the environment. */
  readonly pauses: readonly { readonly module: string | null; readonly reason: string; readonly by: string; readonly until: number }[]
  /** The names of all principals who may approve here. */
  readonly mayApprove: readonly string[]
  /** The principals that wrote the commits which this plan delivers, and who asked for what no commit did. */
  readonly authors: readonly string[]
  /** The addresses of authors of those commits that belong to no principal, where the policy asks for others than the author. */
  readonly strangers: readonly string[]
  /** Of the environment that `deliver.after` names. What is missing is not known. */
  readonly earlier: readonly EarlierModule[]
  /** The principal who started the run; null where it started by itself. */
  readonly startedBy: string | null
  /** Where the run goes back to an older snapshot: what asked for it. */
  readonly rollback?: Pick<RollbackOf, 'of' | 'by'>
  /** Where the run is an operation: which, what its steps do, and whether its schedule began it. */
  readonly operation?: { readonly name: string; readonly steps: readonly string[]; readonly scheduled: boolean }
  /** Milliseconds since 1970. */
  readonly now: number
}

/** One rule: a stable code, and its word on a plan; undefined where it has none. Pure. */
export type Rule = { readonly code: string; decide(input: GateInput): GateDecision | undefined }

/** The principals who approved exactly this plan, each once, in the order of their names. */
export function approvers({ plan, approvals }: Pick<GateInput, 'plan' | 'approvals'>): string[] {
  return [...new Set(approvals.filter(({ planDigest }) => planDigest === plan.digest).map(({ principal }) => principal))].sort()
}

/** The first few of a list, and how many more there are. */
export function some(all: readonly string[], most = 5): string {
  return all.length <= most ? all.join(', ') : `${all.slice(0, most).join(', ')} and ${all.length - most} more`
}

export function instant(at: number): string {
  return new Date(at).toISOString().replace(/\.\d+Z$/, 'Z')
}
