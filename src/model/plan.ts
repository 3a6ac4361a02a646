import type { Digest } from '#lib/digest.ts'
import type { FailureJson } from '#lib/failure.ts'
import type { Json, JsonObject } from '#lib/json.ts'
import type { ObjectKey, Origin } from './resource.ts'

/**
 * A field of an object, as text: `spec.replicas`, `metadata.labels["a.b/c"]`, `spec.containers[name="app"].image`,
 * `metadata.finalizers[="x"]` (a set's member), `spec.rules[0].host` (only inside what is atomic). `field-path.ts` reads and writes it.
 */
export type FieldPath = string

/** What became, or would become, of a resource. The same words everywhere. */
export type Action = 'created' | 'configured' | 'unchanged' | 'deleted' | 'skipped' | 'unknown'

/** One declared field: what Git said, what the server answered when we declared it (left out where equal), and whether it is left out now:
 * `yielded` to a controller that rightly moves it, or did, and nobody has sent it since; `held` for a person. */
export type DeclaredField = { readonly path: FieldPath; readonly git: Json; readonly answered?: Json; readonly mark?: 'yielded' | 'held' }

/** A row of the inventory: an object that we made or took over, and what of it we declared. Values of Secrets are keyed digests. */
export type Held = {
  /** The place behind the target (a cluster's id): two targets that reach one cluster share it. */
  readonly place: string
  readonly key: ObjectKey
  readonly uid: string
  readonly environment: string
  readonly module: string
  /** The digest of the desired body that was last acknowledged. */
  readonly desired: Digest
  readonly fields: readonly DeclaredField[]
  readonly run: string
  /** The version of its kind that it was declared in; its paths are of that version. Absent where the driver knows none. */
  readonly apiVersion?: string | null
}

/** Who owns which fields of a live object. `subresource` is '' for the object itself. */
export type Owner = {
  readonly manager: string
  readonly operation: 'Apply' | 'Update'
  readonly subresource: string
  /** Milliseconds since 1970, where the server says. */
  readonly at?: number
  readonly paths: readonly FieldPath[]
}

/** What a driver saw. `unknown` is never taken for `absent`. */
export type Observation =
  | { readonly key: ObjectKey; readonly state: 'absent' }
  | {
      readonly key: ObjectKey
      readonly state: 'present'
      readonly uid: string
      /** The resourceVersion: a precondition, no part of what is sealed. */
      readonly version: string
      /** The live object; the values of a Secret as keyed digests. */
      readonly body: JsonObject
      readonly owners: readonly Owner[]
      /** Fields that a controller rightly moves, and which (`HorizontalPodAutoscaler orders/orders-api`). */
      readonly delegated: readonly { readonly path: FieldPath; readonly to: string }[]
      /** It is being deleted. */
      readonly terminating: boolean
      /** The module that it says it is of, where no other object brought it along. It proves nothing. */
      readonly claim?: string
      /** For a namespace or a definition: how many objects live in it, where that was counted. */
      readonly contents?: number
      /** Which of those hold data, sorted. */
      readonly holdsData?: readonly ObjectKey[]
    }
  /** Its kind is not served yet: decided when the step is reached, and gated again. */
  | { readonly key: ObjectKey; readonly state: 'deferred'; readonly reason: string }
  | { readonly key: ObjectKey; readonly state: 'unknown'; readonly failure: FailureJson }

/**
 * One field in a plan. `added`, `changed`, `removed`: Git's change, carried out. `taken`: another's field, taken over because the module says so.
 * `yielded`, `held`: left out of the apply. `contested`: Git changed what another owns; carried out only if the gate lets it.
 */
export type FieldChange = {
  readonly path: FieldPath
  readonly state: 'added' | 'changed' | 'removed' | 'taken' | 'yielded' | 'held' | 'contested'
  /** What Git says now; absent when the field goes. */
  readonly to?: Json
  /** The live value; absent when there is none. */
  readonly from?: Json
  /** Who owns it, where another does, or to whom it is delegated. */
  readonly owner?: string
}

/** What an approval stands on: if any of it differs when the effect is carried out, the world has *moved*. */
export type Sealed = {
  readonly uid: string | null
  /** The live values and owners of the paths that the effect touches, sorted by path. Absent values are left out. */
  readonly paths: readonly { readonly path: FieldPath; readonly live?: Json; readonly owners: readonly string[] }[]
}

/** One object's part of a plan. */
export type Effect = {
  readonly key: ObjectKey
  readonly module: string
  readonly action: Action
  readonly changes: readonly FieldChange[]
  /** Absent where it is not known yet: `deferred` says why. */
  readonly sealed?: Sealed
  readonly deferred?: string
  /** The digest of the desired body; absent for a deletion. */
  readonly desired?: Digest
  /** Paths of the desired body that are not sent (yielded and held). */
  readonly omit: readonly FieldPath[]
  /** Send it over another's ownership: only where every contested or taken field is shown in `changes`. */
  readonly force: boolean
  /** The module that held the object before, when it is handed over. */
  readonly handedOverFrom?: string
  /** It holds data (a PVC, a database), so that deleting it needs a person who names it. */
  readonly holdsState: boolean
  /** For a deleted namespace or definition: how many objects it contains. */
  readonly contents?: number
  /** Which of those hold data, sorted: a person names each. Part of the digest. */
  readonly holdsData?: readonly ObjectKey[]
  /** What the driver adds for itself: no secrets. */
  readonly payload?: JsonObject
  readonly origin?: Origin
  /** What a person should know of it, where the action alone does not tell (`somebody deleted it`, `handed over to storefront`). Explains, never decides; not sealed. */
  readonly why?: string
  /** Why what Git no longer declares stays for now (`prune-unsure`, `object-terminating`): the rest of its module goes on, and the module is tried again. */
  readonly left?: FailureJson
  /** Why it cannot be carried out (`object-exists`, `object-terminating`, what the server's dry run said). The gate refuses such a plan. */
  readonly refused?: FailureJson
}

/** A module's part of a plan: its effects in waves. A wave begins when the one before it is applied and, for namespaces and definitions, established. */
export type Step = {
  readonly module: string
  readonly track: string
  /** What delivers it, and to which of the environment's targets. */
  readonly driver: string
  readonly target: string
  /** The place behind the target, where it was asked: part of the digest, so that nothing is carried out anywhere else. */
  readonly place?: string
  readonly dependsOn: readonly string[]
  readonly waves: readonly (readonly Effect[])[]
  /** How the module is proven from now on, and what that changes (`probes.page.http.status: 200 -> 204`; nothing of a first one); absent where it stays. Part of the digest. */
  readonly proof?: { readonly digest: Digest; readonly changes: readonly string[] }
  /** Why it cannot be delivered as it is, whatever becomes of the others: it was not rendered, planned, or let through. Nothing of it is carried out. */
  readonly failure?: FailureJson
}

/** A value: what a run will do, sealed. Equal effects have an equal digest, whatever snapshot and time they were planned at. */
export type Plan = {
  readonly environment: string
  readonly snapshot: string
  /** In an order in which every module comes after what it depends on. */
  readonly steps: readonly Step[]
  /** What could not be found out: a plan with any is not applicable. */
  readonly unknown: readonly FailureJson[]
  /** Of the steps' effects (not of the snapshot). */
  readonly digest: Digest
}
