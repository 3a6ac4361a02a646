import { isObject, type JsonObject } from '#lib/json.ts'
import type { KubernetesObject } from '#playground/contract.ts'
import { selectorText } from '../columns/read.ts'
import { apiVersionOf, type Kind } from '../kinds.ts'
import { setAt, valueAt } from '../paths.ts'

export const scaleKind = { group: 'autoscaling', version: 'v1', kind: 'Scale' }

/** An object as its scale subresource shows it. */
export function scaleOf(kind: Kind, object: KubernetesObject): KubernetesObject {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata
  const paths = kind.scale
  const selector = paths?.labelSelector === undefined ? builtInSelector(kind, object) : valueAt(object, paths.labelSelector)
  const wanted = valueAt(object, paths?.specReplicas ?? 'spec.replicas') ?? 0
  return {
    kind: 'Scale',
    apiVersion: apiVersionOf(scaleKind),
    metadata: JSON.parse(JSON.stringify({ name, namespace, uid, resourceVersion, creationTimestamp })) as JsonObject,
    spec: wanted === 0 ? {} : { replicas: wanted },
    status: {
      replicas: valueAt(object, paths?.statusReplicas ?? 'status.replicas') ?? 0,
      ...(typeof selector === 'string' && selector !== '' ? { selector } : {}),
    },
  }
}

/** Writes a Scale's replicas into its object. */
export function withScale(kind: Kind, object: KubernetesObject, scale: KubernetesObject): KubernetesObject {
  setAt(object, kind.scale?.specReplicas ?? 'spec.replicas', valueAt(scale, 'spec.replicas') ?? 0)
  return object
}

function builtInSelector(kind: Kind, object: KubernetesObject): string | undefined {
  const selector = kind.custom ? undefined : valueAt(object, 'spec.selector')
  return isObject(selector) ? selectorText(selector) : undefined
}
