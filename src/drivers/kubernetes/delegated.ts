import { asFailure } from '#lib/failure.ts'
import { isObject, type JsonObject } from '#lib/json.ts'
import type { Observation } from '#model/plan.ts'
import { parseKey, type ObjectKey } from '#model/resource.ts'
import type { Call } from './call.ts'
import { nameOf } from './observed.ts'

/**
 * Marks the replica counts that a HorizontalPodAutoscaler moves. One LIST for each namespace in which something seen can be scaled; where it fails, who
 * moves the replicas is not known, and so the object is not.
 */
export async function withDelegated(call: Call, seen: ReadonlyMap<ObjectKey, Observation>): Promise<Map<ObjectKey, Observation>> {
  const scalable = [...seen.values()].filter((one) => one.state === 'present' && isObject(one.body['spec']) && typeof one.body['spec']['replicas'] === 'number')
  const result = new Map(seen)
  if (scalable.length === 0) return result
  const namespaces = new Set(scalable.map((one) => parseKey(one.key).namespace).filter((namespace) => namespace !== ''))
  await Promise.all(
    [...namespaces].map(async (namespace) => {
      const here = scalable.filter((one) => parseKey(one.key).namespace === namespace)
      try {
        const autoscalers = await autoscalersIn(call, namespace)
        for (const one of here) if (one.state === 'present') result.set(one.key, { ...one, delegated: targetsOf(autoscalers, one.key, namespace) })
      } catch (error) {
        call.signal.throwIfAborted()
        const failure = asFailure(error, `HorizontalPodAutoscalers in ${namespace}`).toJSON()
        for (const one of here) result.set(one.key, { key: one.key, state: 'unknown', failure })
      }
    }),
  )
  return result
}

async function autoscalersIn(call: Call, namespace: string): Promise<readonly JsonObject[]> {
  const kind = await call.clients.kubernetes.preferredKind('autoscaling', 'HorizontalPodAutoscaler', call.signal)
  return kind === undefined ? [] : (await call.clients.kubernetes.list(kind, namespace, {}, call.signal)).items
}

function targetsOf(autoscalers: readonly JsonObject[], key: ObjectKey, namespace: string): { path: string; to: string }[] {
  const { group, kind, name } = parseKey(key)
  return autoscalers
    .filter((autoscaler) => {
      const target = isObject(autoscaler['spec']) ? autoscaler['spec']['scaleTargetRef'] : undefined
      if (!isObject(target) || target['kind'] !== kind || target['name'] !== name) return false
      const apiVersion = String(target['apiVersion'] ?? '')
      // It may leave the group out.
      return apiVersion === '' || (apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : '') === group
    })
    .map((autoscaler) => ({ path: 'spec.replicas', to: `HorizontalPodAutoscaler ${namespace}/${nameOf(autoscaler)}` }))
}
