import type { JsonObject } from '#lib/json.ts'
import type { KubernetesObject } from '#playground/contract.ts'
import * as others from './defaults/others.ts'
import * as workloads from './defaults/workloads.ts'

/** What each kind's objects have when nobody said it: changes its argument in place. */
const byKind: Readonly<Record<string, (object: JsonObject) => void>> = {
  'v1/Endpoints': others.endpointsDefaults,
  'v1/Namespace': others.namespaceDefaults,
  'v1/PersistentVolume': others.volumeDefaults,
  'v1/PersistentVolumeClaim': workloads.claimDefaults,
  'v1/Pod': workloads.podDefaults,
  'v1/Secret': others.secretDefaults,
  'v1/Service': others.serviceDefaults,
  'admissionregistration.k8s.io/v1/MutatingWebhookConfiguration': others.mutatingWebhookDefaults,
  'admissionregistration.k8s.io/v1/ValidatingAdmissionPolicy': others.policyDefaults,
  'admissionregistration.k8s.io/v1/ValidatingAdmissionPolicyBinding': others.policyBindingDefaults,
  'admissionregistration.k8s.io/v1/ValidatingWebhookConfiguration': others.validatingWebhookDefaults,
  'apiextensions.k8s.io/v1/CustomResourceDefinition': others.definitionDefaults,
  'apps/v1/DaemonSet': workloads.daemonSetDefaults,
  'apps/v1/Deployment': workloads.deploymentDefaults,
  'apps/v1/ReplicaSet': workloads.replicaSetDefaults,
  'apps/v1/StatefulSet': workloads.statefulSetDefaults,
  'autoscaling/v1/HorizontalPodAutoscaler': workloads.olderAutoscalerDefaults,
  'autoscaling/v2/HorizontalPodAutoscaler': workloads.autoscalerDefaults,
  'batch/v1/CronJob': workloads.cronJobDefaults,
  'batch/v1/Job': workloads.jobDefaults,
  'discovery.k8s.io/v1/EndpointSlice': others.endpointSliceDefaults,
  'networking.k8s.io/v1/IngressClass': others.ingressClassDefaults,
  'networking.k8s.io/v1/NetworkPolicy': others.networkPolicyDefaults,
  'rbac.authorization.k8s.io/v1/ClusterRoleBinding': others.bindingDefaults,
  'rbac.authorization.k8s.io/v1/RoleBinding': others.bindingDefaults,
  'scheduling.k8s.io/v1/PriorityClass': others.priorityClassDefaults,
  'storage.k8s.io/v1/StorageClass': others.storageClassDefaults,
}

/** A built-in object with its defaults, as a new value. Of a kind without defaults it is the same value. It must fit its schema (`builtinDecodeProblem`). */
export function withBuiltinDefaults(object: KubernetesObject): KubernetesObject {
  const defaults = byKind[`${object.apiVersion}/${object.kind}`]
  if (defaults === undefined) return object
  const copy = structuredClone(object)
  defaults(copy)
  return copy
}
