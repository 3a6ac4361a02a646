import { isObject, type Json, type JsonObject } from '#lib/json.ts'
import type { Attributes } from '../authorization/attributes.ts'
import type { User } from '../request.ts'

/** A request that was answered, as an audit log tells of it. */
export type Audited = {
  readonly attributes: Attributes
  /** With its query, as it was sent. */
  readonly uri: string
  /** Whose credentials they were; with impersonation, not who acted. */
  readonly by: User
  /** Who acted: `by`, or whom he impersonated. */
  readonly as: User
  readonly userAgent: string
  readonly address: string
  /** What the object that was sent says of itself. */
  readonly sent: JsonObject
  readonly code: number
  /** The answer, where it was a `Status`. */
  readonly status: JsonObject | undefined
  readonly annotations: Readonly<Record<string, string>>
  /** Milliseconds since 1970. */
  readonly receivedAt: number
  readonly answeredAt: number
}

/**
 * An Event of the group `audit.k8s.io/v1`, level Metadata, stage ResponseComplete.
 * Source of the format: apiserver `pkg/apis/audit/v1/types.go`, `pkg/audit/request.go`.
 */
export function auditEvent(audited: Audited, auditID: string): JsonObject {
  const { attributes, by, as, annotations } = audited
  return {
    kind: 'Event',
    apiVersion: 'audit.k8s.io/v1',
    level: 'Metadata',
    auditID,
    stage: 'ResponseComplete',
    requestURI: audited.uri,
    verb: attributes.verb,
    user: userInfo(by),
    ...(as === by ? {} : { impersonatedUser: userInfo(as) }),
    sourceIPs: [audited.address],
    ...(audited.userAgent === '' ? {} : { userAgent: audited.userAgent }),
    ...(attributes.resourceRequest ? { objectRef: objectRef(attributes, audited.sent) } : {}),
    responseStatus: responseStatus(audited.code, audited.status),
    requestReceivedTimestamp: microTime(audited.receivedAt),
    stageTimestamp: microTime(audited.answeredAt),
    ...(Object.keys(annotations).length === 0 ? {} : { annotations: { ...annotations } }),
  }
}

function userInfo({ name, uid, groups, extra }: User): JsonObject {
  return { username: name, ...(uid === undefined ? {} : { uid }), groups: [...groups], ...(extra === undefined ? {} : { extra: extra as Json }) }
}

/** What the path names; what it leaves open, as the sent object says: a name that is still to be generated is not known here. */
function objectRef(attributes: Attributes, sent: JsonObject): JsonObject {
  const { resource, namespace, name, group, version, subresource } = attributes
  const said = (key: string, otherwise = ''): string => otherwise || (typeof sent[key] === 'string' ? sent[key] : '')
  const parts = { resource, namespace: said('namespace', namespace), name: said('name', name), uid: said('uid'), apiGroup: group, apiVersion: version, resourceVersion: said('resourceVersion'), subresource }
  return Object.fromEntries(Object.entries(parts).filter(([, value]) => value !== ''))
}

function responseStatus(code: number, status: JsonObject | undefined): JsonObject {
  const told = Object.entries(status ?? {}).filter(([key, value]) => ['status', 'message', 'reason', 'details'].includes(key) && (isObject(value) || typeof value === 'string'))
  return { metadata: {}, ...Object.fromEntries(told), code }
}

const microTime = (ms: number): string => new Date(ms).toISOString().replace('Z', '000Z')
