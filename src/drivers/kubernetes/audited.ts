import { isObject, type JsonObject } from '#lib/json.ts'
import type { AuditEntry } from '#model/finding.ts'
import { keyOf } from '#model/resource.ts'
import type { Call } from './call.ts'
import { manager as ours } from './names.ts'

const verbs: ReadonlySet<string> = new Set(['create', 'update', 'patch', 'delete', 'deletecollection'])

/**
 * The writes to objects that events of an API server’s audit log tell of (`audit.k8s.io/v1`, of any level): those that were carried out, by others than us.
 * With impersonation it is the one who impersonates that acted. `id` is the event’s own, so that what comes twice is kept once. Where a collection was deleted, or
 * a namespace with all that it holds, `*` stands in the object’s key for what the event does not name: its kind, its name.
 */
export async function audited(call: Call, events: readonly JsonObject[]): Promise<(AuditEntry & { readonly id: string })[]> {
  const writes = events.filter(isWrite)
  if (writes.length === 0) return []
  const kinds = new Map((await call.clients.kubernetes.recentKinds(call.signal)).toReversed().map((kind) => [`${kind.group}/${kind.plural}`, kind]))
  return writes.flatMap((event) => {
    const ref = event['objectRef'] as JsonObject
    const kind = kinds.get(`${text(ref['apiGroup'])}/${text(ref['resource'])}`)
    const at = Date.parse(text(event['stageTimestamp']))
    const by = managerOf(event)
    if (kind === undefined || Number.isNaN(at) || by === ours) return []
    const name = text(ref['name'])
    const isDeletion = text(event['verb']).startsWith('delete')
    const one = { user: text((event['user'] as JsonObject)['username']), verb: isDeletion ? ('delete' as const) : (text(event['verb']) as AuditEntry['verb']), manager: by === '' ? null : by, at }
    const object = keyOf({ group: kind.group, kind: kind.kind, namespace: kind.namespaced ? text(ref['namespace']) : '', name: name === '' ? everything : name })
    const id = text(event['auditID'])
    const isNamespace = kind.group === '' && kind.kind === 'Namespace'
    return [{ ...one, id, object }, ...(isDeletion && isNamespace ? [{ ...one, id: `${id}/held`, object: `${everything}/${everything}/${name}/${everything}` }] : [])]
  })
}

const everything = '*'

function isWrite(event: JsonObject): boolean {
  const { objectRef, responseStatus, user, verb, stage, requestURI } = event
  if (stage !== 'ResponseComplete' || !verbs.has(text(verb)) || !isObject(objectRef) || !isObject(user) || text(user['username']) === '' || text(event['auditID']) === '') return false
  const code = isObject(responseStatus) ? responseStatus['code'] : undefined
  const subresource = text(objectRef['subresource'])
  const isCarriedOut = typeof code === 'number' && code >= 200 && code < 300 && !/[?&]dryRun=/.test(text(requestURI))
  if (!isCarriedOut || (subresource !== '' && subresource !== 'scale')) return false
  // Of a part of a collection the log does not tell which objects it was.
  if (verb === 'deletecollection') return text(objectRef['name']) === '' && text(objectRef['namespace']) !== '' && !/[?&](label|field)Selector=/.test(text(requestURI))
  return text(objectRef['name']) !== ''
}

/** As the server itself names it: what the request says, else the client’s program. */
function managerOf(event: JsonObject): string {
  const uri = text(event['requestURI'])
  const named = uri.includes('?') ? new URLSearchParams(uri.slice(uri.indexOf('?'))).get('fieldManager') : null
  return named ?? text(event['userAgent']).split('/')[0]?.slice(0, 128) ?? ''
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
