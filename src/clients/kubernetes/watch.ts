import type { Clock } from '#lib/clock.ts'
import { asFailure, Failure } from '#lib/failure.ts'
import { isObject, type JsonObject } from '#lib/json.ts'
import type { KubernetesWatchEvent, ServedKind } from './client.ts'
import { isSecret, listPages, named, type Selector } from './list.ts'
import { collectionPath, withQuery } from './paths.ts'
import { smallBody, tooLarge, type Requests } from './requests.ts'
import { LostConnection, type Answer } from './transport.ts'

/** The server ends a watch after this long, and it goes on with the next: so no connection is trusted for ever. */
const lifeSeconds = 290
/** A server that has not ended it by then is gone. HTTP/2 notices that earlier, by its pings. */
const graceMs = 30_000
const headersMs = 30_000
const longestBackoffMs = 30_000

type Watched = { readonly requests: Requests; readonly clock: Clock; readonly kind: ServedKind; readonly namespace: string | undefined; readonly selector: Selector }

/**
 * Follows a collection until the signal ends, which ends it quietly. A lost connection, the server's time limit or a pause of this process resume
 * at the last version that was seen; a version that has expired begins again with RELIST. Throws what no waiting mends: 401, 403, 404, 400.
 */
export async function* watchCollection(watched: Watched, from: string | undefined, signal: AbortSignal): AsyncGenerator<KubernetesWatchEvent> {
  const { requests, clock, kind, namespace, selector } = watched
  let version = from
  let failures = 0
  let isLost = false
  while (!signal.aborted) {
    const began = clock.now()
    let seen = 0
    try {
      if (version === undefined) {
        let listed: string | undefined
        for await (const { items, version: at } of listPages(requests, kind, namespace, selector, signal)) {
          if (isLost) yield { type: 'FOUND' }
          isLost = false
          if (listed === undefined) yield { type: 'RELIST' }
          for (const object of items) yield { type: 'ADDED', object }
          listed = at
        }
        // A list that broke off in the middle is none: its version is taken when it is whole.
        if (listed === undefined) continue
        version = listed
        yield { type: 'BOOKMARK', version }
      }
      for await (const event of once(watched, version, signal)) {
        if (event.type === 'OPENED') {
          if (isLost) yield { type: 'FOUND' }
          isLost = false
          continue
        }
        seen += 1
        failures = 0
        version = event.version
        yield event.type === 'BOOKMARK' ? event : { type: event.type, object: event.object }
      }
      // A server that ends every watch at once must not be asked in a tight circle.
      if (seen > 0 || clock.now() - began >= 1_000) continue
    } catch (error) {
      if (signal.aborted) return
      if (!(error instanceof LostConnection)) {
        const failure = asFailure(error, kind.plural)
        version = goOn(failure) === 'relist' ? undefined : version
        if (failure.code !== 'kubernetes-expired') {
          isLost = true
          yield { type: 'LOST', failure }
        }
      }
    }
    failures += 1
    await clock.sleep(Math.min(longestBackoffMs, 50 * 2 ** Math.min(failures, 10)), signal).catch(() => {})
  }
}

/** Whether waiting mends it; throws what it does not. */
function goOn(failure: Failure): 'resume' | 'relist' {
  if (failure.code === 'kubernetes-expired') return 'relist'
  if (failure.code === 'kubernetes-unreachable' || failure.code === 'kubernetes-failing') return 'resume'
  throw failure
}

type Seen =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: JsonObject; readonly version: string }
  | { readonly type: 'BOOKMARK'; readonly version: string }

/** One request: that it is answered, then its events, until the server or the connection ends it. */
async function* once({ requests, clock, kind, namespace, selector }: Watched, version: string, signal: AbortSignal): AsyncGenerator<Seen | { readonly type: 'OPENED' }> {
  const path = withQuery(collectionPath(kind, namespace), {
    watch: 'true',
    allowWatchBookmarks: 'true',
    resourceVersion: version,
    timeoutSeconds: String(lifeSeconds),
    labelSelector: selector.labels,
    fieldSelector: selector.fields,
  })
  const about = { subject: `watch of ${kind.plural}`, secret: isSecret(kind) }
  const over = new AbortController()
  const ended = new AbortController()
  void clock.sleep(lifeSeconds * 1000 + graceMs, AbortSignal.any([signal, ended.signal])).then(
    () => over.abort(new LostConnection('perhaps', new Error('the server did not end a watch in time'))),
    () => {},
  )
  try {
    const answer = await requests.stream({ method: 'GET', path, about, timeoutMs: headersMs, safe: true, maxBytes: smallBody }, AbortSignal.any([signal, over.signal]))
    yield { type: 'OPENED' }
    for await (const line of lines(answer, about.subject)) yield read(line, kind, about.subject)
  } finally {
    ended.abort()
  }
}

async function* lines(answer: Answer, subject: string): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  let rest: string[] = []
  let size = 0
  for await (const chunk of answer.body) {
    const parts = decoder.decode(chunk, { stream: true }).split('\n')
    for (const part of parts.slice(0, -1)) {
      const line = rest.length === 0 ? part : rest.join('') + part
      rest = []
      size = 0
      if (line !== '') yield line
    }
    const last = parts.at(-1) ?? ''
    if (last === '') continue
    rest.push(last)
    size += last.length
    if (size > smallBody) throw tooLarge(subject, smallBody)
  }
  // What follows the last line break was cut off by a lost connection: it comes again after the resume.
}

function read(line: string, kind: ServedKind, subject: string): Seen {
  let event: unknown
  try {
    event = JSON.parse(line)
  } catch {
    throw new LostConnection('perhaps', new Error('a watch event is no JSON'))
  }
  const object = isObject(event) && isObject(event['object']) ? event['object'] : {}
  const type = isObject(event) ? event['type'] : undefined
  const version = isObject(object['metadata']) ? object['metadata']['resourceVersion'] : undefined
  if (type === 'ERROR') {
    // 410: the version is too old. Whatever else it is, a fresh list says where things stand.
    const reason = String(object['reason'] ?? object['code'] ?? 'no reason')
    throw new Failure({ code: 'kubernetes-expired', subject, message: `the server ended the watch (${reason})`, retry: 'now' })
  }
  if (typeof version !== 'string') throw new LostConnection('perhaps', new Error('a watch event has no version'))
  if (type === 'BOOKMARK') return { type, version }
  if (type === 'ADDED' || type === 'MODIFIED' || type === 'DELETED') return { type, object: named(object, kind), version }
  throw new LostConnection('perhaps', new Error('a watch event has a type that is not known'))
}
