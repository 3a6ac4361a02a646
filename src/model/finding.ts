import type { Digest } from '#lib/digest.ts'
import type { FailureJson } from '#lib/failure.ts'
import type { Json } from '#lib/json.ts'
import type { FieldPath, Owner } from './plan.ts'
import type { ObjectKey } from './resource.ts'

/**
 * Why reality is not what was declared, the most serious first. `missing`: the object is gone. `recreated`: another bears its name (its UID differs).
 * `unknown`: co-owned, ambiguous, or nobody left a trace: never guessed. `manual`: an interactive client. `controller`: another controller.
 * `hotfix`: inside an elevation. `orphan`: it bears a module's label, and nothing that we made. (What a controller rightly moves is `delegated`, what
 * was never declared `emergent`: neither is a finding.)
 */
export const findingCauses = ['missing', 'recreated', 'unknown', 'manual', 'controller', 'hotfix', 'orphan'] as const
export type FindingCause = (typeof findingCauses)[number]

/**
 * `open`: to be looked at. `held`: left as it is, and reminded of. `accepted`: a person said why, and until when. `contested`: two writers go on moving
 * it, and nothing is reverted any more. `reverting`, `adopting`: a way back is under way (`run` says which). `resolved`: it is
 * over, and its last event says why.
 */
export const findingStates = ['open', 'held', 'accepted', 'contested', 'adopting', 'reverting', 'resolved'] as const
export type FindingState = (typeof findingStates)[number]

/** What is done about a finding. */
export const driftPolicies = ['ignore', 'report', 'hold', 'revert', 'adopt'] as const
export type DriftPolicy = (typeof driftPolicies)[number]

/**
 * One field that differs. Both are null where there is no value; values of Secrets are never here, and `secret` says so. `instead`: the list item that is there in the place of
 * the one that it is gone with, under another key.
 */
export type FindingField = { readonly path: FieldPath; readonly declared: Json; readonly live: Json; readonly secret?: true; readonly instead?: FieldPath }

/** Where a field is declared, and the commit that last touched that line, where Git could tell. `line` is 1-based. */
export type Source = {
  readonly repository: string
  readonly file: string
  readonly line: number
  readonly column: number
  readonly commit: { readonly sha: string; readonly author: string; readonly at: number; readonly subject: string } | null
}

export type Acceptance = { readonly by: string; readonly reason: string; readonly until: number }

/** Who set the fields last, and when: our own `plumbline` where they were as declared again by our hand. */
export type Turn = { readonly by: string; readonly at: number }

/** By what an audit source's word is known to be of one thing: a field, an object, its absence. */
export type Sought = {
  readonly verbs: readonly AuditEntry['verb'][]
  /** The other owners of the field as it was found. */
  readonly owners: readonly Pick<Owner, 'manager' | 'at'>[]
  /** When it was first seen to be so. */
  readonly seenAt: number
  /** When it was surely not so yet: what was done before made nothing so. */
  readonly since?: number
}

/** One thing that differs, and the write that made it so, where an audit source told of it. `of`: a digest of the thing. */
export type Trace = { readonly of: Digest; readonly sought: Sought; readonly write: AuditEntry | null }

/** One drift: an object and a cause, in one environment. Times are milliseconds since 1970. `object` is a key of any driver. */
export type Finding = {
  readonly id: string
  readonly environment: string
  /** The place behind the target (a cluster’s id). */
  readonly place: string
  readonly target: string
  readonly driver: string
  readonly module: string
  readonly object: ObjectKey
  readonly cause: FindingCause
  readonly fields: readonly FindingField[]
  /** The field managers that made it so, where they left a trace. */
  readonly manager: string | null
  /** The person, where an audit source names one. */
  readonly person: string | null
  /** When it was made so: the field manager’s time, else the audit source’s; null where nobody says. */
  readonly onset: number | null
  /** When we saw it first, and when it last changed. */
  readonly seenAt: number
  readonly updatedAt: number
  /** How often it was seen to become so, or to become otherwise. */
  readonly count: number
  readonly state: FindingState
  /** What the policy says is done about it. */
  readonly decision: DriftPolicy
  /** What happened, in one sentence. */
  readonly message: string
  readonly source: Source | null
  readonly accepted: Acceptance | null
  /** The run that reverts it, or did last. */
  readonly run: string | null
  /** Why the last way back failed. */
  readonly failure: FailureJson | null
  /** The newest last; as many as it takes to see a fight. */
  readonly turns: readonly Turn[]
  /** Of what is there: an acceptance stands on it. */
  readonly digest: Digest
  /** Who made it so is kept with what is to be known of it: an audit source forgets, and a manager's time moves on with its next write. */
  readonly traces: readonly Trace[]
  readonly resolvedAt: number | null
}

/**
 * What may become of a finding. `attributed`: an audit source tells by now who made it so. `adopting`: it is on its way back to Git; `refused`: no edit does
 * that; `overdue`: it was not delivered in time; `withdrawn`: a person decided otherwise. `resolved`: reality is as declared, or is declared by now,
 * or a controller rightly moves it by now, or another finding tells what it is by now; `ignored`: it is not, and the policy says that nobody is to know.
 */
export type FindingEvent = 'opened' | 'changed' | 'attributed' | 'contested' | 'accepted' | 'reverted' | 'adopting' | 'refused' | 'overdue' | 'withdrawn' | 'resolved' | 'ignored'

/** One write that an audit source told of. */
export type AuditEntry = {
  readonly object: ObjectKey
  readonly verb: 'create' | 'update' | 'patch' | 'delete'
  readonly user: string
  /** The field manager that the request named, or the name of its client. */
  readonly manager: string | null
  readonly at: number
}

/** A time-boxed break-glass session, as far as it explains a drift. `modules: null` is all of the environment. */
export type ElevationWindow = { readonly id: string; readonly person: string; readonly from: number; readonly until: number; readonly modules: readonly string[] | null }
