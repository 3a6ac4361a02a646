import { asFailure } from '#lib/failure.ts'
import { isObject, type JsonObject } from '#lib/json.ts'
import { readPath } from '#model/field-path.ts'
import type { Observation } from '#model/plan.ts'
import { keyOf, parseKey, type ObjectKey } from '#model/resource.ts'
import type { Call } from './call.ts'
import { nameOf } from './observed.ts'

const horizontal = { group: 'autoscaling', kind: 'HorizontalPodAutoscaler' }
const vertical = { group: 'autoscaling.k8s.io', kind: 'VerticalPodAutoscaler' }

/** The kinds of autoscalers, as a driver’s contract has it. */
export const autoscalerKinds: readonly ObjectKey[] = [horizontal, vertical].map((one) => keyOf({ ...one, namespace: '', name: '' }))

/**
 * Marks the fields that an autoscaler rightly moves: the replica count of what a HorizontalPodAutoscaler targets, the containers' resources of what a
 * VerticalPodAutoscaler does. One LIST of each for each namespace in which something seen can be scaled; where it fails, who moves a field is not known, and so the object is not.
 */
export async function withDelegated(call: Call, seen: ReadonlyMap<ObjectKey, Observation>): Promise<Map<ObjectKey, Observation>> {
  const result = new Map(seen)
  const scalable = [...seen.values()].filter((one) => one.state === 'present').filter(({ body }) => isScalable(body))
  const namespaces = new Set(scalable.map((one) => parseKey(one.key).namespace).filter((namespace) => namespace !== ''))
  await Promise.all(
    [...namespaces].map(async (namespace) => {
      const here = scalable.filter((one) => parseKey(one.key).namespace === namespace)
      try {
        const [ofReplicas, ofResources] = await Promise.all([autoscalersIn(call, horizontal, namespace), autoscalersIn(call, vertical, namespace)])
        for (const one of here) result.set(one.key, { ...one, delegated: [...replicasOf(ofReplicas, one.key), ...resourcesOf(ofResources, one)] })
      } catch (error) {
        call.signal.throwIfAborted()
        const failure = asFailure(error, `autoscalers in ${namespace}`).toJSON()
        for (const one of here) result.set(one.key, { key: one.key, state: 'unknown', failure })
      }
    }),
  )
  return result
}

/** It says how many of it there are, or what its containers ask for. */
function isScalable({ spec }: JsonObject): boolean {
  return isObject(spec) && (typeof spec['replicas'] === 'number' || isObject(spec['template']))
}

async function autoscalersIn(call: Call, { group, kind: name }: typeof horizontal, namespace: string): Promise<readonly JsonObject[]> {
  // One that may never be there is not asked for at every look.
  const kind = (await call.clients.kubernetes.recentKinds(call.signal)).find((one) => one.group === group && one.kind === name)
  return kind === undefined ? [] : (await call.clients.kubernetes.list(kind, namespace, {}, call.signal)).items
}

function replicasOf(autoscalers: readonly JsonObject[], key: ObjectKey): Delegated[] {
  return autoscalers.filter((one) => targets(one, 'scaleTargetRef', key)).map((one) => ({ path: 'spec.replicas', to: `HorizontalPodAutoscaler ${parseKey(key).namespace}/${nameOf(one)}` }))
}

/** A VerticalPodAutoscaler that only recommends moves nothing, nor does one that leaves a container alone. */
function resourcesOf(autoscalers: readonly JsonObject[], { key, body }: { readonly key: ObjectKey; readonly body: JsonObject }): Delegated[] {
  const containers = readPath(body, 'spec.template.spec.containers')
  const names = (Array.isArray(containers) ? containers : []).flatMap((one) => (isObject(one) && typeof one['name'] === 'string' ? [one['name']] : []))
  return autoscalers
    .filter((one) => targets(one, 'targetRef', key) && readPath(one, 'spec.updatePolicy.updateMode') !== 'Off')
    .flatMap((one) => {
      const policies = readPath(one, 'spec.resourcePolicy.containerPolicies')
      const off = new Set((Array.isArray(policies) ? policies : []).flatMap((policy) => (isObject(policy) && policy['mode'] === 'Off' ? [policy['containerName']] : [])))
      return names.filter((name) => !off.has(name)).map((name) => ({ path: `spec.template.spec.containers[name=${JSON.stringify(name)}].resources`, to: `VerticalPodAutoscaler ${parseKey(key).namespace}/${nameOf(one)}` }))
    })
}

type Delegated = { readonly path: string; readonly to: string }

function targets(autoscaler: JsonObject, reference: 'scaleTargetRef' | 'targetRef', key: ObjectKey): boolean {
  const { group, kind, name } = parseKey(key)
  const target = readPath(autoscaler, `spec.${reference}`)
  if (!isObject(target) || target['kind'] !== kind || target['name'] !== name) return false
  const apiVersion = String(target['apiVersion'] ?? '')
  // It may leave the group out.
  return apiVersion === '' || (apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : '') === group
}
