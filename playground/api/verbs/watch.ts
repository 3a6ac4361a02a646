import type { JsonObject } from '#lib/json.ts'
import type { KubernetesObject } from '#playground/contract.ts'
import { type Backend, inVersion } from '../backend.ts'
import { apiVersionOf, resourceOf, type Kind } from '../kinds.ts'
import { type Form, negotiate } from '../negotiation.ts'
import { deprecation, shape } from '../present.ts'
import { type Answer, type ApiRequest, type Sink, warningHeader } from '../request.ts'
import { fieldSelector, labelSelector, type Matches } from '../selectors.ts'
import { expired, internal, invalidOptions } from '../status.ts'
import type { Change } from '../storage.ts'
import type { Target, Verb } from './verb.ts'

const longestSeconds = 3600
const bookmarkEveryMs = 60_000
const bookmarkBeforeEndMs = 2000

type Event = { readonly type: string; readonly object: JsonObject }

/** A stream of what happens to a collection: from a version, or from what there is now. */
export const watchVerb: Verb = (backend, request, target) => {
  checkWatchOptions(request.query)
  const form = negotiate(request.headers.accept)
  const matches = both(labelSelector(request.query.get('labelSelector')), fieldSelector(request.query.get('fieldSelector'), target.kind))
  const version = startOf(request.query)
  const headers = { 'content-type': form.media, ...warningHeader(deprecation(target.kind)) }
  const stream = async (sink: Sink): Promise<void> => {
    const watch = new Watch(backend, request, target, form, matches, sink)
    await watch.run(version)
  }
  return { status: 200, headers, stream } satisfies Answer
}

function both(a: Matches, b: Matches): Matches {
  return (object) => a(object) && b(object)
}

/** `undefined`: begin with what there is. */
function startOf(query: URLSearchParams): number | undefined | 'now' {
  const text = query.get('resourceVersion') ?? ''
  const initial = query.get('sendInitialEvents')
  if (text === '' || text === '0') return initial === 'false' || initial === '0' ? 'now' : undefined
  if (!/^\d+$/.test(text)) {
    throw internal(`resourceVersion: Invalid value: ${JSON.stringify(text)}: strconv.ParseUint: parsing ${JSON.stringify(text)}: invalid syntax`)
  }
  return initial === 'true' || initial === '1' ? undefined : Number(text)
}

function checkWatchOptions(query: URLSearchParams): void {
  const match = query.get('resourceVersionMatch') ?? ''
  const causes = []
  const forbidden = (message: string): void => {
    causes.push({ reason: 'FieldValueForbidden', message: `Forbidden: ${message}`, field: 'resourceVersionMatch' })
  }
  if (query.get('sendInitialEvents') === null) {
    if (match !== '') forbidden('resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided')
  } else {
    if (match !== 'NotOlderThan') forbidden('sendInitialEvents requires setting resourceVersionMatch to NotOlderThan')
    if (match !== '' && match !== 'NotOlderThan') {
      causes.push({
        reason: 'FieldValueNotSupported',
        message: `Unsupported value: ${JSON.stringify(match)}: supported values: "NotOlderThan"`,
        field: 'resourceVersionMatch',
      })
    }
  }
  if (causes.length > 0) throw invalidOptions('ListOptions', causes)
}

class Watch {
  readonly #backend: Backend
  readonly #request: ApiRequest
  readonly #kind: Kind
  readonly #namespace: string
  readonly #form: Form
  readonly #matches: Matches
  readonly #sink: Sink
  readonly #failed = new AbortController()
  #columnsSent = false
  #seen: number
  #bookmarked: number

  constructor(backend: Backend, request: ApiRequest, target: Target, form: Form, matches: Matches, sink: Sink) {
    this.#backend = backend
    this.#request = request
    this.#kind = target.kind
    this.#namespace = target.namespace
    this.#form = form
    this.#matches = matches
    this.#sink = sink
    this.#seen = this.#bookmarked = backend.storage.version
  }

  async run(start: number | undefined | 'now'): Promise<void> {
    const { storage } = this.#backend
    const resource = resourceOf(this.#kind)
    if (typeof start === 'number' && start < storage.oldest) {
      return this.#send({ type: 'ERROR', object: expired(`too old resource version: ${start} (${storage.oldest + 1})`).status })
    }
    // Nothing that a crash could take back is told: an event waits for the disk, and so does the list that comes first. Promises of the journal settle in order.
    const tell = (change: Change): void => {
      if (change.resource !== resource || (typeof start === 'number' && change.version <= start)) return
      this.#onceDurable(() => this.#change(change))
    }
    if (start === undefined) {
      const [objects, version] = [storage.list(resource, this.#namespace === '' ? undefined : this.#namespace), storage.version]
      this.#onceDurable(() => this.#initial(objects, version))
    }
    if (typeof start === 'number') for (const change of storage.since(start, resource)) tell(change)
    const stop = storage.subscribe(tell)
    try {
      await this.#untilEnd()
    } finally {
      stop()
    }
  }

  /** Where the disk fails nothing more can be told: the watch ends, and who lists again hears of it. */
  #onceDurable(tell: () => void): void {
    this.#backend.storage.durable().then(tell, () => this.#failed.abort(new Error('what is to be told cannot be kept')))
  }

  #initial(objects: readonly KubernetesObject[], version: number): void {
    for (const object of objects) if (this.#matches(object)) this.#sendObject('ADDED', object)
    const initial = this.#request.query.get('sendInitialEvents')
    if ((initial === 'true' || initial === '1') && this.#bookmarks()) {
      this.#sendBookmark(version, { annotations: { 'k8s.io/initial-events-end': 'true' } })
    }
  }

  #bookmarks(): boolean {
    const asked = this.#request.query.get('allowWatchBookmarks')
    return asked === 'true' || asked === '1'
  }

  /** With a selector, coming into it is ADDED, and leaving it is DELETED with the old content at the new version. */
  #change(change: Change): void {
    this.#seen = Math.max(this.#seen, change.version)
    if (this.#namespace !== '' && change.object.metadata.namespace !== this.#namespace) return
    const { previous, object } = change
    const was = previous !== undefined && this.#matches(previous)
    const is = change.type !== 'DELETED' && this.#matches(object)
    if (was && is) this.#sendObject('MODIFIED', object)
    else if (is) this.#sendObject('ADDED', object)
    else if (was) this.#sendObject('DELETED', { ...previous, metadata: { ...previous.metadata, resourceVersion: String(change.version) } })
  }

  async #untilEnd(): Promise<void> {
    const { clock } = this.#backend
    const asked = Number(this.#request.query.get('timeoutSeconds') ?? 0)
    const milliseconds = Math.min(Number.isFinite(asked) && asked > 0 ? asked : longestSeconds, longestSeconds) * 1000
    const end = clock.now() + milliseconds
    const over = AbortSignal.any([this.#sink.signal, this.#failed.signal])
    const wait = async (ms: number): Promise<boolean> =>
      clock.sleep(Math.max(ms, 0), over).then(
        () => true,
        () => false,
      )
    if (this.#bookmarks()) {
      for (;;) {
        const left = end - clock.now() - bookmarkBeforeEndMs
        if (left <= 0) break
        if (!(await wait(Math.min(left, bookmarkEveryMs)))) return
        if (this.#seen > this.#bookmarked) this.#sendBookmark(this.#seen, {})
      }
    }
    await wait(end - clock.now())
  }

  #sendBookmark(version: number, metadata: JsonObject): void {
    this.#bookmarked = version
    const object = { apiVersion: apiVersionOf(this.#kind), kind: this.#kind.kind, metadata: { resourceVersion: String(version), ...metadata } } as KubernetesObject
    if (this.#kind.custom) return this.#send({ type: 'BOOKMARK', object: this.#form.as === 'table' ? this.#shaped(object) : object })
    const created = { ...object, metadata: { ...object.metadata, creationTimestamp: null } }
    this.#send({ type: 'BOOKMARK', object: this.#form.as === 'object' ? created : this.#shaped(object) })
  }

  #sendObject(type: string, object: KubernetesObject): void {
    this.#send({ type, object: this.#shaped(inVersion(object, this.#kind)) })
  }

  #shaped(object: KubernetesObject): JsonObject {
    const shaped = shape(object, this.#kind, this.#form, this.#request, this.#backend.clock.now())
    if (this.#form.as !== 'table') return shaped
    const told = this.#columnsSent
    this.#columnsSent = true
    return told ? { ...shaped, columnDefinitions: null } : shaped
  }

  #send(event: Event): void {
    this.#sink.write(`${JSON.stringify(event)}\n`)
  }
}

