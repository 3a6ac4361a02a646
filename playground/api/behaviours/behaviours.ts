import type { Cause, KubernetesObject } from '#playground/contract.ts'
import type { Backend, BackendOptions } from '../backend.ts'
import type { Kind } from '../kinds.ts'
import { admissionPolicy, webhookConfiguration } from './admission-policy.ts'
import { definition } from './definition.ts'
import { namespace, secret, service, pod, volumeClaim, configMap, roleBinding } from './core.ts'
import { daemonSet, fixedSelector, job, statefulSet } from './workloads.ts'

/** What a built-in kind does beyond its schema. */
export type Behaviour = {
  /** Completes a new object in place, after defaulting. */
  readonly create?: (object: KubernetesObject, options: BackendOptions, backend: Backend) => void
  /** Completes a new object that is valid and owned: what is set here belongs to nobody. Webhooks have been asked, policies have not. */
  readonly admitted?: (object: KubernetesObject, options: BackendOptions, backend: Backend) => void
  /** Completes a changed object in place. */
  readonly update?: (object: KubernetesObject, live: KubernetesObject) => void
  /** Completes a changed object that is valid and owned. */
  readonly changed?: (object: KubernetesObject, live: KubernetesObject, backend: Backend) => void
  readonly check?: (object: KubernetesObject, live: KubernetesObject | undefined) => Cause[]
}

const behaviours: Readonly<Record<string, Behaviour>> = {
  '/ConfigMap': configMap,
  '/Namespace': namespace,
  '/PersistentVolumeClaim': volumeClaim,
  '/Pod': pod,
  '/Secret': secret,
  '/Service': service,
  'admissionregistration.k8s.io/MutatingWebhookConfiguration': webhookConfiguration,
  'admissionregistration.k8s.io/ValidatingAdmissionPolicy': admissionPolicy,
  'admissionregistration.k8s.io/ValidatingWebhookConfiguration': webhookConfiguration,
  'apiextensions.k8s.io/CustomResourceDefinition': definition,
  'apps/DaemonSet': daemonSet,
  'apps/Deployment': fixedSelector,
  'apps/ReplicaSet': fixedSelector,
  'apps/StatefulSet': statefulSet,
  'batch/Job': job,
  'rbac.authorization.k8s.io/ClusterRoleBinding': roleBinding,
  'rbac.authorization.k8s.io/RoleBinding': roleBinding,
}

export function behaviourOf(kind: Kind): Behaviour | undefined {
  return kind.custom ? undefined : behaviours[`${kind.group}/${kind.kind}`]
}
