import { equalJson, isObject, type Json } from '#lib/json.ts'
import type { KubernetesObject } from '#playground/contract.ts'
import { withoutManagedFields } from './managers.ts'

/**
 * Takes back the times that moved where nothing else did, so that a write that defaults or admission undid is no write.
 * Entries are compared one by one in their order. Source: apiserver `handlers/fieldmanager/equality.go`.
 */
export function settleTimes(live: KubernetesObject | undefined, next: KubernetesObject): KubernetesObject {
  const before = live?.metadata.managedFields
  const after = next.metadata.managedFields
  if (live === undefined || !Array.isArray(before) || !Array.isArray(after) || after.length === 0 || before.length !== after.length) return next
  if (!before.every((entry, i) => equalJson(timeless(entry), timeless(after[i] as Json)))) return next
  if (!equalJson(withoutManagedFields(live), withoutManagedFields(next))) return next
  return { ...next, metadata: { ...next.metadata, managedFields: before } }
}

function timeless(entry: Json): Json {
  if (!isObject(entry)) return entry
  const { time: _, ...rest } = entry
  return rest
}
