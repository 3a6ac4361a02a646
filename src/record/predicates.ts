import type { Digest } from '#lib/digest.ts'
import type { FailureJson } from '#lib/failure.ts'
import type { Json } from '#lib/json.ts'
import type { FindingEvent } from '#model/finding.ts'
import type { Approval, GateDecision } from '#model/gate.ts'
import type { Action, FieldChange } from '#model/plan.ts'
import type { OperationOf, OperationStepRow } from '#model/operation.ts'
import type { ProbeResult } from '#model/probe.ts'
import type { RollbackOf } from '#model/rollback.ts'
import type { Delivery, ModuleOutcome, RunState, Verification } from '#model/run.ts'
import type { Commit } from '#model/snapshot.ts'
import type { Provenance, TestResult, VerificationSummary } from './standards.ts'

/** Where a record stands in its environment's chain. `previous` is null for the first. */
export type ChainLink = { readonly environment: string; readonly seq: number; readonly previous: Digest | null }

type Chained = { readonly chain: ChainLink }

/** One field of an object. A value that is long stands as its digest; of a Secret there is neither. */
export type FieldRecord = { readonly path: string; readonly value?: Json; readonly digest?: Digest; readonly owners?: readonly string[]; readonly mark?: 'yielded' | 'held' }

/** An effect as it went: what was meant, what became of it. Values of Secrets are not in it. */
export type EffectRecord = {
  readonly key: string
  readonly module: string
  readonly action: Action
  readonly changes: readonly FieldChange[]
  /** The fields that it touches, as they were when it was sealed. Null: there was no object, or it could not be known yet. */
  readonly before?: readonly FieldRecord[] | null
  /** The fields that are declared since, as the server answered. Null: nothing is, of this run. */
  readonly after?: readonly FieldRecord[] | null
  readonly outcome: string
  readonly uid?: string
  /** The module that held it before. */
  readonly handedOverFrom?: string
  /** It was sent over another's ownership. */
  readonly force?: boolean
  /** Who else must be told: a failure's code, subject and message. */
  readonly failure?: FailureJson
}

/** What a run's record says. All times are milliseconds since 1970. */
export type RunPredicate = Chained & {
  readonly run: string
  readonly state: RunState
  readonly actor: string
  readonly reason: string
  readonly ticket: string | null
  readonly snapshot: { readonly id: string; readonly commits: Readonly<Record<string, string>> }
  /** With an operation: its steps, as they went. */
  readonly operation?: OperationOf & { readonly steps: readonly OperationStepRow[] }
  /** With a rollback: what asked for it. */
  readonly rollback?: RollbackOf
  /** Module -> the snapshot that it is held at, where that is another one. */
  readonly held?: Readonly<Record<string, string>>
  readonly changes: readonly (Commit & { readonly repository: string })[]
  readonly plan: { readonly digest: Digest } | null
  readonly gates: readonly GateDecision[]
  readonly approvals: readonly Approval[]
  readonly effects: readonly EffectRecord[]
  readonly modules: readonly ModuleOutcome[]
  readonly probes: readonly (ProbeResult & { readonly module: string })[]
  /** What could not be found out. */
  readonly unknown: readonly FailureJson[]
  readonly failure: FailureJson | null
  /** The same in SLSA's words, and for each module whose probes all answered in in-toto's. */
  readonly provenance?: Provenance
  readonly testResults?: readonly (TestResult & { readonly module: string })[]
  readonly startedAt: number
  readonly endedAt: number
}

/** What lies just before a change: the run, finding or other change that may have made it. */
export type Before = { readonly kind: 'run' | 'finding' | 'context' | 'pause' | 'policy'; readonly id: string; readonly at: number; readonly about: string }

/** A module's verdict is another one than before. */
export type VerdictChangePredicate = Chained & {
  readonly module: string
  /** The other fact, as it was then; none of the environment itself, nor in records that were made before it was kept. */
  readonly delivery?: Delivery
  readonly from: Verification
  readonly to: Verification
  /** When the first sample of the new verdict was collected: since then it is so, as far as anybody looked. */
  readonly onset: number
  /** The last sample that still told the old verdict; null where there was none. */
  readonly lastBefore: number | null
  readonly decidedAt: number
  readonly flapping: boolean
  readonly before: readonly Before[]
  readonly snapshot: string | null
  /** In one sentence. */
  readonly message: string
  /** Every sample that made the verdict. */
  readonly probes: readonly ProbeResult[]
  /** What could not be found out. */
  readonly unknown: readonly FailureJson[]
  /** The same in in-toto's words, where those have one for it. */
  readonly testResult?: TestResult
}

/** The field names of our own in a predicate that others have defined are URIs, as SLSA asks. */
export const chainField = 'https://plumbline.dev/chain/v1alpha1'
export const dayField = 'https://plumbline.dev/day/v1alpha1'

/** A day of a module: how long it was what. `samples` and `lastedMs` by verdict. */
export type Day = {
  readonly module: string
  readonly from: number
  readonly to: number
  readonly samples: Readonly<Partial<Record<Verification, number>>>
  readonly lastedMs: Readonly<Partial<Record<Verification, number>>>
  readonly changes: number
  readonly worst: Verification
  readonly verification: Verification
}

export type VerificationSummaryPredicate = VerificationSummary & { readonly [chainField]: ChainLink; readonly [dayField]: Day }

/** What was found, or decided, about one drift. */
export type FindingPredicate = Chained & {
  readonly finding: string
  readonly module: string
  readonly object: string
  readonly decision: FindingEvent
  readonly cause: string
  /** Who did what was found, as far as that is known. */
  readonly by: string
  /** When it was first so; null where nobody can tell. */
  readonly onset: number | null
  readonly fields: readonly { readonly path: string; readonly declared?: Json; readonly live?: Json; readonly owner?: string }[]
  /** Who decided: a principal, or the policy. */
  readonly actor: string
  readonly reason: string
  readonly ticket: string | null
  readonly run: string | null
  readonly at: number
}

/** What gates stand on was first seen, or replaced. */
export type PolicyPredicate = Chained & { readonly changes: readonly string[]; readonly snapshot: string; readonly actor: string; readonly reason: string; readonly run: string | null; readonly at: number }

/** A module is held at an older snapshot from here on, or is no more. */
export type PinPredicate = Chained & {
  readonly module: string
  readonly decision: 'pinned' | 'lifted'
  /** What lifts it: Git, by saying something else than what was rolled back; or a person alone. */
  readonly by: 'rollback' | 'person'
  readonly snapshot: string
  readonly actor: string
  readonly reason: string
  readonly ticket: string | null
  /** The run that goes there. */
  readonly run: string | null
  readonly at: number
}

/** From here on another key signs. The checkpoint that ends with this record bears the signatures of both. */
export type KeyRotationPredicate = Chained & {
  readonly from: { readonly keyId: string; readonly publicKey: string }
  readonly to: { readonly keyId: string; readonly publicKey: string }
  readonly actor: string
  readonly reason: string
  readonly at: number
}

/** The first `size` records are gone, as the policy says; this is the tree's frontier over them, from which the rest still verifies. */
export type PrunePredicate = Chained & { readonly size: number; readonly head: Digest; readonly roots: readonly string[]; readonly keepMs: number; readonly before: number; readonly at: number }
