import type { KubernetesObject, Schema } from '#playground/contract.ts'
import { asAutoscalerV1, asAutoscalerV2 } from './autoscaler-versions.ts'
import type { Column } from './columns/column.ts'
import { asCoreEvent, asNewEvent } from './event-versions.ts'

/** Dotted paths of the scale subresource, as a definition gives them. */
export type ScalePaths = { readonly specReplicas: string; readonly statusReplicas: string; readonly labelSelector?: string }

export type Conversion = { readonly fromStorage: (object: KubernetesObject) => KubernetesObject; readonly toStorage: (object: KubernetesObject) => KubernetesObject }

/** One kind in one served version: all that the server needs to know to serve it. */
export type Kind = {
  readonly group: string
  readonly version: string
  readonly plural: string
  readonly singular: string
  readonly kind: string
  readonly listKind: string
  readonly namespaced: boolean
  readonly shortNames: readonly string[]
  readonly categories: readonly string[]
  readonly status: boolean
  readonly scale?: ScalePaths
  /** Subresources beside status and scale, with their verbs, for discovery. */
  readonly others: readonly string[]
  /** Paths that field selectors may name, beside metadata.name and metadata.namespace. */
  readonly selectable: readonly string[]
  /** What raises `metadata.generation`: everything but metadata and status, that and labels, everything but metadata, or nothing. */
  readonly generation: 'not-status' | 'labels-too' | 'not-metadata' | 'none'
  /** A PUT of what is not there creates it. */
  readonly createdByPut: boolean
  /** A PUT must say which version it replaces. */
  readonly versionedPut: boolean
  readonly custom: boolean
  /** The version that objects are stored in, and the group, where that is another one. */
  readonly storageVersion: string
  readonly storageGroup?: string
  /** Only read here; what is written is written in the version that is stored. */
  readonly readOnly: boolean
  /** How an object of the storage version becomes one of this version, and back, where they differ in more than their name. */
  readonly conversion?: Conversion
  /** Of a custom kind: a webhook would turn its versions into each other. */
  readonly converter?: 'webhook'
  /** Every served version's schema, by `apiVersion`. */
  readonly versions: Readonly<Record<string, Schema>>
  readonly schema: Schema
  /** Of a custom kind: the schema as its definition gives it, without what every object has. */
  readonly given?: Schema
  /** `undefined`: the columns that the kind has by its name (`columns/`). */
  readonly columns?: readonly Column[]
  readonly deprecation?: string
}

export function apiVersionOf(kind: { group: string; version: string }): string {
  return kind.group === '' ? kind.version : `${kind.group}/${kind.version}`
}

/** Whether all objects of a kind may be deleted at once: namespaces go one by one. */
export function deletesCollection(kind: { group: string; plural: string }): boolean {
  return resourceOf(kind) !== '/namespaces'
}

/** How storage names a resource, whatever its version. */
export function resourceOf(kind: { group: string; plural: string; storageGroup?: string }): string {
  return `${kind.storageGroup ?? kind.group}/${kind.plural}`
}

type Flags = {
  cluster?: true
  short?: string
  categories?: string
  status?: true
  scale?: true
  others?: string
  selectable?: string
  generation?: true | 'labels-too'
  createdByPut?: true
  versionedPut?: true
  deprecation?: string
  /** Of a version that is not stored: the one that is, its group where that is another one, and the way between them. */
  stored?: { readonly version: string; readonly group?: string; readonly conversion: Conversion }
  readOnly?: true
}

/** The kinds that a delivery meets. [group, version, plural, kind, what differs] */
const table: readonly (readonly [string, string, string, string, Flags])[] = [
  ['', 'v1', 'configmaps', 'ConfigMap', { short: 'cm' }],
  ['', 'v1', 'endpoints', 'Endpoints', { short: 'ep', deprecation: 'v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice', createdByPut: true }],
  [
    '',
    'v1',
    'events',
    'Event',
    {
      short: 'ev',
      selectable:
        'involvedObject.kind involvedObject.namespace involvedObject.name involvedObject.uid involvedObject.apiVersion involvedObject.fieldPath reason reportingComponent source type',
      createdByPut: true,
    },
  ],
  ['', 'v1', 'limitranges', 'LimitRange', { short: 'limits', createdByPut: true }],
  ['', 'v1', 'namespaces', 'Namespace', { cluster: true, short: 'ns', status: true, others: 'finalize', selectable: 'status.phase' }],
  ['', 'v1', 'nodes', 'Node', { cluster: true, short: 'no', status: true, selectable: 'spec.unschedulable' }],
  ['', 'v1', 'persistentvolumeclaims', 'PersistentVolumeClaim', { short: 'pvc', status: true }],
  ['', 'v1', 'persistentvolumes', 'PersistentVolume', { cluster: true, short: 'pv', status: true }],
  [
    '',
    'v1',
    'pods',
    'Pod',
    {
      short: 'po',
      categories: 'all',
      status: true,
      others: 'eviction log',
      selectable: 'spec.nodeName spec.restartPolicy spec.schedulerName spec.serviceAccountName status.phase status.podIP',
      generation: true,
    },
  ],
  ['', 'v1', 'resourcequotas', 'ResourceQuota', { short: 'quota', status: true }],
  ['', 'v1', 'secrets', 'Secret', { selectable: 'type' }],
  ['', 'v1', 'serviceaccounts', 'ServiceAccount', { short: 'sa', others: 'token' }],
  ['', 'v1', 'services', 'Service', { short: 'svc', categories: 'all', status: true, selectable: 'spec.clusterIP spec.type', createdByPut: true }],
  ['admissionregistration.k8s.io', 'v1', 'mutatingwebhookconfigurations', 'MutatingWebhookConfiguration', { cluster: true, categories: 'api-extensions', generation: true, versionedPut: true }],
  ['admissionregistration.k8s.io', 'v1', 'validatingadmissionpolicies', 'ValidatingAdmissionPolicy', { cluster: true, categories: 'api-extensions', status: true, generation: true, versionedPut: true }],
  ['admissionregistration.k8s.io', 'v1', 'validatingadmissionpolicybindings', 'ValidatingAdmissionPolicyBinding', { cluster: true, categories: 'api-extensions', generation: true, versionedPut: true }],
  ['admissionregistration.k8s.io', 'v1', 'validatingwebhookconfigurations', 'ValidatingWebhookConfiguration', { cluster: true, categories: 'api-extensions', generation: true, versionedPut: true }],
  [
    'apiextensions.k8s.io',
    'v1',
    'customresourcedefinitions',
    'CustomResourceDefinition',
    { cluster: true, short: 'crd crds', categories: 'api-extensions', status: true, generation: true, versionedPut: true },
  ],
  ['apps', 'v1', 'controllerrevisions', 'ControllerRevision', {}],
  ['apps', 'v1', 'daemonsets', 'DaemonSet', { short: 'ds', categories: 'all', status: true, generation: true }],
  ['apps', 'v1', 'deployments', 'Deployment', { short: 'deploy', categories: 'all', status: true, scale: true, generation: true }],
  ['apps', 'v1', 'replicasets', 'ReplicaSet', { short: 'rs', categories: 'all', status: true, scale: true, generation: true, selectable: 'status.replicas' }],
  ['apps', 'v1', 'statefulsets', 'StatefulSet', { short: 'sts', categories: 'all', status: true, scale: true, generation: true }],
  [
    'autoscaling',
    'v1',
    'horizontalpodautoscalers',
    'HorizontalPodAutoscaler',
    { short: 'hpa', categories: 'all', status: true, stored: { version: 'v2', conversion: { fromStorage: asAutoscalerV1, toStorage: asAutoscalerV2 } } },
  ],
  ['autoscaling', 'v2', 'horizontalpodautoscalers', 'HorizontalPodAutoscaler', { short: 'hpa', categories: 'all', status: true }],
  ['batch', 'v1', 'cronjobs', 'CronJob', { short: 'cj', categories: 'all', status: true, generation: true }],
  ['batch', 'v1', 'jobs', 'Job', { categories: 'all', status: true, generation: true, selectable: 'status.successful' }],
  ['coordination.k8s.io', 'v1', 'leases', 'Lease', { createdByPut: true, versionedPut: true }],
  ['discovery.k8s.io', 'v1', 'endpointslices', 'EndpointSlice', { generation: 'labels-too' }],
  [
    'events.k8s.io',
    'v1',
    'events',
    'Event',
    {
      short: 'ev',
      readOnly: true,
      selectable: 'regarding.kind regarding.namespace regarding.name regarding.uid regarding.apiVersion regarding.resourceVersion regarding.fieldPath reason reportingController type',
      stored: { version: 'v1', group: '', conversion: { fromStorage: asNewEvent, toStorage: asCoreEvent } },
    },
  ],
  ['networking.k8s.io', 'v1', 'ingressclasses', 'IngressClass', { cluster: true, generation: true }],
  ['networking.k8s.io', 'v1', 'ingresses', 'Ingress', { short: 'ing', status: true, generation: true }],
  ['networking.k8s.io', 'v1', 'networkpolicies', 'NetworkPolicy', { short: 'netpol', generation: true }],
  ['policy', 'v1', 'poddisruptionbudgets', 'PodDisruptionBudget', { short: 'pdb', status: true, generation: true, versionedPut: true }],
  ['rbac.authorization.k8s.io', 'v1', 'clusterrolebindings', 'ClusterRoleBinding', { cluster: true, createdByPut: true }],
  ['rbac.authorization.k8s.io', 'v1', 'clusterroles', 'ClusterRole', { cluster: true, createdByPut: true }],
  ['rbac.authorization.k8s.io', 'v1', 'rolebindings', 'RoleBinding', { createdByPut: true }],
  ['rbac.authorization.k8s.io', 'v1', 'roles', 'Role', { createdByPut: true }],
  ['scheduling.k8s.io', 'v1', 'priorityclasses', 'PriorityClass', { cluster: true, short: 'pc', generation: true }],
  ['storage.k8s.io', 'v1', 'storageclasses', 'StorageClass', { cluster: true, short: 'sc' }],
]

const anything: Schema = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true }

/** The built-in kinds; `schemaOf` gives the schema of one, where it has one. */
export function builtInKinds(schemaOf: (group: string, version: string, kind: string) => Schema | undefined): Kind[] {
  return table.map(([group, version, plural, kind, flags]) => {
    const schema = schemaOf(group, version, kind) ?? anything
    return {
      group,
      version,
      plural,
      singular: kind.toLowerCase(),
      kind,
      listKind: `${kind}List`,
      namespaced: flags.cluster !== true,
      shortNames: words(flags.short),
      categories: words(flags.categories),
      status: flags.status === true,
      ...(flags.scale === true ? { scale: { specReplicas: '.spec.replicas', statusReplicas: '.status.replicas' } } : {}),
      others: words(flags.others),
      selectable: words(flags.selectable),
      generation: flags.generation === true ? 'not-status' : (flags.generation ?? 'none'),
      createdByPut: flags.createdByPut === true,
      versionedPut: flags.versionedPut === true,
      custom: false,
      ...(flags.deprecation === undefined ? {} : { deprecation: flags.deprecation }),
      storageVersion: flags.stored?.version ?? version,
      ...(flags.stored?.group === undefined ? {} : { storageGroup: flags.stored.group }),
      ...(flags.stored === undefined ? {} : { conversion: flags.stored.conversion }),
      readOnly: flags.readOnly === true,
      versions: versionsOf(group, kind, schemaOf),
      schema,
    } satisfies Kind
  })
}

/** The schemas of every version that a kind is served in. */
function versionsOf(group: string, kind: string, schemaOf: (group: string, version: string, kind: string) => Schema | undefined): Record<string, Schema> {
  const same = table.filter((row) => row[0] === group && row[3] === kind)
  return Object.fromEntries(same.map(([, version]) => [apiVersionOf({ group, version }), schemaOf(group, version, kind) ?? anything]))
}

function words(text: string | undefined): string[] {
  return text === undefined ? [] : text.split(' ')
}
