import type { KubernetesWatchEvent, ServedKind } from '#clients/kubernetes/client.ts'
import { asFailure } from '#lib/failure.ts'
import { isObject, type JsonObject } from '#lib/json.ts'
import { parseKey, type ObjectKey } from '#model/resource.ts'
import type { Readiness } from '../driver.ts'
import type { Call } from './call.ts'
import { merge } from './merge.ts'
import { nameOf } from './observed.ts'
import { Pods, workloads } from './pods.ts'
import { isSettled, look } from './readiness.ts'
import { servedKinds } from './served.ts'

export type Followed = { readonly key: ObjectKey; readonly uid: string; readonly generation?: number }

/**
 * Follows objects until each is ready, failed or gone: one LIST for each kind and namespace, and then watches, of those kinds in which something is still
 * pending. Yields each change. What is `unknown` or `terminating` is followed on. Ends quietly with the signal.
 */
export async function* ready(call: Call, objects: readonly Followed[]): AsyncGenerator<Readiness> {
  const serving = await servedKinds(call, objects.map((one) => one.key), [])
  const groups = new Map<string, { kind: ServedKind; namespace: string; objects: Followed[] }>()
  for (const one of objects) {
    const served = serving.get(one.key)
    if (served?.state !== 'served') {
      const message = served?.state === 'unknown' ? served.failure.message : 'its kind is not served'
      yield { key: one.key, state: served?.state === 'not-served' ? 'gone' : 'unknown', message }
      continue
    }
    const { namespace } = parseKey(one.key)
    const name = `${served.kind.group}/${served.kind.kind}/${namespace}`
    const group = groups.get(name) ?? { kind: served.kind, namespace, objects: [] }
    group.objects.push(one)
    groups.set(name, group)
  }
  // A watch that waits for its next event is ended by this, not by leaving its generator.
  const over = new AbortController()
  const inner = { ...call, signal: AbortSignal.any([call.signal, over.signal]) }
  try {
    yield* merge([...groups.values()].map((group) => new Group(inner, group.kind, group.namespace, group.objects).follow()))
  } finally {
    over.abort()
  }
}

type Pending = Followed & { told?: string; object?: JsonObject }
type Event = { readonly of: 'object' | 'pod'; readonly event: KubernetesWatchEvent }

/** The objects of one kind in one namespace. */
class Group {
  readonly #call: Call
  readonly #kind: ServedKind
  readonly #namespace: string
  readonly #pending: Map<string, Pending>
  readonly #pods: Pods | undefined
  /** The names that were seen since the last RELIST, until its end tells who is gone. */
  #listed: Set<string> | undefined

  constructor(call: Call, kind: ServedKind, namespace: string, objects: readonly Followed[]) {
    this.#call = call
    this.#kind = kind
    this.#namespace = namespace
    this.#pending = new Map(objects.map((one) => [parseKey(one.key).name, { ...one }]))
    this.#pods = workloads.has(`${kind.group}/${kind.kind}`) ? new Pods(call, namespace) : undefined
  }

  async *follow(): AsyncGenerator<Readiness> {
    const over = new AbortController()
    const signal = AbortSignal.any([this.#call.signal, over.signal])
    try {
      const version = yield* this.#first()
      if (this.#pending.size === 0) return
      for await (const { of, event } of merge(this.#sources(version, signal))) {
        yield* of === 'object' ? this.#see(event) : this.#seePod(event)
        if (this.#pending.size === 0) return
      }
    } catch (error) {
      if (this.#call.signal.aborted) return
      // A watch ends like this only for what no waiting mends.
      const failure = asFailure(error, this.#kind.plural)
      for (const pending of this.#pending.values()) yield* this.#tell(pending, { key: pending.key, state: 'unknown', message: failure.message })
    } finally {
      over.abort()
    }
  }

  /** How things stand. A place that cannot be asked leaves them unknown, and the watch goes on asking. */
  async *#first(): AsyncGenerator<Readiness, string | undefined> {
    try {
      const list = await this.#call.clients.kubernetes.list(this.#kind, this.#within(), this.#selector(), this.#call.signal)
      const names = new Set<string>()
      for (const object of list.items) {
        names.add(nameOf(object))
        yield* this.#look(object)
      }
      yield* this.#tellGone(names)
      return list.version
    } catch (error) {
      if (this.#call.signal.aborted) throw error
      const failure = asFailure(error, this.#kind.plural)
      for (const pending of this.#pending.values()) yield* this.#tell(pending, { key: pending.key, state: 'unknown', message: failure.message })
      return undefined
    }
  }

  #sources(version: string | undefined, signal: AbortSignal): AsyncIterable<Event>[] {
    const objects = tagged('object', this.#call.clients.kubernetes.watch(this.#kind, this.#within(), this.#selector(), version, signal))
    return this.#pods === undefined ? [objects] : [objects, this.#podEvents(signal)]
  }

  async *#podEvents(signal: AbortSignal): AsyncGenerator<Event> {
    const client = this.#call.clients.kubernetes
    try {
      const kind = await client.kind('v1', 'Pod', signal)
      if (kind !== undefined) yield* tagged('pod', client.watch(kind, this.#namespace, {}, undefined, signal))
    } catch {
      // Pods only explain: an account that may not read them is told less.
    }
  }

  async *#see(event: KubernetesWatchEvent): AsyncGenerator<Readiness> {
    if (event.type === 'RELIST') this.#listed = new Set()
    else if (event.type === 'BOOKMARK') {
      if (this.#listed !== undefined) yield* this.#tellGone(this.#listed)
      this.#listed = undefined
    } else if (event.type === 'DELETED') {
      const pending = this.#pending.get(nameOf(event.object))
      if (pending !== undefined && uidOf(event.object) === pending.uid) yield* this.#tell(pending, { key: pending.key, state: 'gone', message: 'it was deleted' })
    } else if ('object' in event) {
      this.#listed?.add(nameOf(event.object))
      yield* this.#look(event.object)
    }
  }

  async *#seePod(event: KubernetesWatchEvent): AsyncGenerator<Readiness> {
    this.#pods?.see(event)
    for (const pending of this.#pending.values()) if (pending.object !== undefined) yield* this.#look(pending.object)
  }

  async *#look(object: JsonObject): AsyncGenerator<Readiness> {
    const pending = this.#pending.get(nameOf(object))
    if (pending === undefined) return
    const { key } = pending
    if (uidOf(object) !== pending.uid) return yield* this.#tell(pending, { key, state: 'gone', message: 'it was deleted, and made again by somebody' })
    pending.object = object
    const metadata = isObject(object['metadata']) ? object['metadata'] : {}
    if (metadata['deletionTimestamp'] !== undefined) {
      const finalizers = Array.isArray(metadata['finalizers']) ? metadata['finalizers'].join(', ') : ''
      return yield* this.#tell(pending, { key, state: 'terminating', message: finalizers === '' ? 'it is being deleted' : `it is being deleted, and waits for ${finalizers}` })
    }
    const { state, message } = look(key, object, pending.generation)
    if (state === 'failed') await this.#pods?.load()
    const trouble = state === 'ready' ? undefined : await this.#pods?.troubleOf(key, object)
    yield* this.#tell(pending, { key, state, message: trouble === undefined ? message : `${message}; ${trouble}` })
  }

  *#tellGone(present: ReadonlySet<string>): Generator<Readiness> {
    for (const [name, pending] of this.#pending) if (!present.has(name)) yield* this.#tell(pending, { key: pending.key, state: 'gone', message: 'it does not exist any more' })
  }

  *#tell(pending: Pending, readiness: Readiness): Generator<Readiness> {
    if (isSettled(readiness.state)) this.#pending.delete(parseKey(pending.key).name)
    const told = `${readiness.state} ${readiness.message}`
    if (pending.told === told) return
    pending.told = told
    yield readiness
  }

  #within(): string | undefined {
    return this.#kind.namespaced ? this.#namespace : undefined
  }

  /** One object alone is asked for by its name. */
  #selector(): { fields?: string } {
    const [only, ...others] = this.#pending.keys()
    return only === undefined || others.length > 0 ? {} : { fields: `metadata.name=${only}` }
  }
}

async function* tagged(of: Event['of'], events: AsyncIterable<KubernetesWatchEvent>): AsyncGenerator<Event> {
  for await (const event of events) yield { of, event }
}

function uidOf(object: JsonObject): unknown {
  return isObject(object['metadata']) ? object['metadata']['uid'] : undefined
}
