import type { Json } from '#lib/json.ts'
import type { Cause, KubernetesObject } from '#playground/contract.ts'
import { invalidValue } from './causes.ts'
import { metadataErrors, type NameRule } from './metadata-errors.ts'
import { labelNameProblems, pathSegmentProblems } from '#lib/object-names.ts'
import * as access from './rules/access.ts'
import { autoscaler } from './rules/autoscaler.ts'
import type { Rule } from './rules/look.ts'
import * as networking from './rules/networking.ts'
import * as others from './rules/others.ts'
import * as workloads from './rules/workloads.ts'

const rules: Readonly<Record<string, Rule>> = {
  'v1/ConfigMap': others.configMap,
  'v1/PersistentVolumeClaim': workloads.volumeClaim,
  'v1/Pod': workloads.pod,
  'v1/Secret': others.secret,
  'v1/Service': networking.service,
  'apiextensions.k8s.io/v1/CustomResourceDefinition': others.definition,
  'apps/v1/DaemonSet': workloads.daemonSet,
  'apps/v1/Deployment': workloads.deployment,
  'apps/v1/ReplicaSet': workloads.replicaSet,
  'apps/v1/StatefulSet': workloads.statefulSet,
  'autoscaling/v1/HorizontalPodAutoscaler': autoscaler,
  'autoscaling/v2/HorizontalPodAutoscaler': autoscaler,
  'batch/v1/CronJob': workloads.cronJob,
  'batch/v1/Job': workloads.job,
  'networking.k8s.io/v1/Ingress': networking.ingress,
  'networking.k8s.io/v1/NetworkPolicy': networking.networkPolicy,
  'policy/v1/PodDisruptionBudget': workloads.disruptionBudget,
  'rbac.authorization.k8s.io/v1/ClusterRole': access.clusterRole,
  'rbac.authorization.k8s.io/v1/ClusterRoleBinding': access.clusterRoleBinding,
  'rbac.authorization.k8s.io/v1/Role': access.role,
  'rbac.authorization.k8s.io/v1/RoleBinding': access.roleBinding,
}

const nameRules: Readonly<Record<string, NameRule>> = { 'v1/Namespace': labelNameProblems, 'v1/Service': labelNameProblems }

/**
 * The causes of a 422 for an object of a built-in kind, decoded and defaulted; none where it is valid. It holds what a delivery meets, not all that
 * Kubernetes checks. What must not change on update (selectors, claims, cluster addresses) is the server's.
 */
export function validateBuiltin(object: KubernetesObject, live: KubernetesObject | undefined, namespaced?: boolean): Cause[] {
  const kind = `${object.apiVersion}/${object.kind}`
  const name = nameRules[kind] ?? (kind.startsWith('rbac.') ? pathSegmentProblems : undefined)
  const ofFinalizers = kind.startsWith('apiextensions.') ? [] : finalizerErrors(object.metadata.finalizers)
  return [...metadataErrors(object, live, { name, namespaced }), ...ofFinalizers, ...(rules[kind]?.(object, live) ?? [])]
}

const standardFinalizers = ['kubernetes', 'orphan', 'foregroundDeletion']

/** Beyond what holds of every object: of a built-in kind a finalizer is one of Kubernetes' own, or says whose it is. */
function finalizerErrors(finalizers: Json | undefined): Cause[] {
  if (!Array.isArray(finalizers)) return []
  return finalizers.flatMap((finalizer, i) => {
    const isOwned = String(finalizer).includes('/') || standardFinalizers.includes(String(finalizer))
    return isOwned ? [] : [invalidValue(`metadata.finalizers[${i}]`, finalizer, 'name is neither a standard finalizer name nor is it fully qualified')]
  })
}
