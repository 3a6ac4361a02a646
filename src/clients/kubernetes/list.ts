import { Failure } from '#lib/failure.ts'
import { isObject, type Json, type JsonObject } from '#lib/json.ts'
import type { ListPage, ServedKind } from './client.ts'
import { collectionPath, withQuery } from './paths.ts'
import { largeBody, type Requests } from './requests.ts'

export type Selector = { readonly labels?: string; readonly fields?: string }

const pageSize = 500
const timeoutMs = 60_000
/** A list whose pages expire again and again is larger than the server can hold still. */
const restarts = 3

/** All pages, as they were at one version. A 410 in the middle begins again; any other failure fails the list: a short list is never returned. */
export async function listAll(requests: Requests, kind: ServedKind, namespace: string | undefined, selector: Selector, signal: AbortSignal): Promise<ListPage> {
  for (let restart = 0; ; restart += 1) {
    try {
      const items: JsonObject[] = []
      let version = ''
      for await (const page of listPages(requests, kind, namespace, selector, signal)) {
        items.push(...page.items)
        version = page.version
      }
      return { items, version }
    } catch (error) {
      if (!(error instanceof Failure && error.code === 'kubernetes-expired') || restart >= restarts) throw error
    }
  }
}

/** The pages one by one, all as they were at the version that each bears. What fails in the middle is thrown: who has taken some of them has no list. */
export async function* listPages(requests: Requests, kind: ServedKind, namespace: string | undefined, selector: Selector, signal: AbortSignal): AsyncGenerator<ListPage> {
  let next: string | undefined
  for (;;) {
    const path = withQuery(collectionPath(kind, namespace), { limit: String(pageSize), continue: next, labelSelector: selector.labels, fieldSelector: selector.fields })
    const subject = `${kind.plural}${namespace === undefined ? '' : ` in ${namespace}`}`
    const about = { subject, secret: isSecret(kind) }
    const { json } = await requests.json({ method: 'GET', path, about, timeoutMs, safe: true, maxBytes: largeBody }, signal)
    const metadata = isObject(json) && isObject(json['metadata']) ? json['metadata'] : {}
    const version = metadata['resourceVersion']
    if (!isObject(json) || !isList(json['items']) || typeof version !== 'string') {
      throw new Failure({ code: 'kubernetes-failing', subject, message: 'the server answered a LIST with what is no list', retry: 'later' })
    }
    yield { items: (json['items'] ?? []).map((item) => named(item, kind)), version }
    next = typeof metadata['continue'] === 'string' && metadata['continue'] !== '' ? metadata['continue'] : undefined
    if (next === undefined) return
  }
}

/** A Go server writes an empty list as null. What is absent is no list. */
function isList(items: Json | undefined): items is JsonObject[] | null {
  return items === null || (Array.isArray(items) && items.every(isObject))
}

/** The items of built-in lists do not say what they are. */
export function named(item: JsonObject, kind: ServedKind): JsonObject {
  if (typeof item['kind'] === 'string' && typeof item['apiVersion'] === 'string') return item
  return { apiVersion: kind.group === '' ? kind.version : `${kind.group}/${kind.version}`, kind: kind.kind, ...item }
}

export function isSecret(kind: Pick<ServedKind, 'group' | 'plural'>): boolean {
  return kind.group === '' && kind.plural === 'secrets'
}
