import type { Json } from '#lib/json.ts'
import { isObject } from '#lib/json.ts'
import type { KubernetesObject } from '#playground/contract.ts'
import { FieldSet } from './field-set.ts'
import { decodeManagers, managerKey, type Managers, type Owned } from './managers.ts'
import { fieldElement, type PathElement } from './path-element.ts'

/**
 * Who owns what after a write to `/scale`: the scaler takes the replicas from everybody, with an entry that has no time. Where nobody owned them
 * before, nobody does after, as in the server: the scale that it hands to field management bears no managed fields then, so nothing is tracked.
 * Source: apimachinery `managedfields/scalehandler.go`.
 */
export function scaleOwnership(live: KubernetesObject, next: KubernetesObject, manager: string, replicas: readonly string[], versions: ReadonlySet<string>): Managers {
  const decoded = decodeManagers(live.metadata.managedFields)
  const before: Managers = decoded instanceof Error ? { owned: new Map(), times: new Map() } : decoded
  const path = replicas.map(fieldElement)
  const known = new Map([...before.owned].filter(([, owned]) => versions.has(owned.apiVersion)))
  const tracked = [...known.values()].some((owned) => owned.set.has(path))
  if (!tracked || valueAt(live, replicas) === valueAt(next, replicas)) return { owned: known, times: before.times }
  const id = { manager, operation: 'Update', apiVersion: next.apiVersion, subresource: 'scale' } as const
  const key = managerKey(id)
  const owned = new Map<string, Owned>()
  for (const [other, its] of known) {
    const rest = other === key ? its : released(its, path)
    if (!rest.set.empty) owned.set(other, rest)
  }
  if (!owned.has(key)) owned.set(key, { id, apiVersion: next.apiVersion, set: FieldSet.of(path) })
  return { owned, times: before.times }
}

function released(owned: Owned, path: readonly PathElement[]): Owned {
  return owned.set.has(path) ? { ...owned, set: owned.set.difference(FieldSet.of(path)) } : owned
}

function valueAt(object: Json, path: readonly string[]): Json | undefined {
  let value: Json | undefined = object
  for (const name of path) value = isObject(value) ? value[name] : undefined
  return value
}
