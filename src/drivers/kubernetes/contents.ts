import type { ServedKind } from '#clients/kubernetes/client.ts'
import { asFailure } from '#lib/failure.ts'
import { isObject, type JsonObject } from '#lib/json.ts'
import { holdsState } from '#model/holds-state.ts'
import type { Observation } from '#model/plan.ts'
import { keyOf, parseKey, showKey, type ObjectKey } from '#model/resource.ts'
import type { Call } from './call.ts'
import { nameOf } from './observed.ts'

/** What every namespace gets by itself, and what only tells of others. */
const madeByItself = new Set(['core/Event', 'events.k8s.io/Event', 'core/Endpoints', 'discovery.k8s.io/EndpointSlice', 'core/ServiceAccount default', 'core/ConfigMap kube-root-ca.crt'])

type Contents = { readonly contents: number; readonly holdsData?: readonly ObjectKey[] }

/**
 * Counts what lives in each namespace and definition that is held but no longer wanted, and names what of it holds data: deleting it would delete that
 * too. Not counted is not known.
 */
export async function countContents(call: Call, seen: ReadonlyMap<ObjectKey, Observation>, wanted: ReadonlySet<ObjectKey>): Promise<Map<ObjectKey, Observation>> {
  const result = new Map(seen)
  for (const one of seen.values()) {
    if (one.state !== 'present' || wanted.has(one.key)) continue
    const { group, kind, name } = parseKey(one.key)
    const counting = group === '' && kind === 'Namespace' ? inNamespace(call, name) : group === 'apiextensions.k8s.io' && kind === 'CustomResourceDefinition' ? ofDefinition(call, one.body) : undefined
    if (counting === undefined) continue
    try {
      result.set(one.key, { ...one, ...(await counting) })
    } catch (error) {
      call.signal.throwIfAborted()
      result.set(one.key, { key: one.key, state: 'unknown', failure: asFailure(error, `the contents of ${showKey(one.key)}`).toJSON() })
    }
  }
  return result
}

async function inNamespace(call: Call, namespace: string): Promise<Contents> {
  return contentsOf((await listNamespace(call, namespace)).map(({ kind, item }) => seen(kind, item)))
}

/** All that lives in a namespace, in the version that the server prefers, but for what it has by itself. A list that fails fails the whole. */
export async function listNamespace(call: Call, namespace: string): Promise<{ readonly kind: ServedKind; readonly item: JsonObject }[]> {
  const client = call.clients.kubernetes
  const first = new Map((await client.kinds(call.signal)).filter((kind) => kind.namespaced && kind.verbs.includes('list') && kind.verbs.includes('delete')).toReversed().map((kind) => [`${kind.group === '' ? 'core' : kind.group}/${kind.kind}`, kind]))
  const found = await Promise.all(
    [...first].map(async ([name, kind]) => {
      if (madeByItself.has(name)) return []
      const { items } = await client.list(kind, namespace, {}, call.signal)
      return items.filter((item) => !madeByItself.has(`${name} ${nameOf(item)}`)).map((item) => ({ kind, item }))
    }),
  )
  return found.flat()
}

async function ofDefinition(call: Call, definition: JsonObject): Promise<Contents> {
  const spec = isObject(definition['spec']) ? definition['spec'] : {}
  const kind = isObject(spec['names']) ? String(spec['names']['kind']) : ''
  const served = await call.clients.kubernetes.preferredKind(String(spec['group']), kind, call.signal)
  // Defined but not served: its objects, if there are any, cannot be counted.
  if (served === undefined) throw new Error(`${kind} is not served just now, so that its objects cannot be counted`)
  return contentsOf((await call.clients.kubernetes.list(served, undefined, {}, call.signal)).items.map((item) => seen(served, item)))
}

type Seen = { readonly key: ObjectKey; readonly holdsState: boolean }

function seen({ group, kind, namespaced }: ServedKind, item: JsonObject): Seen {
  const metadata = isObject(item['metadata']) ? item['metadata'] : {}
  const key = keyOf({ group, kind, namespace: namespaced ? String(metadata['namespace']) : '', name: nameOf(item) })
  return { key, holdsState: holdsState(key, item) }
}

function contentsOf(all: readonly Seen[]): Contents {
  const holdsData = all.flatMap((one) => (one.holdsState ? [one.key] : [])).sort()
  return { contents: all.length, ...(holdsData.length === 0 ? {} : { holdsData }) }
}
