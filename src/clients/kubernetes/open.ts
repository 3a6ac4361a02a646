import type { Clock } from '#lib/clock.ts'
import { Failure } from '#lib/failure.ts'
import { isObject, type JsonObject } from '#lib/json.ts'
import { AdaptiveLimit } from './adaptive-limit.ts'
import type { ApplyOptions, KubernetesClient, ServedKind } from './client.ts'
import { Discovery } from './discovery.ts'
import { Link } from './link.ts'
import { isSecret, listAll, named } from './list.ts'
import { objectPath, withQuery } from './paths.ts'
import { Requests, smallBody } from './requests.ts'
import { signIn } from './sign-in.ts'
import type { SignIn } from './sign-in.ts'
import { watchCollection } from './watch.ts'

const timeoutMs = 30_000

type Options = {
  /** One file, or several, of which the first that has a name wins. */
  readonly kubeconfig: string | readonly string[]
  readonly context: string
  readonly clock: Clock
  /** Told each credential that is used, so that no answer which repeats it is passed on. */
  readonly seen?: (credential: string) => void
}

/**
 * A client of the cluster behind one context of a kubeconfig. Nothing is sent before the first call. Failures of the call itself:
 * `kubeconfig-invalid`.
 */
export async function openKubernetes({ kubeconfig, context, clock, seen = () => {} }: Options): Promise<KubernetesClient> {
  const identity = telling(await signIn([kubeconfig].flat(), context), seen)
  const link = new Link(identity.server, identity, clock)
  const requests = new Requests(link, new AdaptiveLimit(), clock)
  const discovery = new Discovery(requests, clock)
  /** A 404 that is not about an object is about the path: the kind is not served as it was. */
  const forgetPath = (error: unknown): void => {
    if (error instanceof Failure && error.code === 'kubernetes-not-found' && error.fields['object'] === undefined) discovery.forget()
  }
  const withPath = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await work
    } catch (error) {
      forgetPath(error)
      throw error
    }
  }
  return {
    address: identity.address,
    kind: (apiVersion, kind, signal) => {
      const [group, version] = apiVersion.includes('/') ? [apiVersion.slice(0, apiVersion.indexOf('/')), apiVersion.slice(apiVersion.indexOf('/') + 1)] : ['', apiVersion]
      return discovery.find(group, (served) => served.version === version && served.kind === kind, `${apiVersion} ${kind}`, signal)
    },
    preferredKind: (group, kind, signal) => discovery.find(group, (served) => served.kind === kind, `${kind}${group === '' ? '' : `.${group}`}`, signal),
    kinds: (signal) => discovery.all(signal),
    recentKinds: (signal) => discovery.recent(signal),
    get: (kind, namespace, name, signal) => withPath(get(requests, kind, namespace, name, signal)),
    list: (kind, namespace, selector, signal) => withPath(listAll(requests, kind, namespace, selector, signal)),
    apply: (kind, body, options, signal) => withPath(apply(requests, kind, body, options, signal)),
    delete: (kind, namespace, name, options, signal) => withPath(remove(requests, kind, namespace, name, options, signal)),
    watch: async function* (kind, namespace, selector, from, signal) {
      try {
        yield* watchCollection({ requests, clock, kind, namespace, selector }, from, signal)
      } catch (error) {
        forgetPath(error)
        throw error
      }
    },
    logs: (namespace, pod, container, maxBytes, signal) => {
      const pods: Parameters<typeof objectPath>[0] = { group: '', version: 'v1', kind: 'Pod', plural: 'pods', namespaced: true, verbs: [] }
      // One byte more than is wanted shows that there are more.
      const path = withQuery(`${objectPath(pods, namespace, pod)}/log`, { container, limitBytes: String(maxBytes + 1) })
      return requests.text({ method: 'GET', path, about: { subject: `log of Pod ${namespace}/${pod}`, secret: false }, timeoutMs, safe: true, maxBytes }, signal)
    },
    close: async () => link.close(),
  }
}

function telling(identity: SignIn, seen: (credential: string) => void): SignIn {
  return {
    ...identity,
    headers: async () => {
      const headers = await identity.headers()
      if (headers['authorization'] !== undefined) seen(headers['authorization'].replace(/^(Bearer|Basic) /, ''))
      return headers
    },
  }
}

async function get(requests: Requests, kind: ServedKind, namespace: string, name: string, signal: AbortSignal): Promise<JsonObject | undefined> {
  const about = aboutObject(kind, namespace, name)
  try {
    const { json } = await requests.json({ method: 'GET', path: objectPath(kind, namespace, name), about, timeoutMs, safe: true, maxBytes: smallBody }, signal)
    return object(json, kind, about.subject)
  } catch (error) {
    if (isAbsence(error, kind, name)) return undefined
    throw error
  }
}

async function apply(requests: Requests, kind: ServedKind, body: JsonObject, options: ApplyOptions, signal: AbortSignal): Promise<{ object: JsonObject; created: boolean; warnings: string[] }> {
  const metadata = isObject(body['metadata']) ? body['metadata'] : {}
  const namespace = String(metadata['namespace'] ?? '')
  const name = String(metadata['name'] ?? '')
  const about = aboutObject(kind, namespace, name)
  const sent = { ...body, metadata: { ...metadata, ...(options.uid === undefined ? {} : { uid: options.uid }), ...(options.version === undefined ? {} : { resourceVersion: options.version }) } }
  const path = withQuery(objectPath(kind, namespace, name), {
    fieldManager: options.manager,
    force: options.force ? 'true' : undefined,
    dryRun: options.dryRun ? 'All' : undefined,
    fieldValidation: 'Strict',
  })
  const { status, headers, json } = await requests.json(
    // JSON is YAML. A dry run may be sent again; an apply may not: it carries a version, and its second sending would look like a conflict.
    { method: 'PATCH', path, headers: { 'content-type': 'application/apply-patch+yaml' }, body: JSON.stringify(sent), about, timeoutMs, safe: options.dryRun, maxBytes: smallBody },
    signal,
  )
  return { object: object(json, kind, about.subject), created: status === 201, warnings: isSecret(kind) ? [] : warnings(headers['warning']) }
}

async function remove(
  requests: Requests,
  kind: ServedKind,
  namespace: string,
  name: string,
  options: { uid: string; version?: string; propagation: string; dryRun: boolean },
  signal: AbortSignal,
): Promise<'gone' | 'terminating' | 'absent'> {
  const preconditions = { uid: options.uid, ...(options.version === undefined ? {} : { resourceVersion: options.version }) }
  const body = JSON.stringify({ apiVersion: 'v1', kind: 'DeleteOptions', propagationPolicy: options.propagation, preconditions, ...(options.dryRun ? { dryRun: ['All'] } : {}) })
  try {
    const { json } = await requests.json(
      { method: 'DELETE', path: objectPath(kind, namespace, name), headers: { 'content-type': 'application/json' }, body, about: aboutObject(kind, namespace, name), timeoutMs, safe: options.dryRun, maxBytes: smallBody },
      signal,
    )
    // Gone at once is told by a Status; the object itself comes back where a finalizer or a grace period holds it.
    return isObject(json) && json['kind'] === 'Status' ? 'gone' : 'terminating'
  } catch (error) {
    if (isAbsence(error, kind, name)) return 'absent'
    throw error
  }
}

/** Only the server's own word that this very object does not exist; another 404 (an unknown path, a proxy's page) is none. */
function isAbsence(error: unknown, kind: ServedKind, name: string): boolean {
  return error instanceof Failure && error.code === 'kubernetes-not-found' && error.fields['reason'] === 'NotFound' && error.fields['object'] === `${kind.plural}/${name}`
}

function object(json: unknown, kind: ServedKind, subject: string): JsonObject {
  const metadata = isObject(json) && isObject(json['metadata']) ? json['metadata'] : {}
  if (isObject(json) && typeof metadata['uid'] === 'string') return named(json, kind)
  throw new Failure({ code: 'kubernetes-failing', subject, message: 'the server answered with what is no object', retry: 'later' })
}

function aboutObject(kind: ServedKind, namespace: string, name: string): { subject: string; secret: boolean } {
  return { subject: `${kind.kind} ${kind.namespaced ? `${namespace}/` : ''}${name}`, secret: isSecret(kind) }
}

/** `299 - "text"`, several joined by commas (RFC 9111, 5.5 and Kubernetes' own use). */
function warnings(header: string | undefined): string[] {
  return [...(header ?? '').matchAll(/299 [^ ]+ "((?:[^"\\]|\\.)*)"/g)].map(([, text]) => (text ?? '').replace(/\\(.)/g, '$1'))
}
