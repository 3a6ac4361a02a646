import type { KubernetesObject } from '#playground/contract.ts'
import { type Backend, inVersion } from '../backend.ts'
import { reached } from '../reached.ts'
import { resourceOf } from '../kinds.ts'
import { presentList } from '../present.ts'
import { fieldSelector, labelSelector } from '../selectors.ts'
import { badRequest, expired, invalidOptions } from '../status.ts'
import { keyOf } from '../storage.ts'
import type { ApiRequest } from '../request.ts'
import type { Target, Verb } from './verb.ts'

const tooOldList = 'The resourceVersion for the provided list is too old.'
const tooOldToken =
  'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.'

export const listVerb: Verb = async (backend, request, target) => {
  const { query } = request
  checkListOptions(query)
  // What may be old is answered whole, from the cache of a real server.
  const limit = query.get('resourceVersion') === '0' ? 0 : numberOf(query, 'limit')
  const from = query.get('continue') ?? ''
  if (from !== '' && !['', '0'].includes(query.get('resourceVersion') ?? '')) throw badRequest('specifying resource version is not allowed when using continue')
  const token = from === '' ? undefined : readToken(from)
  const version = token === undefined ? await versionOf(backend, request) : token.rv === -1 ? backend.storage.version : token.rv
  if (token !== undefined && version < backend.storage.oldest) throw expired(tooOldToken, { continue: writeToken(-1, token.start) })
  const selected = select(backend, request, target, version)
  const rest = token === undefined ? selected : selected.filter((object) => startOf(object, target) >= token.start)
  const items = limit > 0 ? rest.slice(0, limit) : rest
  const remaining = rest.length - items.length
  const unfiltered = (query.get('labelSelector') ?? '') === '' && (query.get('fieldSelector') ?? '') === ''
  const last = items.at(-1)
  return presentList(
    request,
    target.kind,
    items,
    {
      resourceVersion: String(version),
      continue: remaining > 0 && last !== undefined ? writeToken(version, `${startOf(last, target)}\u0000`) : '',
      ...(remaining > 0 && unfiltered ? { remainingItemCount: remaining } : {}),
    },
    backend.clock.now(),
  )
}

/** What a collection holds at a version, narrowed by the request's selectors. */
export function select(backend: Backend, request: ApiRequest, target: Target, version: number): KubernetesObject[] {
  const byLabel = labelSelector(request.query.get('labelSelector'))
  const byField = fieldSelector(request.query.get('fieldSelector'), target.kind)
  const namespace = target.namespace === '' ? undefined : target.namespace
  const resource = resourceOf(target.kind)
  const objects = version === backend.storage.version ? backend.storage.list(resource, namespace) : backend.storage.listAt(version, resource, namespace)
  return objects.filter((object) => byLabel(object) && byField(object)).map((object) => inVersion(object, target.kind))
}

/** The version that a list is to be answered at. A version that has not come yet is waited for, for three seconds. */
async function versionOf(backend: Backend, { query, signal }: ApiRequest): Promise<number> {
  const text = query.get('resourceVersion') ?? ''
  if (text === '' || text === '0') return backend.storage.version
  const wanted = parseVersion(text)
  await reached(backend, wanted, signal)
  const exact = query.get('resourceVersionMatch') === 'Exact' || (query.get('resourceVersionMatch') === null && Number(query.get('limit') ?? 0) > 0)
  if (!exact) return backend.storage.version
  if (wanted < backend.storage.oldest) throw expired(tooOldList)
  return wanted
}

export function parseVersion(text: string): number {
  if (!/^\d+$/.test(text)) {
    throw badRequest(`resourceVersion: Invalid value: ${JSON.stringify(text)}: strconv.ParseUint: parsing ${JSON.stringify(text)}: invalid syntax`)
  }
  return Number(text)
}

function numberOf(query: URLSearchParams, name: string): number {
  const text = query.get(name) ?? ''
  if (text === '') return 0
  if (!/^[+-]?\d+$/.test(text)) throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`)
  return Number(text)
}

function checkListOptions(query: URLSearchParams): void {
  const match = query.get('resourceVersionMatch') ?? ''
  const causes = []
  if (match !== '' && (query.get('resourceVersion') ?? '') === '' && (query.get('continue') ?? '') === '') {
    causes.push({
      reason: 'FieldValueForbidden',
      message: 'Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided',
      field: 'resourceVersionMatch',
    })
  }
  if (match !== '' && match !== 'Exact' && match !== 'NotOlderThan') {
    causes.push({
      reason: 'FieldValueNotSupported',
      message: `Unsupported value: ${JSON.stringify(match)}: supported values: "Exact", "NotOlderThan"`,
      field: 'resourceVersionMatch',
    })
  }
  if (match === 'Exact' && query.get('resourceVersion') === '0') {
    causes.push({
      reason: 'FieldValueForbidden',
      message: 'Forbidden: resourceVersionMatch "exact" is forbidden for resourceVersion "0"',
      field: 'resourceVersionMatch',
    })
  }
  if (query.get('sendInitialEvents') !== null) {
    causes.push({ reason: 'FieldValueForbidden', message: 'Forbidden: sendInitialEvents is forbidden for list', field: 'sendInitialEvents' })
  }
  if (causes.length > 0) throw invalidOptions('ListOptions', causes)
}

/** Where an object stands in its list: what a continue token goes on from. */
function startOf(object: KubernetesObject, target: Target): string {
  return target.kind.namespaced && target.namespace === '' ? keyOf(object) : (object.metadata.name ?? '')
}

function writeToken(version: number, start: string): string {
  return Buffer.from(JSON.stringify({ v: 'meta.k8s.io/v1', rv: version, start })).toString('base64url')
}

function readToken(text: string): { rv: number; start: string } {
  const decoded = Buffer.from(text, 'base64url').toString('utf8')
  try {
    const value = JSON.parse(decoded) as { v?: string; rv?: number; start?: string }
    if (value.v === 'meta.k8s.io/v1' && typeof value.rv === 'number' && typeof value.start === 'string') return { rv: value.rv, start: value.start }
  } catch {
    throw badRequest(`invalid continue token: continue key is not valid: invalid character '${decoded[0] ?? ''}' looking for beginning of value`)
  }
  throw badRequest('invalid continue token: continue key is not valid: server does not recognize this encoded version')
}
