/** Why a run waits. */
export type WaitingFor = 'approval' | 'environment' | 'window' | 'pause' | 'person'

/** One rule's word on a plan. `code` is stable: `deliver.automatic`, `deliver.after`, `review.approvals`, `limits`, `deletion.mass`, … */
export type GateDecision = {
  readonly code: string
  readonly outcome: 'allow' | 'wait' | 'refuse'
  /** With `wait`: for what. */
  readonly waitingFor?: WaitingFor
  /** With `wait`: when to look again, where time alone decides (milliseconds since 1970). */
  readonly until?: number
  readonly message: string
  readonly hint?: string
  /** Who decided, where a person did. */
  readonly by?: readonly string[]
}

/** A person's yes to a plan: it stands while the digest of the effects does. */
export type Approval = {
  readonly principal: string
  readonly planDigest: string
  readonly reason: string
  /** Objects that hold state and that the person named. */
  readonly objects: readonly string[]
  readonly at: number
}
