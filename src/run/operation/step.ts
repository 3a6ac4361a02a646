import type { FailureJson } from '#lib/failure.ts'
import type { OperationStep, StepKindName } from '#model/config/operation.ts'
import type { OperationStepRow } from '#model/operation.ts'
import type { ProbeResult } from '#model/probe.ts'
import type { Place } from '../ask-probe.ts'
import type { OwnedProbe } from '../owned-probes.ts'
import type { Work } from '../work.ts'

/** A step while it is carried out. */
export type StepCall = {
  readonly place: Place & Pick<Work, 'policy' | 'run'>
  /** By whose right: the platform's, whose repository the document is in. */
  readonly owner: OwnedProbe['owner']
  readonly row: OperationStepRow
  /** How long a command may take (ms), where the step says so. */
  readonly timeout: number | undefined
  readonly signal: AbortSignal
}

/**
 * What became of a step. `unknown`: it may have taken effect or not, and nobody can tell. `later`: to be looked at again at that time (milliseconds since 1970).
 * `asks`: a person has to say yes.
 */
export type StepOutcome =
  | { readonly state: 'done'; readonly message: string; readonly probes?: readonly ProbeResult[] }
  | { readonly state: 'failed' | 'unknown'; readonly failure: FailureJson; readonly probes?: readonly ProbeResult[] }
  | { readonly state: 'later'; readonly at: number }
  | { readonly state: 'asks'; readonly message: string }

/** What became of a step that is over. */
export type StepEnded = Exclude<StepOutcome, { state: 'later' | 'asks' }>

/** A kind of step. It throws only for what is to be tried again as it is: a lost lease, a store that is away. */
export type StepKind<Name extends StepKindName = StepKindName> = {
  readonly kind: Name
  /** What it does, in a few words: for whoever reads the plan. No secrets. */
  about(config: NonNullable<OperationStep[Name]>): string
  carryOut(call: StepCall, config: NonNullable<OperationStep[Name]>): Promise<StepOutcome>
}
