import { Failure } from '#lib/failure.ts'
import { isObject } from '#lib/json.ts'
import type { Identity } from '../driver.ts'
import type { Call } from './call.ts'

/**
 * A cluster is known by the uid of its namespace kube-system, which lives as long as the cluster and is the same for every address of it. Where there
 * is no such namespace, or we may not read it, it is not told. A cluster that does not answer throws.
 */
export async function identify(call: Call): Promise<Identity> {
  const client = call.clients.kubernetes
  try {
    const namespaces = await client.kind('v1', 'Namespace', call.signal)
    const system = namespaces === undefined ? undefined : await client.get(namespaces, '', 'kube-system', call.signal)
    const uid = isObject(system?.['metadata']) ? system['metadata']['uid'] : undefined
    if (typeof uid === 'string') return { address: client.address, place: `kubernetes:${uid}` }
  } catch (error) {
    const forbidden = error instanceof Failure && error.code === 'kubernetes-refused' && error.fields['status'] === 403
    if (!forbidden) throw error
  }
  return { address: client.address }
}
