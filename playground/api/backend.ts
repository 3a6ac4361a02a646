import type { Clock } from '#lib/clock.ts'
import type { FieldManagement, KubernetesObject } from '#playground/contract.ts'
import type { Admission } from './admission/admission.ts'
import type { Reach } from './admission/webhook-address.ts'
import type { Authorizer } from './authorization/authorizer.ts'
import type { Storage } from './storage.ts'
import { resourceOf, apiVersionOf, type Kind } from './kinds.ts'
import { withReadDefaults } from './read-defaults.ts'
import type { Registry } from './registry.ts'

export type BackendOptions = {
  /** Whether namespaces must exist, and refuse new content while they end. */
  readonly namespaceLifecycle: boolean
  /** Gives the next free cluster IP. Without it, Services get addresses of 10.96.0.0/16 in order. */
  readonly assignClusterIP: () => string
  /** Where an address of the cluster is really reached. Without it, where it says. */
  readonly reach: Reach
  /** The text of a pod's log, or its chunks as they come; `follow` keeps the stream open. */
  readonly logs: LogSource
}

type LogQuery = {
  readonly container: string | undefined
  readonly follow: boolean
  readonly tailLines: number | undefined
  readonly previous: boolean
  /** Milliseconds of the clock; what was written before is left out. */
  readonly since: number
  readonly timestamps: boolean
}

export type LogSource = (namespace: string, name: string, query: LogQuery, signal: AbortSignal) => string | AsyncIterable<string> | undefined

/** What every verb works on. */
export type Backend = {
  readonly storage: Storage
  readonly registry: Registry
  readonly clock: Clock
  readonly fields: FieldManagement
  readonly authorizer: Authorizer
  readonly admission: Admission
  readonly options: BackendOptions
  /** Fresh identities: a uid, and five characters for a generated name. */
  readonly newUid: () => string
  readonly newSuffix: () => string
}

/** RFC 3339 in whole seconds. */
export function timeNow(backend: Pick<Backend, 'clock'>): string {
  return new Date(Math.floor(backend.clock.now() / 1000) * 1000).toISOString().replace('.000Z', 'Z')
}

export function find(backend: Backend, kind: Kind, namespace: string, name: string): KubernetesObject | undefined {
  const stored = backend.storage.get(resourceOf(kind), `${kind.namespaced ? namespace : ''}/${name}`)
  return stored === undefined ? undefined : inVersion(stored, kind)
}

/** An object as a version shows it. Versions of a custom kind differ in nothing but their name: the only conversion is `None`. */
export function inVersion(object: KubernetesObject, kind: Kind): KubernetesObject {
  if (kind.custom) return renamed(withReadDefaults(object, kind), kind)
  if (object.apiVersion === apiVersionOf(kind)) return object
  return kind.conversion?.fromStorage(object) ?? renamed(object, kind)
}

function renamed(object: KubernetesObject, kind: Kind): KubernetesObject {
  const apiVersion = apiVersionOf(kind)
  return object.apiVersion === apiVersion ? object : { ...object, apiVersion }
}

/** Writes in the storage version; answers in the version that was asked for. */
export function store(backend: Backend, kind: Kind, type: 'ADDED' | 'MODIFIED' | 'DELETED', object: KubernetesObject): KubernetesObject {
  const apiVersion = apiVersionOf({ group: kind.group, version: kind.storageVersion })
  const stored = kind.conversion === undefined ? { ...object, apiVersion } : kind.conversion.toStorage(object)
  return inVersion(backend.storage.write(type, resourceOf(kind), stored), kind)
}

