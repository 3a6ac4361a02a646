import { digestOfBytes } from '#lib/digest.ts'
import type { Digest } from '#lib/digest.ts'
import type { FailureJson } from '#lib/failure.ts'
import { canonicalJson } from '#lib/json.ts'
import type { Approval, GateDecision } from '#model/gate.ts'
import type { Action, FieldChange } from '#model/plan.ts'
import type { ProbeResult } from '#model/probe.ts'
import type { ModuleOutcome, RunState } from '#model/run.ts'
import type { Commit } from '#model/snapshot.ts'

export const runRecordType = 'https://plumbline.dev/run-record/v1alpha1'
export const checkpointType = 'https://plumbline.dev/checkpoint/v1alpha1'

/** An effect as it went: what was meant, what became of it. Values of Secrets are not in it. */
export type EffectRecord = {
  readonly key: string
  readonly module: string
  readonly action: Action
  readonly changes: readonly FieldChange[]
  readonly outcome: string
  readonly uid?: string
  /** The module that held it before. */
  readonly handedOverFrom?: string
  /** It was sent over another's ownership. */
  readonly force?: boolean
  /** Who else must be told: a failure's code, subject and message. */
  readonly failure?: FailureJson
}

/** Where a record stands in its environment's chain. `previous` is null for the first. */
export type ChainLink = { readonly environment: string; readonly seq: number; readonly previous: Digest | null }

/** What a run's record says. Times are milliseconds since 1970. */
export type RunPredicate = {
  readonly chain: ChainLink
  readonly run: string
  readonly state: RunState
  readonly actor: string
  readonly reason: string
  readonly ticket: string | null
  readonly snapshot: { readonly id: string; readonly commits: Readonly<Record<string, string>> }
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
  readonly startedAt: number
  readonly endedAt: number
}

/** An in-toto Statement v1 (https://in-toto.io/Statement/v1). */
export type Statement<Predicate> = {
  readonly _type: 'https://in-toto.io/Statement/v1'
  readonly subject: readonly { readonly name: string; readonly digest: Readonly<Record<string, string>> }[]
  readonly predicateType: string
  readonly predicate: Predicate
}

export type RunStatement = Statement<RunPredicate>

/** The statement of a run. Its subjects are the commits that it delivered; without any, the run itself. */
export function runStatement(predicate: RunPredicate): RunStatement {
  const commits = Object.entries(predicate.snapshot.commits).sort(([a], [b]) => (a < b ? -1 : 1))
  return {
    _type: 'https://in-toto.io/Statement/v1',
    subject:
      commits.length > 0
        ? commits.map(([repository, sha]) => ({ name: `git:${repository}`, digest: { gitCommit: sha } }))
        : [{ name: `run:${predicate.run}`, digest: { sha256: digestOfBytes(predicate.run).slice(7) } }],
    predicateType: runRecordType,
    predicate,
  }
}

/** The bytes of a record, and the digest that the next one names. */
export function sealRecord(statement: RunStatement): { text: string; digest: Digest } {
  const text = canonicalJson(statement)
  return { text, digest: digestOfBytes(text) }
}

/** What a checkpoint says of a chain's first `size` records. `head` is the digest of the last of them. */
export type CheckpointPredicate = {
  readonly environment: string
  readonly size: number
  /** Hexadecimal: the RFC 6962 root over the records' digests (as text). */
  readonly root: string
  readonly head: Digest
  readonly at: number
}

export function checkpointStatement(predicate: CheckpointPredicate): Statement<CheckpointPredicate> {
  return {
    _type: 'https://in-toto.io/Statement/v1',
    subject: [{ name: `records:${predicate.environment}`, digest: { sha256: predicate.root } }],
    predicateType: checkpointType,
    predicate,
  }
}
