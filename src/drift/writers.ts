import { ownerName } from '#model/field-set.ts'
import type { Owner } from '#model/plan.ts'

/** What sort of client a field manager is. A name can be forged, and tells of no person: `ambiguous` is everything that is not known for one thing. */
export type Writer = 'interactive' | 'controller' | 'ambiguous'

/**
 * What `kubectl` calls itself, by subcommand (kubectl 1.32; `scale` writes as `kubectl` to the subresource, `apply --server-side` as `kubectl`).
 * `kubectl-client-side-apply` is not here: Argo CD writes under that name too.
 */
const interactive = new Set([
  'kubectl', 'kubectl-edit', 'kubectl-patch', 'kubectl-create', 'kubectl-replace', 'kubectl-rollout', 'kubectl-set', 'kubectl-label', 'kubectl-annotate',
  'kubectl-run', 'kubectl-expose', 'kubectl-autoscale', 'kubectl-cordon', 'kubectl-uncordon', 'kubectl-drain', 'kubectl-taint', 'kubectl-debug',
])

const controllers = new Set([
  'kube-controller-manager', 'kube-scheduler', 'kubelet', 'cloud-controller-manager', 'horizontal-pod-autoscaler', 'vpa-updater', 'vpa-recommender', 'vpa-admission-controller',
  'cluster-autoscaler', 'keda', 'argocd-controller', 'argocd-application-controller', 'argo-rollouts', 'kustomize-controller', 'helm-controller', 'flux', 'gotk', 'fleetagent',
  'istiod', 'linkerd-proxy-injector', 'crossplane', 'karpenter', 'cloudnative-pg', 'manager',
])

/** As programs that run in a cluster are named: `cert-manager-cainjector`, `external-dns-controller`, `apiextensions.crossplane.io/composed/1a2b`. */
const controllerNames = /(?:^|[-_./])(?:controller|controllers|controller-manager|operator|autoscaler|injector|cainjector|reconciler)(?:$|[-_./])|^cert-manager|^apiextensions\.crossplane\.io\//

/** `all`: every owner of the object. Who writes the status of an object too is at work on it for good: no person does that. */
export function writerOf(owner: Owner, all: readonly Owner[]): Writer {
  const { manager } = owner
  if (interactive.has(manager)) return 'interactive'
  if (controllers.has(manager) || controllerNames.test(manager)) return 'controller'
  const writesStatus = all.some((other) => other.manager === manager && other.subresource === 'status')
  return writesStatus && !manager.startsWith('kubectl') ? 'controller' : 'ambiguous'
}

/** As a finding names it: the manager, with the subresource that it wrote to (`kubectl (scale)`). */
export function writerName(owner: Pick<Owner, 'manager' | 'subresource'>): string {
  return owner.subresource === '' ? owner.manager : `${owner.manager} (${owner.subresource})`
}

/** The same for several, each once, by name; null for none. */
export function writerNames(owners: readonly Owner[]): string | null {
  const names = [...new Map(owners.map((owner) => [ownerName(owner), writerName(owner)])).values()].sort()
  return names.length === 0 ? null : [...new Set(names)].join(', ')
}

const carriers = new Set(['system:kube-controller-manager', 'system:serviceaccount:kube-system:namespace-controller', 'system:serviceaccount:kube-system:generic-garbage-collector'])

/** Whether a user of an API server is one of the cluster’s own programs that delete because of what somebody else deleted. */
export function isCarrier(user: string): boolean {
  return carriers.has(user)
}

/** Whether a user of an API server is a program: a node, a component, a service account. `system:admin` is whom k3s and OpenShift hand out to people. */
export function isProgram(user: string): boolean {
  return user.startsWith('system:') && user !== 'system:admin'
}
