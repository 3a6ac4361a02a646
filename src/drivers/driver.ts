import type { z } from 'zod'
import type { KubernetesClient } from '#clients/kubernetes/client.ts'
import type { Clock } from '#lib/clock.ts'
import type { Failure, FailureJson } from '#lib/failure.ts'
import type { JsonObject } from '#lib/json.ts'
import type { Track } from '#model/config/parts.ts'
import type { AuditEntry } from '#model/finding.ts'
import type { Action, DeclaredField, Effect, FieldPath, Held, Observation } from '#model/plan.ts'
import type { Desired, ObjectKey } from '#model/resource.ts'

/** What a driver can be handed. It names in `needs` what it wants; the runner passes those alone. */
export type Capabilities = {
  readonly kubernetes: KubernetesClient
}
export type Capability = keyof Capabilities

/** One call's surroundings. */
export type DriverCall<Needs extends Capability = Capability> = {
  readonly clients: Pick<Capabilities, Needs>
  readonly clock: Clock
  /** Ends when the run's lease is lost, the deadline is over or the process stops. A driver starts no effect after it. */
  readonly signal: AbortSignal
  /** Fails with `lease-lost` unless this worker still holds the run: called just before each effect. */
  readonly assertLease: () => Promise<void>
  /** A keyed digest, in place of a secret's value. */
  readonly secretDigest: (value: string) => string
}

/** What became of one effect. */
export type Outcome =
  | {
      readonly state: 'applied'
      readonly action: Action
      /** Absent after a deletion. */
      readonly uid?: string
      readonly version?: string
      readonly generation?: number
      /** What is declared now, with what the server answered. Empty after a deletion. */
      readonly fields: readonly DeclaredField[]
      readonly warnings: readonly string[]
    }
  /** A deletion that was accepted, but the object is still there (a finalizer): it stays in the inventory. */
  | { readonly state: 'terminating'; readonly uid: string }
  /** The world differs from what was sealed: nothing was written; plan again. */
  | { readonly state: 'moved'; readonly what: string }
  /** Another manager owns fields that Git changes: nothing was written. */
  | { readonly state: 'conflict'; readonly conflicts: readonly { readonly path: FieldPath; readonly manager: string }[]; readonly failure: FailureJson }
  /** The system said no, for good: nothing was written. */
  | { readonly state: 'refused'; readonly failure: FailureJson }
  /** Whether it happened is not known: `recover` asks. */
  | { readonly state: 'unknown'; readonly failure: FailureJson }

/** `ready`, still `progressing`, `failed` for good, `terminating`, `gone`, `untold` (nothing of it tells, as yet), or `unknown` (it could not be asked; with why). */
export type Readiness = {
  readonly key: ObjectKey
  readonly state: 'ready' | 'progressing' | 'failed' | 'terminating' | 'gone' | 'untold' | 'unknown'
  readonly message: string
}

/** The objects of one kind, of which only group and kind of the key count; in the version that was declared, where that is known. */
export type WatchedKind = {
  readonly kind: ObjectKey
  readonly apiVersion?: string
  /** Those of modules alone, where it is left out. Of everybody’s, a kind that is not there is none, and ends the watch. */
  readonly whose?: 'everybody'
}

/**
 * What a watch tells. `seen`: how an object was at some moment (the values of a Secret as keyed digests); `gone`: it was deleted, or is no module's any more.
 * Either may come late, twice or in another order, so that it is a reason to look, and no proof. `listing` begins a list of all that there is, `listed`
 * ends it: what was not seen between is not there. `lost`: nothing is heard from here on; `found`: it is heard again.
 */
export type Sighting =
  | { readonly state: 'seen'; readonly key: ObjectKey; readonly uid: string; readonly body: JsonObject; readonly terminating?: true }
  | { readonly state: 'gone'; readonly key: ObjectKey }
  | { readonly state: 'listing' }
  | { readonly state: 'listed' }
  | { readonly state: 'lost'; readonly failure: Failure }
  | { readonly state: 'found' }

/**
 * Which place is behind a target. `place` is equal for two targets that reach the same one, and lasts as long as the place does; absent where it may not be
 * read. `address`: the way there, and what vouches for it.
 */
export type Identity = { readonly address: string; readonly place?: string }

/**
 * Code that observes, previews and applies on one sort of target. One folder, one plain object, in `registry.ts`; `conformance.ts` is what
 * every driver must pass: preview is pure; apply twice is unchanged; a crash between two effects recovers; unknown stays unknown.
 */
export type Driver<Needs extends Capability = Capability> = {
  readonly id: string
  readonly tracks: readonly Track[]
  readonly needs: readonly Needs[]
  /** The driver's own part of a module's configuration. */
  readonly config: z.ZodType
  /** What tells the place behind the target, as far as it may be read now. Throws where it does not answer. */
  identify(call: DriverCall<Needs>): Promise<Identity>
  /**
   * A desired object as this driver declares it: with what it adds for itself (a label that names the module), and with keyed digests for a secret's
   * values. Plans compare and seal this; `preview`, `apply` and `recover` are handed what was rendered, with the values. Pure; declaring twice changes nothing.
   */
  declare(call: Pick<DriverCall, 'secretDigest'>, module: string, desired: Desired): Desired
  /**
   * Sees the objects that are wanted or held. One observation for each key, in the same order; what could not be read is `unknown`.
   * `desired` gives the version in which a wanted object is read.
   */
  observe(call: DriverCall<Needs>, keys: readonly ObjectKey[], desired: readonly Desired[]): Promise<Observation[]>
  /** Asks the system, without a change (a dry run), what it would say to effects that change something; fills `refused` and what only the system knows. */
  preview(call: DriverCall<Needs>, effects: readonly Effect[], desired: readonly Desired[]): Promise<Effect[]>
  /**
   * Carries out exactly `effect`, or says why not. It reads the object again first: what is sealed must be what is there (else `moved`), and the
   * write bears the resourceVersion of that read. `desired` is absent for a deletion; `held` is the inventory's row, where there is one.
   */
  apply(call: DriverCall<Needs>, effect: Effect, desired: Desired | undefined, held: Held | undefined): Promise<Outcome>
  /**
   * Tells whether what is there is the object of a creation whose answer never came, when what its module renders to may be another by now: from what was
   * declared then, as `declare` gave it. It reads, and writes nothing. Anybody's object but our own is `not-applied`, as none is.
   */
  recognise(call: DriverCall<Needs>, effect: Effect, declared: Desired): Promise<Outcome | { readonly state: 'not-applied' }>
  /** Tells what became of an effect that was under way when the process died. */
  recover(call: DriverCall<Needs>, effect: Effect, desired: Desired | undefined, held: Held | undefined): Promise<Outcome | { readonly state: 'not-applied' }>
  /**
   * Follows objects, by watch, until each is ready or failed, or the signal ends. Yields each change of an object's readiness. `generation` is that
   * of our own apply: readiness counts only with an observedGeneration at or past it.
   */
  ready(call: DriverCall<Needs>, objects: readonly { readonly key: ObjectKey; readonly uid: string; readonly generation?: number }[]): AsyncIterable<Readiness>
  /**
   * Sees all that lives in a namespace, but for what every namespace has by itself, and what only tells of others: for a first module of what was made by
   * hand. Of a Secret only its name. What could not be listed is a failure of the whole. Absent where a system has no namespaces.
   */
  survey?(call: DriverCall<Needs>, namespace: string): Promise<Observation[]>
  /**
   * What happens to the objects of modules of one kind, for the loop that keeps reality true: first a list, and another one after whatever may have been missed.
   * Ends with the signal; goes on by itself when the place was in trouble. Throws what no waiting mends.
   */
  watch(call: DriverCall<Needs>, kind: WatchedKind): AsyncIterable<Sighting>
  /** The kinds of what rightly moves fields of other objects, whosever they are: nothing but its own watch tells when one of them goes. Only group and kind count. */
  readonly movers?: readonly ObjectKey[]
  /** What may change objects of the kinds of these keys as they are written (webhooks), by name. Absent where nothing does. */
  rewriters?(call: DriverCall<Needs>, keys: readonly ObjectKey[]): Promise<ReadonlyMap<ObjectKey, readonly string[]>>
  /** The writes to objects that events of the system’s own audit log tell of, by others than us; a key may have `*` for a kind or a name that was not told. Absent where a system has none that we read. */
  audited?(call: DriverCall<Needs>, events: readonly JsonObject[]): Promise<(AuditEntry & { readonly id: string })[]>
}
