import type { Clock } from '#lib/clock.ts'
import { isObject, type JsonObject } from '#lib/json.ts'
import { attributesOf } from '../authorization/attributes.ts'
import type { AuditedRequest } from '../http-server.ts'
import { readProtobuf } from '../protobuf.ts'
import type { Answer, User } from '../request.ts'
import { readYaml } from '../yaml.ts'
import type { AuditTrail } from './audit-trail.ts'

const nothing = (): void => {}

/** Tells a trail of requests that came by HTTP. */
export function auditOf(trail: AuditTrail, clock: Clock): (asked: AuditedRequest) => (as: User, answer: Answer) => void {
  return ({ method, path, query, headers, body, uri, by, address }) => {
    const attributes = attributesOf(method, path, query)
    if (!trail.wants(attributes)) return nothing
    const receivedAt = clock.now()
    return (as, answer) => {
      const sent = method === 'POST' || method === 'PUT' ? metadataIn(body, headers['content-type'] ?? '') : {}
      trail.tell({ attributes, uri, by, as, userAgent: headers['user-agent'] ?? '', address, sent, code: answer.status, status: statusIn(answer), receivedAt, answeredAt: clock.now() })
    }
  }
}

/** What an object that was sent says of itself; nothing where it cannot be read, which its answer says. */
function metadataIn(body: Buffer, contentType: string): JsonObject {
  try {
    const text = (): string => body.toString('utf8')
    const object = contentType.includes('protobuf') ? readProtobuf(body) : contentType.includes('yaml') ? readYaml(text()).value : (JSON.parse(text()) as unknown)
    return isObject(object) && isObject(object.metadata) ? object.metadata : {}
  } catch {
    return {}
  }
}

/** Refusals, and the answers to deletions, say more than a code. */
function statusIn(answer: Answer): JsonObject | undefined {
  if (!('body' in answer) || !answer.body.startsWith('{"kind":"Status"')) return undefined
  return JSON.parse(answer.body) as JsonObject
}
