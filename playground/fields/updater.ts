import { equalJson, type JsonObject } from '#lib/json.ts'
import type { Schema } from '#playground/contract.ts'
import { compare, type Comparison } from './compare.ts'
import { FieldSet } from './field-set.ts'
import type { ManagerId, Owned } from './managers.ts'
import { managerKey } from './managers.ts'
import { merge } from './merge.ts'
import { reconcileWithSchema } from './reconcile-with-schema.ts'
import { removeFields, withDeclaredParents } from './remove-fields.ts'
import { toFieldSet } from './to-field-set.ts'

/** The version that a write is made in, every version that is served, and the fields that this write never sets. */
export type Versions = { readonly current: string; readonly schemas: ReadonlyMap<string, Schema>; readonly reset: FieldSet }

export type OwnedFields = ReadonlyMap<string, Owned>

/** What others own of what is changed, by manager. */
export type Conflicts = ReadonlyMap<string, FieldSet>

export function schemaOf(versions: Versions, apiVersion: string): Schema | undefined {
  return versions.schemas.get(apiVersion)
}

/**
 * Lays `config` over `live` and takes away what its manager no longer names and nobody else owns.
 * Returns who owns what then, and the object, or `undefined` instead of it where its content is as it was.
 * Source of the algorithm: structured-merge-diff `merge/update.go`.
 */
export function applyConfig(
  live: JsonObject,
  config: JsonObject,
  versions: Versions,
  managers: OwnedFields,
  id: ManagerId,
  force: boolean,
): { readonly object: JsonObject | undefined; readonly managers: Map<string, Owned> } | { readonly conflicts: Conflicts } {
  const schema = schemaOf(versions, versions.current) as Schema
  const key = managerKey(id)
  const all = reconciled(live, managers, versions)
  const last = all.get(key)
  all.set(key, { id, apiVersion: versions.current, set: toFieldSet(config, schema).recursiveDifference(versions.reset) })
  const object = prune(merge(live, config, schema), all, last, versions)
  const result = rearrange(live, object, versions, all, key)
  if (!force && result.conflicts.size > 0) return { conflicts: result.conflicts }
  return { object: equalJson(live, object) ? undefined : object, managers: result.managers }
}

/** Who owns what after a write that is no apply. `key` gets what changed, and everybody else loses it. */
export function updateOwners(live: JsonObject, next: JsonObject, versions: Versions, managers: OwnedFields, key: string, id: ManagerId): Map<string, Owned> {
  const result = rearrange(live, next, versions, reconciled(live, managers, versions), key)
  const { comparison } = result
  const before = result.managers.get(key)?.set ?? new FieldSet()
  const set = before.difference(comparison.removed).union(comparison.modified).union(comparison.added).recursiveDifference(versions.reset)
  if (set.empty) result.managers.delete(key)
  else result.managers.set(key, { id, apiVersion: versions.current, set })
  return result.managers
}

/** Takes what changed from everybody but `self`, and says what that was: the conflicts of whoever may not. Managers of versions that are gone are gone too. */
function rearrange(
  live: JsonObject,
  next: JsonObject,
  versions: Versions,
  managers: OwnedFields,
  self: string,
): { readonly managers: Map<string, Owned>; readonly comparison: Comparison; readonly conflicts: Conflicts } {
  const comparison = compare(live, next, schemaOf(versions, versions.current) as Schema)
  const comparisons = new Map([[versions.current, without(comparison, versions.reset)]])
  const conflicts = new Map<string, FieldSet>()
  const rest = new Map<string, Owned>()
  for (const [key, owned] of managers) {
    if (key === self) {
      rest.set(key, owned)
      continue
    }
    let there = comparisons.get(owned.apiVersion)
    if (there === undefined) {
      const schema = schemaOf(versions, owned.apiVersion)
      if (schema === undefined) continue
      there = without(compare(live, next, schema), versions.reset)
      comparisons.set(owned.apiVersion, there)
    }
    const conflict = owned.set.intersection(there.modified.union(there.added))
    if (!conflict.empty) conflicts.set(key, conflict)
    const set = owned.set.difference(conflict).difference(there.removed)
    if (!set.empty) rest.set(key, { ...owned, set })
  }
  if (rest.get(self)?.set.empty === true) rest.delete(self)
  return { managers: rest, comparison, conflicts }
}

function without(comparison: Comparison, reset: FieldSet): Comparison {
  if (reset.empty) return comparison
  return {
    added: comparison.added.recursiveDifference(reset),
    modified: comparison.modified.recursiveDifference(reset),
    removed: comparison.removed.recursiveDifference(reset),
  }
}

/**
 * Removes what the manager applied last time, then adds back, in this order, what anybody owns now, and what was not the manager's after all
 * (fields of nobody, inside what it owned).
 */
function prune(merged: JsonObject, managers: OwnedFields, last: Owned | undefined, versions: Versions): JsonObject {
  const schema = last === undefined ? undefined : schemaOf(versions, last.apiVersion)
  if (last === undefined || last.set.empty || schema === undefined) return merged
  const lastFields = withDeclaredParents(last.set, schema)
  let pruned = removeFields(merged, lastFields, schema)
  const byVersion = new Map<string, FieldSet>([[last.apiVersion, new FieldSet()]])
  for (const { apiVersion, set } of managers.values()) byVersion.set(apiVersion, (byVersion.get(apiVersion) ?? new FieldSet()).union(set))
  for (const [version, owned] of byVersion) {
    const its = schemaOf(versions, version)
    if (its === undefined || owned.empty) continue
    const kept = fieldsOf(pruned, its).union(withDeclaredParents(owned, its))
    pruned = removeFields(merged, fieldsOf(merged, its).difference(kept), its)
  }
  const gone = fieldsOf(merged, schema).difference(fieldsOf(pruned, schema)).intersection(lastFields)
  return removeFields(merged, gone, schema)
}

function fieldsOf(object: JsonObject, schema: Schema): FieldSet {
  return withDeclaredParents(toFieldSet(object, schema), schema)
}

/** Field sets as the schemas of today see them: what became atomic is owned whole. */
function reconciled(live: JsonObject, managers: OwnedFields, versions: Versions): Map<string, Owned> {
  const all = new Map<string, Owned>()
  for (const [key, owned] of managers) {
    const schema = schemaOf(versions, owned.apiVersion)
    if (schema !== undefined) all.set(key, { ...owned, set: reconcileWithSchema(owned.set, schema) })
  }
  return all
}
