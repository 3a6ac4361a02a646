import type { Digest } from '#lib/digest.ts'
import type { Failure } from '#lib/failure.ts'
import type { JsonObject } from '#lib/json.ts'

/** A kind as the server serves it. */
export type ServedKind = {
  readonly group: string
  readonly version: string
  readonly kind: string
  readonly plural: string
  readonly namespaced: boolean
  readonly verbs: readonly string[]
}

export type ApplyOptions = {
  readonly manager: string
  readonly force: boolean
  readonly dryRun: boolean
  /**
   * Preconditions: the server answers 409 when they do not hold. To create and never to change, `version` is `neverWritten`: a server
   * creates what is missing whatever version an apply bears, and refuses it for what exists.
   */
  readonly uid?: string
  readonly version?: string
}

/** The resourceVersion of no object: etcd's first revision is 1, so that its first write is 2. */
export const neverWritten = '1'

export type ListPage = { readonly items: readonly JsonObject[]; readonly version: string }

export type KubernetesWatchEvent =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: JsonObject }
  | { readonly type: 'BOOKMARK'; readonly version: string }
  /** What was seen before is void: a full list follows as ADDED, ended by a BOOKMARK. */
  | { readonly type: 'RELIST' }
  /** The server could not be asked: what happens from here on may come late. Told at each attempt that fails. */
  | { readonly type: 'LOST'; readonly failure: Failure }
  /** After LOST: the server answers again. */
  | { readonly type: 'FOUND' }

/**
 * A thin client of one cluster. Every call ends with `signal`; 429 and `Retry-After` are waited out within it. Failures:
 * `kubernetes-unreachable`, `kubernetes-refused` (fields: status, reason, causes), `kubernetes-conflict`, `kubernetes-not-found`,
 * `kubernetes-unauthorized`, `kubernetes-sign-in-failed`, `kubernetes-failing` (5xx), `kubernetes-expired` (410), `kubernetes-answer-too-large`.
 * A write is sent once: `kubernetes-unreachable` bears `fields.processed`, `no` where the server certainly did not see it, else `perhaps`.
 */
export type KubernetesClient = {
  /** A digest of the server's address and certificate authority: who the server is, where the server itself does not tell. */
  readonly address: Digest
  /** The kind behind an apiVersion and kind; undefined when it is not served. Discovery is cached and asked again on a miss. */
  kind(apiVersion: string, kind: string, signal: AbortSignal): Promise<ServedKind | undefined>
  /** The preferred version of a group's kind. */
  preferredKind(group: string, kind: string, signal: AbortSignal): Promise<ServedKind | undefined>
  /** What was served a minute ago at most: no proof of what is not there, and no request for what never is. */
  recentKinds(signal: AbortSignal): Promise<readonly ServedKind[]>
  /** Everything that is served, the versions of a kind in the server's order of preference. Throws where a part of it could not be asked. */
  kinds(signal: AbortSignal): Promise<readonly ServedKind[]>
  /** The object; undefined only when the server itself says that this very name does not exist. */
  get(kind: ServedKind, namespace: string, name: string, signal: AbortSignal): Promise<JsonObject | undefined>
  /** The whole list, in pages. A page that fails fails the list. */
  list(kind: ServedKind, namespace: string | undefined, selector: { labels?: string; fields?: string }, signal: AbortSignal): Promise<ListPage>
  apply(kind: ServedKind, body: JsonObject, options: ApplyOptions, signal: AbortSignal): Promise<{ object: JsonObject; created: boolean; warnings: string[] }>
  delete(
    kind: ServedKind,
    namespace: string,
    name: string,
    options: { uid: string; version?: string; propagation: 'Background' | 'Foreground' | 'Orphan'; dryRun: boolean },
    signal: AbortSignal,
  ): Promise<'gone' | 'terminating' | 'absent'>
  /** Resumes by itself after a lost connection; a 410 is answered by RELIST, and so is the lack of `from`. Ends with the signal. */
  watch(kind: ServedKind, namespace: string | undefined, selector: { labels?: string; fields?: string }, from: string | undefined, signal: AbortSignal): AsyncIterable<KubernetesWatchEvent>
  /** What a container of a pod has written so far, both streams together; more than so many bytes is `kubernetes-answer-too-large`. */
  logs(namespace: string, pod: string, container: string, maxBytes: number, signal: AbortSignal): Promise<string>
  close(): Promise<void>
}
