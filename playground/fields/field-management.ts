import { isObject, type Json } from '#lib/json.ts'
import type { FieldManagement, KubernetesObject, Schema } from '#playground/contract.ts'
import { capManagers } from './cap-managers.ts'
import { conflictCauses } from './conflict-causes.ts'
import { FieldSet } from './field-set.ts'
import { lastAppliedFields, withLastApplied } from './last-applied.ts'
import { decodeManagers, managerKey, noManagers, withManagedFields, withoutManagedFields, type ManagerId, type Managers, type Owned } from './managers.ts'
import { fieldElement } from './path-element.ts'
import { scaleOwnership } from './scale-ownership.ts'
import { settleTimes } from './settle-times.ts'
import { typedErrors } from './typed-errors.ts'
import { applyConfig, updateOwners, type Conflicts, type Versions } from './updater.ts'

type ApplyInput = Parameters<FieldManagement['apply']>[0]
type UpdateInput = Parameters<FieldManagement['update']>[0]
type Write = { readonly versions: Versions; readonly time: string; readonly subresource: string }

/**
 * Server-side apply and managed fields as the Kubernetes API server does them.
 * Source of the order of things: apimachinery `managedfields/internal/fieldmanager.go`.
 */
export const fieldManagement: FieldManagement = { apply, update, settle: settleTimes }

function apply(input: ApplyInput): ReturnType<FieldManagement['apply']> {
  const { applied, manager, schema } = input
  const invalid = typedErrors(applied, schema, 'refused')
  if (invalid !== undefined) return { invalid: `failed to create typed patch object (${named(applied)}): ${invalid}` }
  const live = withoutManagedFields(input.live ?? emptyOf(applied, schema))
  const unreadable = typedErrors(live, schema, 'allowed')
  if (unreadable !== undefined) return { invalid: `failed to create typed live object (${named(live)}): ${unreadable}` }
  let before = decodeManagers(input.live?.metadata.managedFields)
  if (before instanceof Error) return { invalid: `failed to decode managed fields: ${before.message}` }

  const write = writeOf(input, applied.apiVersion)
  if (before.owned.size === 0 && input.live !== undefined) before = beforeFirstApply(live, schema, before, write)
  const id: ManagerId = { manager, operation: 'Apply', apiVersion: '', subresource: input.subresource }
  let result = applyConfig(live, applied, write.versions, before.owned, id, input.force)
  if ('conflicts' in result && manager === 'kubectl') {
    const left = beyond(result.conflicts, lastAppliedFields(live, schema))
    result = left.size > 0 ? { conflicts: left } : applyConfig(live, applied, write.versions, before.owned, id, true)
  }
  if ('conflicts' in result) return conflictCauses(result.conflicts, before.owned)

  const key = managerKey(id)
  const times = new Map(before.times)
  if (result.object !== undefined) times.set(key, input.time)
  let object = (result.object ?? live) as KubernetesObject
  if (result.object !== undefined && input.defaults !== undefined) object = input.defaults(object)
  if (manager === 'kubectl') object = withLastApplied(object, applied)
  const managers = { owned: strip(result.managers, key), times }
  return { object: settleTimes(input.live, withManagedFields(object, managers)) }
}

function update(input: UpdateInput): KubernetesObject {
  const { live, next } = input
  if (live !== undefined && input.replicas !== undefined && input.subresource === 'scale') {
    const versions = new Set([next.apiVersion, ...Object.keys(input.versions)])
    return withManagedFields(next, scaleOwnership(live, next, input.manager, input.replicas, versions))
  }
  const bare = withoutManagedFields(next)
  const before = startingManagers(input)
  if (before.owned.size === 0 && live !== undefined) return bare
  const old = live === undefined ? emptyOf(next, input.schema) : withoutManagedFields(live)
  // What cannot be read by its schema is not tracked; validation is what refuses it.
  if (typedErrors(bare, input.schema, 'allowed') !== undefined || typedErrors(old, input.schema, 'allowed') !== undefined) {
    return withManagedFields(next, readOr(live?.metadata.managedFields))
  }
  const managers = updated(old, bare, before, input.manager, writeOf(input, next.apiVersion))
  return settleTimes(live, withManagedFields(bare, managers))
}

/** A request may set managed fields itself, or strip them; what it sends and cannot be read counts as not sent. */
function startingManagers({ live, next, subresource }: UpdateInput): Managers {
  const sent = next.metadata.managedFields
  if (subresource === '' && Array.isArray(sent)) {
    if (sent.length === 0 || (sent.length === 1 && isEmptyObject(sent[0]))) return noManagers()
    const decoded = decodeManagers(sent)
    if (!(decoded instanceof Error) && decoded.owned.size > 0) return decoded
  }
  return readOr(live?.metadata.managedFields)
}

function readOr(entries: Json | undefined): Managers {
  const decoded = decodeManagers(entries)
  return decoded instanceof Error ? noManagers() : decoded
}

/** All that is there when an object without managed fields is first applied to belongs to one updater. */
function beforeFirstApply(live: KubernetesObject, schema: Schema, managers: Managers, write: Write): Managers {
  return updated(emptyOf(live, schema), live, managers, 'before-first-apply', write)
}

/** What a new object is compared with: nothing, but in built-in kinds the structs that are always there. */
function emptyOf({ apiVersion, kind }: KubernetesObject, schema: Schema): KubernetesObject {
  return { ...(isObject(schema.default) ? schema.default : {}), apiVersion, kind, metadata: {} }
}

/** An operation owns what it changed, on top of what its manager owned; only then does its time move. */
function updated(old: KubernetesObject, next: KubernetesObject, before: Managers, manager: string, { versions, time, subresource }: Write): Managers {
  const id: ManagerId = { manager, operation: 'Update', apiVersion: next.apiVersion, subresource }
  const key = managerKey(id)
  const operation = 'current-operation'
  const owned = strip(updateOwners(old, next, versions, before.owned, operation, id), operation)
  const times = new Map(before.times)
  const taken = owned.get(operation)
  if (taken !== undefined) {
    owned.delete(operation)
    owned.set(key, { ...taken, set: taken.set.union(owned.get(key)?.set ?? new FieldSet()) })
    times.set(key, time)
  }
  return capManagers({ owned, times })
}

const metadata = ['name', 'namespace', 'creationTimestamp', 'selfLink', 'uid', 'clusterName', 'generation', 'managedFields', 'resourceVersion']
const neverOwned = FieldSet.of(
  ...['apiVersion', 'kind', 'metadata'].map((name) => [fieldElement(name)]),
  ...metadata.map((name) => [fieldElement('metadata'), fieldElement(name)]),
)

function strip(owned: ReadonlyMap<string, Owned>, key: string): Map<string, Owned> {
  const rest = new Map(owned)
  const own = owned.get(key)
  const set = own?.set.difference(neverOwned)
  if (own !== undefined && set !== undefined) {
    if (set.empty) rest.delete(key)
    else rest.set(key, { ...own, set })
  }
  return rest
}

function beyond(conflicts: Conflicts, allowed: FieldSet): Conflicts {
  return new Map([...conflicts].map(([key, set]) => [key, set.difference(allowed)] as const).filter(([, set]) => !set.empty))
}

function writeOf(input: Pick<ApplyInput, 'schema' | 'versions' | 'reset' | 'time' | 'subresource'>, apiVersion: string): Write {
  const schemas = new Map<string, Schema>([...Object.entries(input.versions), [apiVersion, input.schema]])
  const reset = FieldSet.of(...(input.reset ?? []).map((path) => path.split('.').map(fieldElement)))
  return { versions: { current: apiVersion, schemas, reset }, time: input.time, subresource: input.subresource }
}

/** `namespace/name; group/version, Kind=kind`. */
function named(object: KubernetesObject): string {
  const { namespace = '', name = '' } = object.metadata ?? {}
  const gv = object.apiVersion.includes('/') ? object.apiVersion : `/${object.apiVersion}`
  return `${namespace}/${name}; ${gv}, Kind=${object.kind}`
}

function isEmptyObject(value: Json | undefined): boolean {
  return isObject(value) && Object.keys(value).length === 0
}
