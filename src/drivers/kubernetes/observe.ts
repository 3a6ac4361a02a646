import type { ServedKind } from '#clients/kubernetes/client.ts'
import { asFailure, Failure } from '#lib/failure.ts'
import type { JsonObject } from '#lib/json.ts'
import type { Observation } from '#model/plan.ts'
import { parseKey, showKey, type Desired, type ObjectKey } from '#model/resource.ts'
import type { Call } from './call.ts'
import { countContents } from './contents.ts'
import { withDelegated } from './delegated.ts'
import { nameOf, observed } from './observed.ts'
import { servedKinds } from './served.ts'

/** From so many objects of a kind in a namespace on, a LIST costs the server less than the GETs (measured.md: 1 ms a GET, 0.12 ms an object of a LIST). */
const listFrom = 10

type Read = { readonly state: 'present'; readonly object: JsonObject } | { readonly state: 'absent' } | { readonly state: 'failed'; readonly failure: Failure }

/** Sees what is wanted or held. What cannot be read is `unknown`, object by object; only the signal's end is thrown. */
export async function observe(call: Call, keys: readonly ObjectKey[], desired: readonly Desired[]): Promise<Observation[]> {
  const wanted = new Set(desired.map((one) => one.key))
  const seen = await see(call, keys, desired, wanted)
  // A path that is not there tells that a kind is no longer served as discovery had it: what is true is found by asking again, once.
  const moved = keys.filter((key) => isPathless(seen.get(key)))
  if (moved.length > 0) for (const [key, again] of await see(call, moved, desired, wanted)) seen.set(key, again)
  const delegated = await withDelegated(call, seen)
  const counted = await countContents(call, delegated, wanted)
  return keys.map((key) => counted.get(key) ?? { key, state: 'unknown', failure: asFailure(new Error('it was not read'), showKey(key)).toJSON() })
}

async function see(call: Call, keys: readonly ObjectKey[], desired: readonly Desired[], wanted: ReadonlySet<ObjectKey>): Promise<Map<ObjectKey, Observation>> {
  const serving = await servedKinds(call, keys, desired)
  const seen = new Map<ObjectKey, Observation>()
  const buckets = new Map<string, { kind: ServedKind; namespace: string; keys: ObjectKey[] }>()
  for (const key of new Set(keys)) {
    const served = serving.get(key)
    if (served?.state === 'served') {
      const { namespace } = parseKey(key)
      const name = `${served.kind.group}/${served.kind.version}/${served.kind.kind}/${namespace}`
      const bucket = buckets.get(name) ?? { kind: served.kind, namespace, keys: [] }
      bucket.keys.push(key)
      buckets.set(name, bucket)
    } else if (served?.state === 'not-served') seen.set(key, wanted.has(key) ? { key, state: 'deferred', reason: served.reason } : { key, state: 'absent' })
    else if (served !== undefined) seen.set(key, { key, state: 'unknown', failure: served.failure })
  }
  await Promise.all(
    [...buckets.values()].map(async ({ kind, namespace, keys: bucket }) => {
      const reads = await readAll(call, kind, namespace, bucket)
      for (const [key, read] of reads) seen.set(key, observationOf(call, key, read))
    }),
  )
  call.signal.throwIfAborted()
  return seen
}

function isPathless(one: Observation | undefined): boolean {
  return one?.state === 'unknown' && one.failure.code === 'kubernetes-not-found' && one.failure.fields?.['object'] === undefined
}

/** One object, afresh. */
export async function observeOne(call: Call, kind: ServedKind, key: ObjectKey): Promise<Observation> {
  return observationOf(call, key, await readOne(call, kind, key))
}

function observationOf(call: Call, key: ObjectKey, read: Read): Observation {
  if (read.state === 'present') return observed(key, read.object, call.secretDigest)
  return read.state === 'absent' ? { key, state: 'absent' } : { key, state: 'unknown', failure: read.failure.toJSON() }
}

async function readAll(call: Call, kind: ServedKind, namespace: string, keys: readonly ObjectKey[]): Promise<[ObjectKey, Read][]> {
  // A LIST of Secrets would bring those of everybody else into memory too.
  const listed = keys.length < listFrom || (kind.group === '' && kind.kind === 'Secret') ? undefined : await readList(call, kind, namespace)
  if (listed === undefined) return Promise.all(keys.map(async (key): Promise<[ObjectKey, Read]> => [key, await readOne(call, kind, key)]))
  return keys.map((key) => {
    const object = listed.get(parseKey(key).name)
    return [key, object === undefined ? { state: 'absent' } : { state: 'present', object }]
  })
}

/** Undefined where the LIST failed: each GET then says for itself what it may know. */
async function readList(call: Call, kind: ServedKind, namespace: string): Promise<Map<string, JsonObject> | undefined> {
  try {
    const { items } = await call.clients.kubernetes.list(kind, kind.namespaced ? namespace : undefined, {}, call.signal)
    return new Map(items.map((item) => [nameOf(item), item]))
  } catch (error) {
    call.signal.throwIfAborted()
    if (error instanceof Failure) return undefined
    throw error
  }
}

async function readOne(call: Call, kind: ServedKind, key: ObjectKey): Promise<Read> {
  const { namespace, name } = parseKey(key)
  try {
    const object = await call.clients.kubernetes.get(kind, namespace, name, call.signal)
    return object === undefined ? { state: 'absent' } : { state: 'present', object }
  } catch (error) {
    call.signal.throwIfAborted()
    return { state: 'failed', failure: asFailure(error, showKey(key)) }
  }
}
