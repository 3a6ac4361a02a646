import { isObject, type Json, type JsonObject } from '#lib/json.ts'
import type { KubernetesObject } from '#playground/contract.ts'
import { FieldSet } from './field-set.ts'

/** Who a manager is: an applier is the same in every version, an updater is another one in each. */
export type ManagerId = {
  readonly manager: string
  readonly operation: 'Apply' | 'Update'
  /** Empty for appliers. */
  readonly apiVersion: string
  readonly subresource: string
}

/** The fields of one manager, in the version in which it wrote them. */
export type Owned = { readonly id: ManagerId; readonly apiVersion: string; readonly set: FieldSet }

/** The managers of an object by their key, and when each last changed something. A manager without a time never did. */
export type Managers = { readonly owned: Map<string, Owned>; readonly times: Map<string, string> }

export function noManagers(): Managers {
  return { owned: new Map(), times: new Map() }
}

/** One text for one manager; its order is the order in which conflicts name managers. */
export function managerKey(id: ManagerId): string {
  return JSON.stringify({
    ...(id.manager === '' ? {} : { manager: id.manager }),
    operation: id.operation,
    ...(id.apiVersion === '' ? {} : { apiVersion: id.apiVersion }),
    ...(id.subresource === '' ? {} : { subresource: id.subresource }),
  })
}

/** Reads `metadata.managedFields`; an `Error` where an entry cannot be read. */
export function decodeManagers(entries: Json | undefined): Managers | Error {
  const managers = noManagers()
  if (entries === undefined || entries === null) return managers
  if (!Array.isArray(entries)) return new Error('managedFields is not a list')
  for (const [i, entry] of entries.entries()) {
    if (!isObject(entry)) return new Error(`managed fields entry ${i} is not an object`)
    const { operation } = entry
    const apiVersion = text(entry.apiVersion)
    if (operation !== 'Apply' && operation !== 'Update') return new Error('operation must be `Apply` or `Update`')
    if (apiVersion === '') return new Error('apiVersion must not be empty')
    if (entry.fieldsType !== 'FieldsV1') return new Error(`invalid fieldsType in managed fields entry ${i}`)
    const id = { manager: text(entry.manager), operation, apiVersion: operation === 'Apply' ? '' : apiVersion, subresource: text(entry.subresource) } as const
    const key = managerKey(id)
    try {
      managers.owned.set(key, { id, apiVersion, set: FieldSet.fromFieldsV1(entry.fieldsV1 ?? {}) })
    } catch (error) {
      return error as Error
    }
    if (typeof entry.time === 'string') managers.times.set(key, entry.time)
  }
  return managers
}

function text(value: Json | undefined): string {
  return typeof value === 'string' ? value : ''
}

/** `metadata.managedFields` in the server's order: appliers first, then by time (none is first), name, version and subresource. */
export function encodeManagers(managers: Managers): JsonObject[] {
  const entries = [...managers.owned].map(([key, { id, apiVersion, set }]): JsonObject => {
    const time = managers.times.get(key)
    return {
      apiVersion,
      fieldsType: 'FieldsV1',
      fieldsV1: set.toFieldsV1(),
      manager: id.manager,
      operation: id.operation,
      ...(id.subresource === '' ? {} : { subresource: id.subresource }),
      ...(time === undefined ? {} : { time }),
    }
  })
  return entries.sort(
    (a, b) =>
      order(a.operation, b.operation) || seconds(a.time) - seconds(b.time) || order(a.manager, b.manager) || order(a.apiVersion, b.apiVersion) || order(a.subresource ?? '', b.subresource ?? ''),
  )
}

function order(a: Json | undefined, b: Json | undefined): number {
  return a === b ? 0 : (a as string) < (b as string) ? -1 : 1
}

function seconds(time: Json | undefined): number {
  if (typeof time !== 'string') return 0
  const parsed = Date.parse(time)
  return Number.isNaN(parsed) ? 0 : Math.floor(parsed / 1000)
}

export function withoutManagedFields(object: KubernetesObject): KubernetesObject {
  const { managedFields, ...metadata } = object.metadata ?? {}
  return managedFields === undefined ? object : { ...object, metadata }
}

export function withManagedFields(object: KubernetesObject, managers: Managers): KubernetesObject {
  const bare = withoutManagedFields(object)
  if (managers.owned.size === 0) return bare
  return { ...bare, metadata: { ...bare.metadata, managedFields: encodeManagers(managers) } }
}
