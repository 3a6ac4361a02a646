import type { JsonObject } from '#lib/json.ts'
import type { KubernetesObject, Objects } from '#playground/contract.ts'

const rbac = 'rbac.authorization.k8s.io'
const read = ['get', 'list', 'watch']
const write = ['create', 'delete', 'deletecollection', 'patch', 'update']

const on = (apiGroup: string, resources: string, verbs: readonly string[]): JsonObject => ({ apiGroups: [apiGroup], resources: resources.split(' '), verbs: [...verbs] })
const at = (urls: string, verbs: readonly string[] = ['get']): JsonObject => ({ nonResourceURLs: urls.split(' '), verbs: [...verbs] })

const workloads: readonly (readonly [string, string])[] = [
  ['apps', 'daemonsets deployments deployments/scale replicasets replicasets/scale statefulsets statefulsets/scale'],
  ['autoscaling', 'horizontalpodautoscalers'],
  ['batch', 'cronjobs jobs'],
  ['networking.k8s.io', 'ingresses networkpolicies'],
  ['policy', 'poddisruptionbudgets'],
]
const seen: readonly JsonObject[] = [
  on('', 'configmaps endpoints persistentvolumeclaims persistentvolumeclaims/status pods serviceaccounts services services/status', read),
  on('', 'events namespaces namespaces/status pods/log pods/status', read),
  on('apps', 'controllerrevisions daemonsets/status deployments/status replicasets/status statefulsets/status', read),
  on('discovery.k8s.io', 'endpointslices', read),
  ...workloads.map(([apiGroup, resources]) => on(apiGroup, resources, read)),
]
const edited: readonly JsonObject[] = [
  on('', 'secrets', read),
  on('', 'serviceaccounts', ['impersonate']),
  on('', 'serviceaccounts/token', ['create']),
  on('', 'configmaps events persistentvolumeclaims pods secrets serviceaccounts services', write),
  on('', 'pods/eviction', ['create']),
  on('', 'pods/attach pods/exec pods/portforward pods/proxy services/proxy', [...read, ...write]),
  ...workloads.map(([apiGroup, resources]) => on(apiGroup, resources, write)),
  on('coordination.k8s.io', 'leases', [...read, ...write]),
]

/** What a role with an aggregation rule collects, by the label that says so. */
const collects = (role: string): JsonObject => ({ clusterRoleSelectors: [{ matchLabels: { [`${rbac}/aggregate-to-${role}`]: 'true' } }] })
const collected = (role: string): JsonObject => ({ [`${rbac}/aggregate-to-${role}`]: 'true' })

type Role = { readonly rules: readonly JsonObject[]; readonly labels?: JsonObject; readonly aggregationRule?: JsonObject }

const roles: Readonly<Record<string, Role>> = {
  'cluster-admin': { rules: [on('*', '*', ['*']), at('*', ['*'])] },
  admin: { rules: [], aggregationRule: collects('admin') },
  edit: { rules: [], aggregationRule: collects('edit'), labels: collected('admin') },
  view: { rules: [], aggregationRule: collects('view'), labels: collected('edit') },
  'system:aggregate-to-admin': {
    labels: collected('admin'),
    rules: [on('authorization.k8s.io', 'localsubjectaccessreviews', ['create']), on(rbac, 'rolebindings roles', [...read, ...write])],
  },
  'system:aggregate-to-edit': { labels: collected('edit'), rules: edited },
  'system:aggregate-to-view': { labels: collected('view'), rules: seen },
  'system:auth-delegator': { rules: [on('authentication.k8s.io', 'tokenreviews', ['create']), on('authorization.k8s.io', 'subjectaccessreviews', ['create'])] },
  'system:basic-user': {
    rules: [on('authorization.k8s.io', 'selfsubjectaccessreviews selfsubjectrulesreviews', ['create']), on('authentication.k8s.io', 'selfsubjectreviews', ['create'])],
  },
  'system:discovery': { rules: [at('/api /api/* /apis /apis/* /healthz /livez /openapi /openapi/* /readyz /version /version/')] },
  'system:public-info-viewer': { rules: [at('/healthz /livez /readyz /version /version/')] },
}

const bindings: Readonly<Record<string, readonly string[]>> = {
  'cluster-admin': ['system:masters'],
  'system:basic-user': ['system:authenticated'],
  'system:discovery': ['system:authenticated'],
  'system:public-info-viewer': ['system:authenticated', 'system:unauthenticated'],
}

/** Puts the roles that every cluster has where they are not there yet. Source: the Kubernetes documentation's default roles. */
export function foundRoles(objects: Objects): void {
  const metadata = (name: string, labels: JsonObject = {}): JsonObject => ({
    name,
    labels: { 'kubernetes.io/bootstrapping': 'rbac-defaults', ...labels },
    annotations: { 'rbac.authorization.kubernetes.io/autoupdate': 'true' },
  })
  const found = (plural: string, object: JsonObject, name: string): void => {
    const resource = { group: rbac, version: 'v1', plural }
    if (objects.get(resource, '', name) === undefined) objects.create(resource, object as KubernetesObject, 'kube-apiserver')
  }
  for (const [name, { rules, labels, aggregationRule }] of Object.entries(roles)) {
    const role = { apiVersion: `${rbac}/v1`, kind: 'ClusterRole', metadata: metadata(name, labels), ...(aggregationRule === undefined ? {} : { aggregationRule }), rules: [...rules] }
    found('clusterroles', role, name)
  }
  for (const [name, groups] of Object.entries(bindings)) {
    const subjects = groups.map((group) => ({ kind: 'Group', apiGroup: rbac, name: group }))
    found('clusterrolebindings', { apiVersion: `${rbac}/v1`, kind: 'ClusterRoleBinding', metadata: metadata(name), roleRef: { apiGroup: rbac, kind: 'ClusterRole', name }, subjects }, name)
  }
}
