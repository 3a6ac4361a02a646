import type { ServedKind } from '#clients/kubernetes/client.ts'
import { asFailure, Failure } from '#lib/failure.ts'
import { isObject, type JsonObject } from '#lib/json.ts'
import { keyOf, parseKey, type ObjectKey } from '#model/resource.ts'
import { moduleLabel } from '#model/module-label.ts'
import type { Sighting, WatchedKind } from '../driver.ts'
import type { Call } from './call.ts'
import { nameOf } from './observed.ts'
import { withDigests } from './secret-values.ts'

/** A kind that is not served yet is asked for again after this long: its definition may come. */
const askAgainMs = 30_000
const soonMs = 2_000

/**
 * Tells what happens to the objects of one kind that bear a module's label, or to all of them, in all namespaces: first all that there are, and so again after every relist.
 * An object that loses its label is told as gone. What cannot be asked is told as lost, and asked again; what no waiting mends is thrown.
 */
export async function* watch(call: Call, kind: WatchedKind): AsyncGenerator<Sighting> {
  let isLost = false
  while (!call.signal.aborted) {
    const serving = await servedAs(call, kind)
    if ('kind' in serving) {
      if (isLost) yield { state: 'found' }
      return yield* follow(call, serving.kind, kind.whose === undefined ? { labels: moduleLabel } : {})
    }
    if (call.signal.aborted || (kind.whose === 'everybody' && serving.code === 'kubernetes-not-found')) return
    isLost = true
    yield { state: 'lost', failure: serving }
    await call.clock.sleep(serving.code === 'kubernetes-not-found' ? askAgainMs : soonMs, call.signal).catch(() => {})
  }
}

async function* follow(call: Call, served: ServedKind, selector: { readonly labels?: string }): AsyncGenerator<Sighting> {
  for await (const event of call.clients.kubernetes.watch(served, undefined, selector, undefined, call.signal)) {
    if (event.type === 'RELIST') yield { state: 'listing' }
    else if (event.type === 'BOOKMARK') yield { state: 'listed' }
    else if (event.type === 'LOST') yield { state: 'lost', failure: event.failure }
    else if (event.type === 'FOUND') yield { state: 'found' }
    else yield event.type === 'DELETED' ? { state: 'gone', key: keyIn(served, event.object) } : seen(call, served, event.object)
  }
}

function seen(call: Call, served: ServedKind, object: JsonObject): Sighting {
  const { managedFields: _fields, ...metadata } = isObject(object['metadata']) ? object['metadata'] : {}
  const isLeaving = typeof metadata['deletionTimestamp'] === 'string'
  return { state: 'seen', key: keyIn(served, object), uid: String(metadata['uid'] ?? ''), body: withDigests({ ...object, metadata }, call.secretDigest), ...(isLeaving ? { terminating: true } : {}) }
}

/** The kind, in the version that was declared where that is served still; or why it cannot be watched now. Throws what no waiting mends. */
async function servedAs(call: Call, { kind: key, apiVersion }: WatchedKind): Promise<{ readonly kind: ServedKind } | Failure> {
  const { group, kind } = parseKey(key)
  const client = call.clients.kubernetes
  try {
    const declared = apiVersion === undefined ? undefined : await client.kind(apiVersion, kind, call.signal)
    const served = declared ?? (await client.preferredKind(group, kind, call.signal))
    if (served !== undefined) return { kind: served }
    return new Failure({ code: 'kubernetes-not-found', subject: kind, message: `${kind}${group === '' ? '' : `.${group}`} is not served`, hint: 'Its definition may be gone: kubectl get crd', retry: 'later' })
  } catch (error) {
    const failure = asFailure(error, kind)
    if (failure.retry === 'never' && !call.signal.aborted) throw failure
    return failure
  }
}

function keyIn(kind: ServedKind, object: JsonObject): ObjectKey {
  const metadata = isObject(object['metadata']) ? object['metadata'] : {}
  return keyOf({ group: kind.group, kind: kind.kind, namespace: String(metadata['namespace'] ?? ''), name: nameOf(object) })
}
