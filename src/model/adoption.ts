import type { FailureJson } from '#lib/failure.ts'
import type { ObjectKey } from './resource.ts'

/** A change of a file as a person reads it. `line` and `column` are 1-based, in the file as it was. */
export type Edit = { readonly file: string; readonly line: number; readonly column: number; readonly before: string; readonly after: string }

/**
 * `asked`: it is being looked for, proven and pushed. `proposed`: it is in Git, and not delivered yet. `refused`: no edit does it (`failure` says why).
 * `overdue`: its deadline passed before it was delivered. `withdrawn`: it is no obligation any more, for a person decided otherwise; what was pushed is still there.
 * `delivered`: Git declares it, and the environment has that.
 */
export const adoptionStates = ['asked', 'proposed', 'refused', 'overdue', 'withdrawn', 'delivered'] as const
export type AdoptionState = (typeof adoptionStates)[number]

/** Reality on its way back to Git, for one finding. Times are milliseconds since 1970. */
export type Adoption = {
  readonly finding: string
  readonly environment: string
  readonly state: AdoptionState
  /** The principal who asked, or `plumbline` where a policy did. */
  readonly by: string
  readonly author: { readonly name: string; readonly email: string }
  readonly reason: string
  readonly askedAt: number
  /** Until when it should be delivered: an obligation. */
  readonly deadline: number
  readonly repository: string | null
  readonly branch: string
  /** Where it was pushed: to that branch, or to the one that is followed. */
  readonly to: 'branch' | 'deployed'
  readonly commit: string | null
  readonly pullRequest: string | null
  readonly edits: readonly Edit[]
  /** Generated objects that get another name by it, and with them what refers to them rolls out. */
  readonly renamed: readonly { readonly from: ObjectKey; readonly to: ObjectKey }[]
  /** Places that do not render: nothing is proven for them. */
  readonly unproven: readonly string[]
  readonly failure: FailureJson | null
  /** The run that delivered it, and the commit of the repository that the run had; where that is known. */
  readonly delivered?: { readonly run: string | null; readonly commit: string | null }
  /** The finding's when it was asked for: a policy asks once for the same thing. */
  readonly digest: string
}
