import { isObject, type JsonObject } from '#lib/json.ts'
import type { Observation } from '#model/plan.ts'
import { keyOf, type ObjectKey } from '#model/resource.ts'
import type { Call } from './call.ts'
import { listNamespace } from './contents.ts'
import { withDelegated } from './delegated.ts'
import { nameOf, observed } from './observed.ts'

/** Leases are held, and not declared. */
const passing = new Set(['coordination.k8s.io/Lease'])

/** Everything that lives in a namespace, by key. */
export async function survey(call: Call, namespace: string): Promise<Observation[]> {
  const seen = new Map<ObjectKey, Observation>()
  for (const { kind, item } of await listNamespace(call, namespace)) {
    const { group } = kind
    if (passing.has(`${group}/${kind.kind}`)) continue
    const key = keyOf({ group, kind: kind.kind, namespace, name: nameOf(item) })
    seen.set(key, observed(key, group === '' && kind.kind === 'Secret' ? withoutValues(item) : item, call.secretDigest))
  }
  return [...(await withDelegated(call, seen)).values()].sort((a, b) => (a.key < b.key ? -1 : 1))
}

/** The last applied configuration, an annotation, holds the values once more. */
function withoutValues({ apiVersion, kind, metadata, type }: JsonObject): JsonObject {
  const { annotations: _, ...named } = isObject(metadata) ? metadata : {}
  return { apiVersion: apiVersion ?? null, kind: kind ?? null, metadata: named, type: type ?? null }
}
