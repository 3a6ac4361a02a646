import type { JsonObject } from '#lib/json.ts'
import type { Backend } from '../backend.ts'
import type { Kind } from '../kinds.ts'
import type { Steps } from '../objects/steps.ts'
import type { User } from '../request.ts'
import { ApiError } from '../status.ts'
import { versionInfo } from '../version.ts'
import type { AuditTrail } from './audit-trail.ts'

type Doing = { readonly verb: 'create' | 'update' | 'delete'; readonly kind: Kind; readonly namespace: string; readonly name: string; readonly subresource: string; readonly manager: string }

/** Tells of a write in process as of a request: in a real cluster its writer is a client like others. `isWrite` says whether it changed anything. */
export function* auditedSteps<T>(backend: Pick<Backend, 'clock'>, audit: AuditTrail, user: User, doing: Doing, steps: Steps<T>, isWrite: (result: T) => boolean = () => true): Steps<T> {
  const { verb, kind, namespace, name, subresource, manager } = doing
  const { group, version, plural } = kind
  const parts = [group === '' ? 'api' : `apis/${group}`, version, ...(namespace === '' ? [] : ['namespaces', namespace]), plural, ...(verb === 'create' ? [] : [name]), ...(subresource === '' ? [] : [subresource])]
  const path = `/${parts.join('/')}`
  const attributes = { resourceRequest: true, verb, path, group, version, resource: plural, subresource, namespace, name }
  if (!audit.wants(attributes)) return yield* steps
  const receivedAt = backend.clock.now()
  const userAgent = `${manager}/${versionInfo.gitVersion} (${versionInfo.platform})`
  const tell = (code: number, status?: JsonObject): void =>
    audit.tell({ attributes, uri: path, by: user, as: user, userAgent, address: '127.0.0.1', sent: {}, code, status, receivedAt, answeredAt: backend.clock.now() })
  try {
    const result = yield* steps
    if (isWrite(result)) tell(verb === 'create' ? 201 : 200)
    return result
  } catch (error) {
    if (error instanceof ApiError) tell(error.code, error.status)
    throw error
  }
}
