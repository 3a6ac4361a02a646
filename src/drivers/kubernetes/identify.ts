import { Failure } from '#lib/failure.ts'
import { isObject } from '#lib/json.ts'
import type { Call } from './call.ts'

/**
 * A cluster is known by the uid of its namespace kube-system, which lives as long as the cluster and is the same for every address of it. Where there
 * is no such namespace, or we may not read it, by its server's address and certificate authority. A cluster that does not answer has no name.
 */
export async function identify(call: Call): Promise<string> {
  const client = call.clients.kubernetes
  try {
    const namespaces = await client.kind('v1', 'Namespace', call.signal)
    const system = namespaces === undefined ? undefined : await client.get(namespaces, '', 'kube-system', call.signal)
    const uid = isObject(system?.['metadata']) ? system['metadata']['uid'] : undefined
    if (typeof uid === 'string') return `kubernetes:${uid}`
  } catch (error) {
    const forbidden = error instanceof Failure && error.code === 'kubernetes-refused' && error.fields['status'] === 403
    if (!forbidden) throw error
  }
  return `kubernetes:${client.address}`
}
