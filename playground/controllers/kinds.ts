import type { JsonObject } from '#lib/json.ts'
import type { Kind } from './typed-objects.ts'

/* The fields that the controllers read and write, of the kinds that they know; all other fields pass through untouched. */

export type OwnerReference = {
  apiVersion: string
  kind: string
  name: string
  uid: string
  controller?: boolean
  blockOwnerDeletion?: boolean
}

export type Metadata = {
  name: string
  namespace: string
  uid: string
  generation?: number
  resourceVersion?: string
  creationTimestamp?: string
  deletionTimestamp?: string
  deletionGracePeriodSeconds?: number
  labels?: Record<string, string>
  annotations?: Record<string, string>
  finalizers?: string[]
  ownerReferences?: OwnerReference[]
}

export type Stored<Spec = JsonObject, Status = JsonObject> = {
  apiVersion: string
  kind: string
  metadata: Metadata
  spec: Spec
  status?: Status
}

export type Condition = {
  type: string
  status: 'True' | 'False' | 'Unknown'
  reason?: string
  message?: string
  lastTransitionTime?: string
  lastUpdateTime?: string
  lastProbeTime?: string | null
  observedGeneration?: number
}

export type LabelSelector = {
  matchLabels?: Record<string, string>
  matchExpressions?: { key: string; operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist'; values?: string[] }[]
}

type KeyReference = { name: string; key: string; optional?: boolean }

export type EnvVar = {
  name: string
  value?: string
  valueFrom?: {
    configMapKeyRef?: KeyReference
    secretKeyRef?: KeyReference
    fieldRef?: { fieldPath: string }
    resourceFieldRef?: JsonObject
  }
}

type EnvFrom = {
  prefix?: string
  configMapRef?: { name: string; optional?: boolean }
  secretRef?: { name: string; optional?: boolean }
}

export type ProbeSpec = {
  httpGet?: { path?: string; port: number | string; scheme?: string; host?: string; httpHeaders?: { name: string; value: string }[] }
  tcpSocket?: { port: number | string; host?: string }
  exec?: JsonObject
  grpc?: JsonObject
  initialDelaySeconds?: number
  periodSeconds?: number
  timeoutSeconds?: number
  successThreshold?: number
  failureThreshold?: number
}

export type Container = {
  name: string
  image: string
  command?: string[]
  args?: string[]
  env?: EnvVar[]
  envFrom?: EnvFrom[]
  ports?: { name?: string; containerPort: number; protocol?: string }[]
  volumeMounts?: { name: string; mountPath: string; subPath?: string; readOnly?: boolean }[]
  readinessProbe?: ProbeSpec
  livenessProbe?: ProbeSpec
  startupProbe?: ProbeSpec
}

type KeyToPath = { key: string; path: string }

export type Volume = {
  name: string
  configMap?: { name: string; items?: KeyToPath[]; optional?: boolean }
  secret?: { secretName: string; items?: KeyToPath[]; optional?: boolean }
  emptyDir?: JsonObject
  persistentVolumeClaim?: { claimName: string }
}

export type Taint = { key: string; value?: string; effect: 'NoSchedule' | 'PreferNoSchedule' | 'NoExecute'; timeAdded?: string }
export type Toleration = { key?: string; operator?: 'Equal' | 'Exists'; value?: string; effect?: Taint['effect'] | ''; tolerationSeconds?: number }

type NodeExpression = { key: string; operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist' | 'Gt' | 'Lt'; values?: string[] }
export type NodeTerm = { matchExpressions?: NodeExpression[]; matchFields?: NodeExpression[] }

export type PodSpec = {
  nodeName?: string
  schedulerName?: string
  schedulingGates?: { name: string }[]
  nodeSelector?: Record<string, string>
  affinity?: { nodeAffinity?: { requiredDuringSchedulingIgnoredDuringExecution?: { nodeSelectorTerms: NodeTerm[] } } }
  tolerations?: Toleration[]
  restartPolicy?: 'Always' | 'OnFailure' | 'Never'
  terminationGracePeriodSeconds?: number
  serviceAccountName?: string
  initContainers?: Container[]
  containers: Container[]
  volumes?: Volume[]
}

export type ContainerState = {
  waiting?: { reason: string; message?: string }
  running?: { startedAt: string }
  terminated?: { exitCode: number; reason: string; message?: string; signal?: number; startedAt: string; finishedAt: string; containerID: string }
}

export type ContainerStatus = {
  name: string
  state: ContainerState
  lastState: ContainerState
  ready: boolean
  started?: boolean
  restartCount: number
  image: string
  imageID: string
  containerID?: string
}

export type PodStatus = {
  phase?: 'Pending' | 'Running' | 'Succeeded' | 'Failed' | 'Unknown'
  observedGeneration?: number
  conditions?: Condition[]
  reason?: string
  message?: string
  hostIP?: string
  hostIPs?: { ip: string }[]
  podIP?: string
  podIPs?: { ip: string }[]
  qosClass?: string
  startTime?: string
  initContainerStatuses?: ContainerStatus[]
  containerStatuses?: ContainerStatus[]
}

export type Pod = Stored<PodSpec, PodStatus>
export type PodTemplate = { metadata?: { labels?: Record<string, string>; annotations?: Record<string, string> }; spec: PodSpec }

export type ReplicaSet = Stored<
  { replicas?: number; minReadySeconds?: number; selector: LabelSelector; template: PodTemplate },
  {
    replicas?: number
    fullyLabeledReplicas?: number
    readyReplicas?: number
    availableReplicas?: number
    observedGeneration?: number
    conditions?: Condition[]
  }
>

export type DeploymentSpec = {
  replicas?: number
  selector: LabelSelector
  template: PodTemplate
  strategy?: { type?: 'RollingUpdate' | 'Recreate'; rollingUpdate?: { maxSurge?: number | string; maxUnavailable?: number | string } }
  minReadySeconds?: number
  revisionHistoryLimit?: number
  progressDeadlineSeconds?: number
  paused?: boolean
}

export type DeploymentStatus = {
  observedGeneration?: number
  replicas?: number
  updatedReplicas?: number
  readyReplicas?: number
  availableReplicas?: number
  unavailableReplicas?: number
  conditions?: Condition[]
}

export type Deployment = Stored<DeploymentSpec, DeploymentStatus>

export type StatefulSet = Stored<
  {
    replicas?: number
    selector: LabelSelector
    serviceName?: string
    template: PodTemplate
    podManagementPolicy?: 'OrderedReady' | 'Parallel'
    revisionHistoryLimit?: number
    updateStrategy?: { type?: 'RollingUpdate' | 'OnDelete'; rollingUpdate?: { partition?: number } }
    minReadySeconds?: number
    volumeClaimTemplates?: { metadata: { name: string; labels?: Record<string, string> }; spec: JsonObject }[]
  },
  {
    observedGeneration?: number
    replicas?: number
    readyReplicas?: number
    availableReplicas?: number
    currentReplicas?: number
    updatedReplicas?: number
    currentRevision?: string
    updateRevision?: string
    collisionCount?: number
  }
>

export type DaemonSet = Stored<
  {
    selector: LabelSelector
    template: PodTemplate
    updateStrategy?: { type?: 'RollingUpdate' | 'OnDelete' }
    minReadySeconds?: number
    revisionHistoryLimit?: number
  },
  {
    observedGeneration?: number
    currentNumberScheduled?: number
    desiredNumberScheduled?: number
    numberMisscheduled?: number
    numberReady?: number
    numberAvailable?: number
    numberUnavailable?: number
    updatedNumberScheduled?: number
  }
>

/** A template that a StatefulSet or DaemonSet has had, as the strategic merge patch that brings it back. */
export type ControllerRevision = Stored<never> & { revision: number; data: { spec: { template: PodTemplate & { $patch: 'replace' } } } }

export type Job = Stored<
  {
    parallelism?: number
    completions?: number
    backoffLimit?: number
    activeDeadlineSeconds?: number
    ttlSecondsAfterFinished?: number
    suspend?: boolean
    template: PodTemplate
  },
  {
    active?: number
    ready?: number
    terminating?: number
    succeeded?: number
    failed?: number
    startTime?: string
    completionTime?: string
    uncountedTerminatedPods?: JsonObject
    conditions?: Condition[]
  }
>

export type CronJob = Stored<
  {
    schedule: string
    timeZone?: string
    concurrencyPolicy?: 'Allow' | 'Forbid' | 'Replace'
    suspend?: boolean
    startingDeadlineSeconds?: number
    successfulJobsHistoryLimit?: number
    failedJobsHistoryLimit?: number
    jobTemplate: { metadata?: { labels?: Record<string, string>; annotations?: Record<string, string> }; spec: Job['spec'] }
  },
  { active?: { apiVersion: string; kind: string; namespace: string; name: string; uid: string }[]; lastScheduleTime?: string; lastSuccessfulTime?: string }
>

type ServicePort = { name?: string; port: number; targetPort?: number | string; protocol?: string; nodePort?: number }

export type Service = Stored<
  { type?: string; clusterIP?: string; clusterIPs?: string[]; selector?: Record<string, string>; ports?: ServicePort[]; externalName?: string },
  { loadBalancer?: { ingress?: JsonObject[] } }
>

export type EndpointPort = { name: string; port: number; protocol: string }
export type Endpoint = {
  addresses: string[]
  conditions: { ready: boolean; serving: boolean; terminating: boolean }
  nodeName?: string
  targetRef?: { kind: string; namespace: string; name: string; uid: string }
}
export type EndpointSlice = Stored<never> & { addressType: string; endpoints: Endpoint[]; ports: EndpointPort[] }
export type Endpoints = Stored<never> & { subsets?: JsonObject[] }

export type Ingress = Stored<
  {
    ingressClassName?: string
    defaultBackend?: IngressBackend
    rules?: { host?: string; http?: { paths: { path?: string; pathType?: string; backend: IngressBackend }[] } }[]
  },
  { loadBalancer?: { ingress?: { ip?: string; ports?: { port: number; protocol: string }[] }[] } }
>
export type IngressBackend = { service?: { name: string; port: { number?: number; name?: string } } }

export type Autoscaler = Stored<
  {
    scaleTargetRef: { apiVersion?: string; kind: string; name: string }
    minReplicas?: number
    maxReplicas: number
    metrics?: { type: string; resource?: { name: string; target: { type: string; averageUtilization?: number } } }[]
  },
  {
    observedGeneration?: number
    lastScaleTime?: string
    currentReplicas?: number
    desiredReplicas?: number
    currentMetrics?: JsonObject[]
    conditions?: Condition[]
  }
>

export type DisruptionBudget = Stored<
  { selector?: JsonObject; minAvailable?: number | string; maxUnavailable?: number | string },
  { observedGeneration: number; currentHealthy: number; desiredHealthy: number; disruptionsAllowed: number; expectedPods: number; disruptedPods?: Record<string, string>; conditions?: Condition[] }
>

export type Claim = Stored<
  { accessModes?: string[]; resources?: { requests?: { storage?: string } }; volumeName?: string },
  { phase?: string; accessModes?: string[]; capacity?: { storage: string } }
>

export type Namespace = Stored<{ finalizers?: string[] }, { phase?: string; conditions?: Condition[] }>
export type ConfigMap = Stored<never> & { data?: Record<string, string>; binaryData?: Record<string, string> }
export type Secret = Stored<never> & { data?: Record<string, string>; type?: string }
export type NodeObject = Stored<{ unschedulable?: boolean; taints?: Taint[] }, JsonObject & { conditions?: Condition[] }>
export type CustomResourceDefinition = Stored<{
  group: string
  names: { plural: string; kind: string }
  scope: 'Namespaced' | 'Cluster'
  versions: { name: string; served: boolean; storage: boolean }[]
}>

const kind = <T>(apiVersion: string, name: string, plural: string, scope: 'namespaced' | 'cluster' = 'namespaced'): Kind<T> => {
  const [group, version] = apiVersion.includes('/') ? apiVersion.split('/') : ['', apiVersion]
  return { apiVersion, group: group ?? '', version: version ?? '', kind: name, plural, namespaced: scope === 'namespaced' }
}

export const pods = kind<Pod>('v1', 'Pod', 'pods')
export const replicaSets = kind<ReplicaSet>('apps/v1', 'ReplicaSet', 'replicasets')
export const deployments = kind<Deployment>('apps/v1', 'Deployment', 'deployments')
export const statefulSets = kind<StatefulSet>('apps/v1', 'StatefulSet', 'statefulsets')
export const daemonSets = kind<DaemonSet>('apps/v1', 'DaemonSet', 'daemonsets')
export const controllerRevisions = kind<ControllerRevision>('apps/v1', 'ControllerRevision', 'controllerrevisions')
export const jobs = kind<Job>('batch/v1', 'Job', 'jobs')
export const cronJobs = kind<CronJob>('batch/v1', 'CronJob', 'cronjobs')
export const services = kind<Service>('v1', 'Service', 'services')
export const endpointSlices = kind<EndpointSlice>('discovery.k8s.io/v1', 'EndpointSlice', 'endpointslices')
export const endpoints = kind<Endpoints>('v1', 'Endpoints', 'endpoints')
export const ingresses = kind<Ingress>('networking.k8s.io/v1', 'Ingress', 'ingresses')
export const autoscalers = kind<Autoscaler>('autoscaling/v2', 'HorizontalPodAutoscaler', 'horizontalpodautoscalers')
export const claims = kind<Claim>('v1', 'PersistentVolumeClaim', 'persistentvolumeclaims')
export const namespaces = kind<Namespace>('v1', 'Namespace', 'namespaces', 'cluster')
export const configMaps = kind<ConfigMap>('v1', 'ConfigMap', 'configmaps')
export const secrets = kind<Secret>('v1', 'Secret', 'secrets')
export const nodes = kind<NodeObject>('v1', 'Node', 'nodes', 'cluster')
export const events = kind<Stored & JsonObject>('v1', 'Event', 'events')
export const customResourceDefinitions = kind<CustomResourceDefinition>(
  'apiextensions.k8s.io/v1',
  'CustomResourceDefinition',
  'customresourcedefinitions',
  'cluster',
)
export const disruptionBudgets = kind<DisruptionBudget>('policy/v1', 'PodDisruptionBudget', 'poddisruptionbudgets')
export const serviceAccounts = kind<Stored>('v1', 'ServiceAccount', 'serviceaccounts')
const other = (apiVersion: string, name: string, plural: string): Kind<Stored> => kind(apiVersion, name, plural)

/** The built-in namespaced kinds: what a namespace's deletion has to empty, and what may have an owner. */
export const namespacedKinds: readonly Kind<unknown>[] = [
  deployments, statefulSets, daemonSets, controllerRevisions, jobs, cronJobs, replicaSets, pods, services, endpointSlices, endpoints, ingresses, autoscalers, claims, configMaps, secrets, events, serviceAccounts, disruptionBudgets,
  other('v1', 'LimitRange', 'limitranges'),
  other('v1', 'ResourceQuota', 'resourcequotas'),
  other('networking.k8s.io/v1', 'NetworkPolicy', 'networkpolicies'),
  other('rbac.authorization.k8s.io/v1', 'Role', 'roles'),
  other('rbac.authorization.k8s.io/v1', 'RoleBinding', 'rolebindings'),
  other('coordination.k8s.io/v1', 'Lease', 'leases'),
] // prettier-ignore
