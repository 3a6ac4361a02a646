import type { Clock } from '#lib/clock.ts'
import { Failure, type FailureJson, asFailure } from '#lib/failure.ts'
import { isObject, type Json, type JsonObject } from '#lib/json.ts'
import type { ServedKind } from './client.ts'
import { largeBody, type Requests } from './requests.ts'

/** All that a server serves: the versions of a group in its order of preference. `failed`: group versions that could not be asked, with why. */
export type Served = { readonly kinds: readonly ServedKind[]; readonly failed: ReadonlyMap<string, FailureJson> }

const aggregated = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json'
const timeoutMs = 30_000
const recentMs = 60_000

/** What is served, asked once and kept; asked again when something is not found in it. */
export class Discovery {
  readonly #requests: Requests
  readonly #clock: Clock
  #served: Promise<Served> | undefined
  #asking: Promise<Served> | undefined
  #servedAt = -Infinity

  constructor(requests: Requests, clock: Clock) {
    this.#requests = requests
    this.#clock = clock
  }

  /**
   * The first kind that fits. `undefined` is a proof that it is not served: where discovery could not see the whole of the group, it throws
   * `kubernetes-failing` instead.
   */
  async find(group: string, fits: (kind: ServedKind) => boolean, subject: string, signal: AbortSignal): Promise<ServedKind | undefined> {
    const cached = await this.#served?.catch(() => undefined)
    const known = cached?.kinds.find((kind) => kind.group === group && fits(kind))
    if (known !== undefined) return known
    const served = await this.#ask(signal)
    const found = served.kinds.find((kind) => kind.group === group && fits(kind))
    if (found !== undefined) return found
    const blind = [...served.failed].find(([groupVersion]) => groupOf(groupVersion) === group)
    if (blind === undefined) return undefined
    throw new Failure({
      code: 'kubernetes-failing',
      subject,
      message: `whether it is served is not known: the discovery of ${blind[0]} failed (${blind[1].message})`,
      hint: 'Look at `kubectl get apiservices`: the server behind this group may be down.',
      retry: 'later',
    })
  }

  /** What was kept is asked again before it is next relied on: a path that it gave is not there. */
  forget(): void {
    this.#served = undefined
  }

  /** Everything, asked afresh. */
  async all(signal: AbortSignal): Promise<readonly ServedKind[]> {
    const served = await this.#ask(signal)
    const [blind] = served.failed
    if (blind === undefined) return served.kinds
    throw new Failure({ code: 'kubernetes-failing', subject: blind[0], message: `the discovery of ${blind[0]} failed (${blind[1].message})`, hint: 'Look at `kubectl get apiservices`.', retry: 'later' })
  }

  /** Everything as it was a minute ago at most: for what may well not be there, and is looked for again and again. */
  async recent(signal: AbortSignal): Promise<readonly ServedKind[]> {
    const kept = this.#clock.now() - this.#servedAt < recentMs ? this.#served : undefined
    return (await (kept ?? this.#ask(signal))).kinds
  }

  /** Those who ask while it is being asked share the answer; one who gives up does not end it for the others. */
  #ask(signal: AbortSignal): Promise<Served> {
    signal.throwIfAborted()
    if (this.#asking === undefined) {
      const asking = this.#limited().finally(() => (this.#asking = undefined))
      this.#asking = asking
      asking.then(
        () => {
          this.#served = asking
          this.#servedAt = this.#clock.now()
        },
        () => {},
      )
    }
    const { promise, reject } = Promise.withResolvers<never>()
    const abort = (): void => reject(signal.reason)
    signal.addEventListener('abort', abort, { once: true })
    return Promise.race([this.#asking, promise]).finally(() => signal.removeEventListener('abort', abort))
  }

  /** It belongs to all who wait for it, so that no caller's signal ends it; its own limit does. */
  async #limited(): Promise<Served> {
    const [over, done] = [new AbortController(), new AbortController()]
    const late = new Failure({ code: 'kubernetes-unreachable', subject: 'discovery', message: `discovery did not end within ${(4 * timeoutMs) / 1000} s`, retry: 'later' })
    void this.#clock.sleep(4 * timeoutMs, done.signal).then(() => over.abort(late), () => {})
    try {
      return await this.#read(over.signal)
    } finally {
      done.abort()
    }
  }

  async #read(signal: AbortSignal): Promise<Served> {
    const [core, groups] = await Promise.all([this.#root('/api', signal), this.#root('/apis', signal)])
    return { kinds: [...core.kinds, ...groups.kinds], failed: new Map([...core.failed, ...groups.failed]) }
  }

  async #root(path: '/api' | '/apis', signal: AbortSignal): Promise<Served> {
    let document: JsonObject
    try {
      document = await this.#get(path, aggregated, signal)
    } catch (error) {
      // A server without the core group (apiextensions alone) is no proof that the core group has no kinds.
      const failure = asFailure(error, path)
      if (path === '/api' && failure.code === 'kubernetes-not-found') return { kinds: [], failed: new Map([['v1', failure.toJSON()]]) }
      throw error
    }
    if (document['kind'] === 'APIGroupDiscoveryList') return readAggregated(document)
    return this.#plain(path, document, signal)
  }

  async #plain(path: '/api' | '/apis', document: JsonObject, signal: AbortSignal): Promise<Served> {
    const versions = path === '/api' ? strings(document['versions']) : objects(document['groups']).flatMap(preferredFirst)
    const failed = new Map<string, FailureJson>()
    const kinds = await Promise.all(
      versions.map(async (groupVersion) => {
        try {
          return readPlain(groupVersion, await this.#get(`${path}/${groupVersion}`, 'application/json', signal))
        } catch (error) {
          signal.throwIfAborted()
          failed.set(groupVersion, asFailure(error, groupVersion).toJSON())
          return []
        }
      }),
    )
    return { kinds: kinds.flat(), failed }
  }

  async #get(path: string, accept: string, signal: AbortSignal): Promise<JsonObject> {
    const ask = { method: 'GET' as const, path, headers: { accept }, about: { subject: path, secret: false }, timeoutMs, safe: true, maxBytes: largeBody }
    const { json } = await this.#requests.json(ask, signal)
    if (isObject(json)) return json
    throw new Failure({ code: 'kubernetes-failing', subject: path, message: 'discovery answered with no object', retry: 'later' })
  }
}

/** `apidiscovery.k8s.io/v2`. A version whose `freshness` is Stale was not answered by its own server just now. */
function readAggregated(document: JsonObject): Served {
  const failed = new Map<string, FailureJson>()
  const kinds: ServedKind[] = []
  for (const item of objects(document['items'])) {
    const group = isObject(item['metadata']) ? text(item['metadata']['name']) : ''
    for (const one of objects(item['versions'])) {
      const version = text(one['version'])
      if (one['freshness'] === 'Stale') {
        failed.set(group === '' ? version : `${group}/${version}`, { code: 'kubernetes-failing', subject: group, message: 'its discovery is stale', retry: 'later' })
      }
      for (const resource of objects(one['resources'])) {
        const response = isObject(resource['responseKind']) ? resource['responseKind'] : {}
        kinds.push({ group, version, kind: text(response['kind']), plural: text(resource['resource']), namespaced: resource['scope'] === 'Namespaced', verbs: strings(resource['verbs']) })
      }
    }
  }
  return { kinds, failed }
}

function readPlain(groupVersion: string, document: JsonObject): ServedKind[] {
  const version = groupVersion.slice(groupVersion.indexOf('/') + 1)
  return objects(document['resources'])
    .filter((resource) => !text(resource['name']).includes('/'))
    .map((resource) => ({
      group: groupOf(groupVersion),
      version,
      kind: text(resource['kind']),
      plural: text(resource['name']),
      namespaced: resource['namespaced'] === true,
      verbs: strings(resource['verbs']),
    }))
}

function preferredFirst(group: JsonObject): string[] {
  const preferred = isObject(group['preferredVersion']) ? text(group['preferredVersion']['groupVersion']) : ''
  const all = objects(group['versions']).map((version) => text(version['groupVersion']))
  return [...all.filter((one) => one === preferred), ...all.filter((one) => one !== preferred)]
}

function groupOf(groupVersion: string): string {
  return groupVersion.includes('/') ? groupVersion.slice(0, groupVersion.indexOf('/')) : ''
}

function objects(value: Json | undefined): JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : []
}

function strings(value: Json | undefined): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : []
}

function text(value: Json | undefined): string {
  return typeof value === 'string' ? value : ''
}
