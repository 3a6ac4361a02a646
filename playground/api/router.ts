import type { Backend } from './backend.ts'
import { refuseConversion } from './conversion-webhooks.ts'
import { aggregated, coreVersions, groupList, oneGroup, resourceList } from './discovery.ts'
import { negotiate } from './negotiation.ts'
import { OpenApi } from './open-api.ts'
import { type Answer, type ApiRequest, json, pageNotFound, text } from './request.ts'
import { deletesCollection } from './kinds.ts'
import { methodNotAllowed, noSuchResource, notFound } from './status.ts'
import type { AuditTrail } from './audit/audit-trail.ts'
import { forbiddenRequest } from './authorization/authorizer.ts'
import { attributesOf } from './authorization/attributes.ts'
import { answerReview } from './authorization/reviews.ts'
import type { Authenticator } from './auth/authenticator.ts'
import { createVerb } from './verbs/create.ts'
import { deleteVerb } from './verbs/delete.ts'
import { deleteCollectionVerb } from './verbs/delete-collection.ts'
import { evictVerb } from './verbs/evict.ts'
import { finalizeVerb } from './verbs/finalize.ts'
import { getVerb } from './verbs/get.ts'
import { listVerb } from './verbs/list.ts'
import { logVerb } from './verbs/log.ts'
import { isNotHere, notHereVerb } from './verbs/not-here.ts'
import { patchVerb } from './verbs/patch.ts'
import { scaleVerb } from './verbs/scale.ts'
import { updateVerb } from './verbs/update.ts'
import type { Target, Verb } from './verbs/verb.ts'
import { watchVerb } from './verbs/watch.ts'
import { versionInfo } from './version.ts'

export type Router = (request: ApiRequest) => Promise<Answer>

/** Finds what a path names and does what the method says. */
export function routerOf(backend: Backend, authenticator: Authenticator, tokenRequest: Verb, address: () => string, audit: AuditTrail): Router {
  const openApi = new OpenApi(backend.registry)
  return async (request) => {
    const attributes = attributesOf(request.method, request.path, request.query)
    const { allowed, reason } = backend.authorizer.check(request.user, attributes)
    audit.annotate(request.user, { 'authorization.k8s.io/decision': allowed ? 'allow' : 'forbid', 'authorization.k8s.io/reason': reason })
    if (!allowed) throw forbiddenRequest(request.user, attributes, reason)
    const fixed = fixedPath(backend, openApi, request, address)
    if (fixed !== undefined) return fixed
    const review = answerReview(request, authenticator, backend.authorizer)
    if (review !== undefined) return review
    const target = targetOf(backend, request)
    if (target === undefined) {
      if (isOfBuiltInGroup(backend, request.path)) throw noSuchResource()
      return pageNotFound
    }
    refuseConversion(backend, request, target)
    const verb = target.subresource === 'token' && target.kind.others.includes('token') ? tokenRequestOnly(request.method, tokenRequest) : verbOf(request, target)
    return verb(backend, request, target)
  }
}

function fixedPath(backend: Backend, openApi: OpenApi, request: ApiRequest, address: () => string): Answer | undefined {
  const path = request.path.replace(/(.)\/$/, '$1')
  if (path === '/healthz' || path === '/livez' || path === '/readyz' || path.startsWith('/readyz/') || path.startsWith('/livez/')) return text(200, 'ok')
  if (path === '/version') return json(200, versionInfo)
  if (path === '/') return json(200, { paths: rootPaths(backend) })
  if (path === '/openapi/v2') return openApi.version2(request) ?? json(404, { paths: rootPaths(backend) })
  if (path === '/openapi/v3') return openApi.index(request)
  if (path.startsWith('/openapi/v3/')) return openApi.document(path.slice('/openapi/v3/'.length), request)
  const parts = path.split('/').slice(1)
  if (parts[0] === 'api' && parts.length === 1) return discover(backend, request, 'core', address)
  if (parts[0] === 'apis' && parts.length === 1) return discover(backend, request, 'groups', address)
  const document =
    parts[0] === 'api' && parts.length === 2
      ? resourceList(backend.registry, '', parts[1] ?? '')
      : parts[0] === 'apis' && parts.length === 2
        ? oneGroup(backend.registry, parts[1] ?? '')
        : parts[0] === 'apis' && parts.length === 3
          ? resourceList(backend.registry, parts[1] ?? '', parts[2] ?? '')
          : undefined
  if (document === undefined) return undefined
  negotiate(request.headers.accept)
  return json(200, document)
}

function discover(backend: Backend, request: ApiRequest, which: 'core' | 'groups', address: () => string): Answer {
  if (!negotiate(request.headers.accept).discovery) return json(200, which === 'core' ? coreVersions(address()) : groupList(backend.registry))
  const { document, etag } = aggregated(backend.registry, which)
  const type = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList'
  if (request.headers['if-none-match'] === etag) return { status: 304, headers: { etag }, body: '' }
  return json(200, document, { 'content-type': type, etag, vary: 'Accept' })
}

function rootPaths(backend: Backend): string[] {
  const groups = backend.registry.groups()
  const named = [...groups].flatMap(([group, versions]) => (group === '' ? [] : [`/apis/${group}`, ...versions.map((version) => `/apis/${group}/${version}`)]))
  return ['/api', '/api/v1', '/apis', ...named, '/healthz', '/livez', '/openapi/v3', '/readyz', '/version'].sort()
}

/** `undefined`: no such page. The prefix `watch/` is the old way to ask for a watch. */
function targetOf(backend: Backend, request: ApiRequest): (Target & { readonly oldWatch: boolean }) | undefined {
  let parts: string[]
  try {
    parts = request.path.split('/').slice(1).map(decodeURIComponent)
  } catch {
    return undefined
  }
  if (parts.at(-1) === '') parts.pop()
  let group = ''
  if (parts[0] === 'apis') group = parts[1] ?? ''
  else if (parts[0] !== 'api') return undefined
  const version = parts[group === '' ? 1 : 2] ?? ''
  let rest = parts.slice(group === '' ? 2 : 3)
  const oldWatch = rest[0] === 'watch'
  if (oldWatch) rest = rest.slice(1)
  let namespace = ''
  const namespaceSubresource = group === '' && rest.length === 3 && ['status', 'finalize'].includes(rest[2] ?? '')
  if (rest[0] === 'namespaces' && rest.length > 2 && !namespaceSubresource) {
    namespace = rest[1] ?? ''
    rest = rest.slice(2)
  }
  const [plural = '', name = '', subresource = ''] = rest
  const kind = backend.registry.find({ group, version, plural })
  if (kind === undefined || rest.length > 3 || kind.namespaced !== (namespace !== '' || (name === '' && kind.namespaced))) return undefined
  // Over all namespaces one can only list and watch.
  if (kind.namespaced && namespace === '' && request.method !== 'GET' && request.method !== 'HEAD') return undefined
  return { kind, namespace, name, subresource, oldWatch }
}

/** Whether a path goes into a group that is served, and not by definitions: there the server answers with a Status. */
function isOfBuiltInGroup(backend: Backend, path: string): boolean {
  const [root, ...rest] = path.split('/').slice(1)
  const [group = '', version = ''] = root === 'api' ? ['', ...rest] : rest
  return (root === 'api' || root === 'apis') && backend.registry.ofVersion(group, version).some(({ custom }) => !custom)
}

function verbOf(request: ApiRequest, target: Target & { oldWatch: boolean }): Verb {
  const { method } = request
  if (target.subresource !== '') return subresourceVerb(method, target)
  const watch = request.query.get('watch')
  if (target.kind.readOnly && method !== 'GET' && method !== 'HEAD') throw methodNotAllowed()
  const watching = target.oldWatch || (watch !== null && watch !== '0' && watch !== 'false')
  switch (method) {
    case 'GET':
    case 'HEAD':
      if (target.name !== '') return getVerb
      return watching ? watchVerb : listVerb
    case 'POST':
      if (target.name !== '' && !target.kind.custom) throw methodNotAllowed()
      return createVerb
    case 'PUT':
      return updateVerb
    case 'PATCH':
      return patchVerb
    case 'DELETE':
      if (target.name !== '') return deleteVerb
      if (!deletesCollection(target.kind)) throw methodNotAllowed()
      return deleteCollectionVerb
    default:
      throw methodNotAllowed()
  }
}

function tokenRequestOnly(method: string, verb: Verb): Verb {
  if (method !== 'POST') throw methodNotAllowed()
  return verb
}

function subresourceVerb(method: string, target: Target): Verb {
  const { kind, subresource, name } = target
  if (subresource === 'status' && kind.status) {
    if (method === 'GET') return getVerb
    if (method === 'PUT') return updateVerb
    if (method === 'PATCH') return patchVerb
    throw methodNotAllowed()
  }
  if (subresource === 'scale' && kind.scale !== undefined) {
    if (['GET', 'PUT', 'PATCH'].includes(method)) return scaleVerb
    throw methodNotAllowed()
  }
  if (kind.others.includes(subresource)) {
    if (subresource === 'log' && method === 'GET') return logVerb
    if (subresource === 'eviction' && method === 'POST') return evictVerb
    if (subresource === 'finalize' && method === 'PUT') return finalizeVerb
    throw methodNotAllowed()
  }
  if (isNotHere(target)) return notHereVerb
  throw kind.custom ? notFound(kind, name) : noSuchResource()
}
