import type { ServedKind } from '#clients/kubernetes/client.ts'
import { Failure } from '#lib/failure.ts'
import { isObject, type JsonObject } from '#lib/json.ts'
import { keyOf, parseKey, type ObjectKey } from '#model/resource.ts'
import type { Call } from './call.ts'
import { merge } from './merge.ts'
import { moduleLabel } from './names.ts'
import { nameOf } from './observed.ts'

/** A kind that is not served yet is asked for again after this long: its definition may come. */
const askAgainMs = 30_000

/**
 * Yields the key of every object with a module's label that something happens to, in all namespaces: those that exist at first, and again after a relist, with
 * those that went away in between. `kinds` are keys of which only group and kind count. An object may come more than once.
 */
export async function* watch(call: Call, kinds: readonly ObjectKey[]): AsyncGenerator<ObjectKey> {
  const names = new Map(kinds.map((key) => [`${parseKey(key).group}/${parseKey(key).kind}`, parseKey(key)]))
  const over = new AbortController()
  const inner = { ...call, signal: AbortSignal.any([call.signal, over.signal]) }
  try {
    yield* merge([...names.values()].map(({ group, kind }) => watchKind(inner, group, kind)))
  } finally {
    over.abort()
  }
}

async function* watchKind(call: Call, group: string, kind: string): AsyncGenerator<ObjectKey> {
  let known = new Set<ObjectKey>()
  for (;;) {
    const served = await waitForKind(call, group, kind)
    if (served === undefined) return
    try {
      yield* watchServed(call, served, known)
      return
    } catch (error) {
      // Its definition went away, and its objects with it. It may come back.
      if (!(error instanceof Failure && error.code === 'kubernetes-not-found')) throw error
      yield* known
      known = new Set()
      await call.clock.sleep(askAgainMs, call.signal).catch(() => {})
    }
  }
}

/** `known` holds, at any time, what is there. */
async function* watchServed(call: Call, served: ServedKind, known: Set<ObjectKey>): AsyncGenerator<ObjectKey> {
  let before: ReadonlySet<ObjectKey> | undefined
  for await (const event of call.clients.kubernetes.watch(served, undefined, { labels: moduleLabel }, undefined, call.signal)) {
    if (event.type === 'RELIST') {
      before = new Set(known)
      known.clear()
    } else if (event.type === 'BOOKMARK') {
      // A relist does not tell who went away since: the comparison does.
      for (const key of before ?? []) if (!known.has(key)) yield key
      before = undefined
    } else {
      const key = keyOfObject(served, event.object)
      if (event.type === 'DELETED') known.delete(key)
      else known.add(key)
      yield key
    }
  }
}

async function waitForKind(call: Call, group: string, kind: string): Promise<ServedKind | undefined> {
  while (!call.signal.aborted) {
    const served = await call.clients.kubernetes.preferredKind(group, kind, call.signal)
    if (served !== undefined) return served
    await call.clock.sleep(askAgainMs, call.signal).catch(() => {})
  }
  return undefined
}

function keyOfObject(kind: ServedKind, object: JsonObject): ObjectKey {
  const metadata = isObject(object['metadata']) ? object['metadata'] : {}
  return keyOf({ group: kind.group, kind: kind.kind, namespace: String(metadata['namespace'] ?? ''), name: nameOf(object) })
}
