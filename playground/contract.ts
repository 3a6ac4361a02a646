import type { Json, JsonObject } from '#lib/json.ts'

/** What every Kubernetes object has. */
export type KubernetesObject = JsonObject & {
  apiVersion: string
  kind: string
  metadata: JsonObject & { name?: string; namespace?: string; uid?: string; resourceVersion?: string; generation?: number }
}

/** Which objects: a resource as it stands in paths (`apps`, `v1`, `deployments`). */
export type Resource = { readonly group: string; readonly version: string; readonly plural: string }

export type WatchEvent = { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: KubernetesObject }

/**
 * The embedded API server as its controllers see it: in the same process, without HTTP, but through the same storage, admission,
 * defaulting, validation and field management as a request. `manager` is the field manager that is written down.
 * Errors are `ApiError`s with the Status that HTTP would have answered.
 */
export type Objects = {
  get(resource: Resource, namespace: string, name: string): KubernetesObject | undefined
  list(resource: Resource, namespace?: string, labelSelector?: string): KubernetesObject[]
  /** Every present object as ADDED, synchronously, then what happens, in order. Returns what ends it. */
  watch(resource: Resource, listener: (event: WatchEvent) => void): () => void
  create(resource: Resource, object: KubernetesObject, manager: string): KubernetesObject
  /**
   * Reads, edits, writes, and tries again on a conflict. `edit` changes its argument in place; unchanged is no write. `undefined` when it is gone.
   * `part` is the subresource: what the others hold is not changed by it. With `scale`, `edit` is given the object itself and only
   * `spec.replicas` counts; it is written down as an Update with `subresource: scale`.
   */
  edit(
    resource: Resource,
    namespace: string,
    name: string,
    part: 'object' | 'status' | 'scale',
    manager: string,
    edit: (object: KubernetesObject) => void,
  ): KubernetesObject | undefined
  /**
   * As a DELETE does: with finalizers left it only sets `deletionTimestamp`. A Pod that has a node is deleted gracefully (it stays, with
   * `deletionTimestamp` and `deletionGracePeriodSeconds`) until its kubelet deletes it again with `graceSeconds` 0, when its processes have ended.
   * What is gone already, or has another uid, is no error.
   */
  delete(
    resource: Resource,
    namespace: string,
    name: string,
    uid?: string,
    propagation?: 'Background' | 'Foreground' | 'Orphan',
    graceSeconds?: number,
  ): void
}

/** Thrown by a controller's write that a webhook is asked about: it goes on by itself, and is to be asked for again when `settled`, which never rejects. */
export class StillAsking extends Error {
  readonly settled: Promise<void>

  constructor(settled: Promise<void>) {
    super('a webhook is asked')
    this.settled = settled
  }
}

/** A structural OpenAPI v3 schema with Kubernetes' extensions, as in a CustomResourceDefinition. Built-in kinds are described the same way. */
export type Schema = {
  type?: 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean'
  format?: string
  description?: string
  nullable?: boolean
  default?: Json
  properties?: { [name: string]: Schema }
  additionalProperties?: Schema | boolean
  items?: Schema
  required?: string[]
  enum?: Json[]
  minimum?: number
  maximum?: number
  exclusiveMinimum?: boolean
  exclusiveMaximum?: boolean
  multipleOf?: number
  minLength?: number
  maxLength?: number
  minItems?: number
  maxItems?: number
  uniqueItems?: boolean
  minProperties?: number
  maxProperties?: number
  pattern?: string
  allOf?: Schema[]
  anyOf?: Schema[]
  oneOf?: Schema[]
  not?: Schema
  'x-kubernetes-list-type'?: 'atomic' | 'set' | 'map'
  'x-kubernetes-list-map-keys'?: string[]
  'x-kubernetes-map-type'?: 'granular' | 'atomic'
  'x-kubernetes-preserve-unknown-fields'?: boolean
  'x-kubernetes-int-or-string'?: boolean
  'x-kubernetes-embedded-resource'?: boolean
  'x-kubernetes-patch-strategy'?: 'replace'
  'x-kubernetes-patch-merge-key'?: string
  /** Of a field of a built-in kind: not there when it is empty, as Go's `omitempty` leaves it out. Not published. */
  'x-go-omitempty'?: boolean
  'x-kubernetes-validations'?: {
    rule: string
    message?: string
    messageExpression?: string
    reason?: string
    fieldPath?: string
    optionalOldSelf?: boolean
  }[]
}

/** A cause in a `Status`: `{ reason, message, field }`. */
export type Cause = { readonly reason: string; readonly message: string; readonly field?: string }

/**
 * Field management (`playground/fields/`): pure functions over plain objects. Times are RFC 3339 in whole seconds.
 * `live` and `next` carry their `metadata.managedFields`; the result does too. Nothing here knows HTTP or storage.
 */
export type FieldManagement = {
  /** Server-side apply. `live` is undefined on create. */
  apply(input: {
    readonly live: KubernetesObject | undefined
    readonly applied: KubernetesObject
    readonly manager: string
    readonly force: boolean
    readonly time: string
    /** Whole, as `customResourceSchema` and `builtinSchemas` give it; a root's `default` is the kind's object with nothing in it. */
    readonly schema: Schema
    /** '' for the object itself, else 'status' or 'scale'. */
    readonly subresource: string
    /** The schema of each served version by `apiVersion` (`example.dev/v1`), for entries of other versions. */
    readonly versions: Readonly<Record<string, Schema>>
    /** Dotted paths that this end point drops, so that nobody owns them by it: `['status']`; at `/status` of a custom resource `['metadata', 'spec']`. */
    readonly reset?: readonly string[]
    /** Prunes nothing, sets defaults: called with the merged object where its content differs from `live`. */
    readonly defaults?: (object: KubernetesObject) => KubernetesObject
  }): { readonly object: KubernetesObject } | { readonly conflicts: readonly Cause[]; readonly message: string } | { readonly invalid: string }
  /** POST, PUT and the other patches: `next` is the object as it is to be stored, after defaulting and pruning. */
  update(input: {
    readonly live: KubernetesObject | undefined
    readonly next: KubernetesObject
    readonly manager: string
    readonly time: string
    readonly schema: Schema
    readonly subresource: string
    readonly versions: Readonly<Record<string, Schema>>
    readonly reset?: readonly string[]
    /** With the subresource `scale`: the path of the replicas in the object, `['spec', 'replicas']`. */
    readonly replicas?: readonly string[]
  }): KubernetesObject
  /**
   * Takes back the times of managed fields that moved where nothing else differs from `live`. `apply` and `update` have done it;
   * call it again after what changes the object later (mutating admission), before comparing with `live`.
   */
  settle(live: KubernetesObject | undefined, next: KubernetesObject): KubernetesObject
}
