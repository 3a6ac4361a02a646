import type { Backend } from './backend.ts'
import { apiVersionOf, resourceOf } from './kinds.ts'
import type { ApiRequest } from './request.ts'
import { ApiError } from './status.ts'
import type { Target } from './verbs/verb.ts'

/**
 * No conversion webhook is called here, and to show one version's object under another version's name would be a lie: what would have to be converted is refused,
 * as on a real server whose webhook cannot be reached. One version alone, and an empty list, need none.
 */
export function refuseConversion({ storage }: Pick<Backend, 'storage'>, request: ApiRequest, { kind, namespace, name }: Target): void {
  if (kind.converter !== 'webhook') return
  const asked = apiVersionOf(kind)
  const isWrite = ['POST', 'PUT', 'PATCH'].includes(request.method)
  const stored = storage
    .list(resourceOf(kind), namespace === '' ? undefined : namespace)
    .find(({ apiVersion, metadata }) => apiVersion !== asked && (name === '' || metadata.name === name))
  if (stored === undefined && !(isWrite && kind.version !== kind.storageVersion)) return
  const why = `this playground calls no conversion webhooks: ask for ${kind.storageVersion}, in which objects are stored`
  throw new ApiError(500, '', `conversion webhook for ${stored?.apiVersion ?? asked}, Kind=${kind.kind} failed: ${why}`)
}
