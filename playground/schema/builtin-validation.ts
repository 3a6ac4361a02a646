import type { Cause, KubernetesObject } from '#playground/contract.ts'
import { metadataErrors, type NameRule } from './metadata-errors.ts'
import { labelNameProblems, pathSegmentProblems, serviceNameProblems } from '#lib/object-names.ts'
import type { Rule } from './rules/look.ts'
import * as others from './rules/others.ts'
import * as workloads from './rules/workloads.ts'

const rules: Readonly<Record<string, Rule>> = {
  'v1/ConfigMap': others.keys,
  'v1/PersistentVolumeClaim': workloads.volumeClaim,
  'v1/Pod': workloads.pod,
  'v1/Secret': others.keys,
  'v1/Service': others.service,
  'apiextensions.k8s.io/v1/CustomResourceDefinition': others.definition,
  'apps/v1/DaemonSet': workloads.daemonSet,
  'apps/v1/Deployment': workloads.deployment,
  'apps/v1/ReplicaSet': workloads.replicaSet,
  'apps/v1/StatefulSet': workloads.statefulSet,
  'autoscaling/v1/HorizontalPodAutoscaler': workloads.autoscaler,
  'autoscaling/v2/HorizontalPodAutoscaler': workloads.autoscaler,
  'batch/v1/CronJob': workloads.cronJob,
  'batch/v1/Job': workloads.job,
  'networking.k8s.io/v1/Ingress': others.ingress,
  'policy/v1/PodDisruptionBudget': workloads.disruptionBudget,
  'rbac.authorization.k8s.io/v1/ClusterRole': workloads.role,
  'rbac.authorization.k8s.io/v1/ClusterRoleBinding': workloads.roleBinding,
  'rbac.authorization.k8s.io/v1/Role': workloads.role,
  'rbac.authorization.k8s.io/v1/RoleBinding': workloads.roleBinding,
}

const nameRules: Readonly<Record<string, NameRule>> = { 'v1/Namespace': labelNameProblems, 'v1/Service': serviceNameProblems }

/**
 * The causes of a 422 for an object of a built-in kind, decoded and defaulted; none where it is valid. It holds what a delivery meets, not all that
 * Kubernetes checks. What must not change on update (selectors, claims, cluster addresses) is the server's.
 */
export function validateBuiltin(object: KubernetesObject, live: KubernetesObject | undefined, namespaced?: boolean): Cause[] {
  const kind = `${object.apiVersion}/${object.kind}`
  const name = nameRules[kind] ?? (kind.startsWith('rbac.') ? pathSegmentProblems : undefined)
  return [...metadataErrors(object, live, { name, namespaced }), ...(rules[kind]?.(object, live) ?? [])]
}
