import { equalJson } from '#lib/json.ts'
import type { Json } from '#lib/json.ts'
import { parseKey, type ObjectKey } from '#model/resource.ts'

type Table = Readonly<Record<string, Json>>

/** Where a pod's specification is, by kind. */
const podSpecs: Readonly<Record<string, string>> = {
  Deployment: 'spec.template.spec',
  ReplicaSet: 'spec.template.spec',
  StatefulSet: 'spec.template.spec',
  DaemonSet: 'spec.template.spec',
  Job: 'spec.template.spec',
  CronJob: 'spec.jobTemplate.spec.template.spec',
}

const probe = (name: string): Table => ({ [`containers[].${name}.timeoutSeconds`]: 1, [`containers[].${name}.periodSeconds`]: 10, [`containers[].${name}.successThreshold`]: 1, [`containers[].${name}.failureThreshold`]: 3, [`containers[].${name}.httpGet.scheme`]: 'HTTP' })

/** What a server fills in where a pod's specification leaves it out. Source: `pkg/apis/core/v1/defaults.go`, Kubernetes 1.36. */
const pod: Table = {
  restartPolicy: 'Always', terminationGracePeriodSeconds: 30, dnsPolicy: 'ClusterFirst', schedulerName: 'default-scheduler', securityContext: {}, enableServiceLinks: true,
  'containers[].terminationMessagePath': '/dev/termination-log', 'containers[].terminationMessagePolicy': 'File', 'containers[].resources': {}, 'containers[].ports[].protocol': 'TCP',
  ...probe('livenessProbe'), ...probe('readinessProbe'), ...probe('startupProbe'),
  'containers[].env[].valueFrom.fieldRef.apiVersion': 'v1',
  'volumes[].configMap.defaultMode': 420, 'volumes[].secret.defaultMode': 420, 'volumes[].projected.defaultMode': 420, 'volumes[].downwardAPI.defaultMode': 420, 'volumes[].hostPath.type': '',
}

/** By kind. Sources: `pkg/apis/{apps,batch,core,autoscaling}/v1/defaults.go`. */
const kinds: Readonly<Record<string, Table>> = {
  Deployment: { 'spec.progressDeadlineSeconds': 600, 'spec.revisionHistoryLimit': 10, 'spec.strategy.type': 'RollingUpdate', 'spec.strategy.rollingUpdate.maxSurge': '25%', 'spec.strategy.rollingUpdate.maxUnavailable': '25%' },
  StatefulSet: {
    'spec.podManagementPolicy': 'OrderedReady', 'spec.revisionHistoryLimit': 10, 'spec.updateStrategy.type': 'RollingUpdate', 'spec.updateStrategy.rollingUpdate.partition': 0,
    'spec.persistentVolumeClaimRetentionPolicy.whenDeleted': 'Retain', 'spec.persistentVolumeClaimRetentionPolicy.whenScaled': 'Retain',
  },
  DaemonSet: { 'spec.revisionHistoryLimit': 10, 'spec.updateStrategy.type': 'RollingUpdate', 'spec.updateStrategy.rollingUpdate.maxSurge': 0, 'spec.updateStrategy.rollingUpdate.maxUnavailable': 1 },
  Job: { 'spec.backoffLimit': 6, 'spec.completionMode': 'NonIndexed', 'spec.suspend': false, 'spec.podReplacementPolicy': 'TerminatingOrFailed', 'spec.manualSelector': false },
  CronJob: { 'spec.concurrencyPolicy': 'Allow', 'spec.suspend': false, 'spec.successfulJobsHistoryLimit': 3, 'spec.failedJobsHistoryLimit': 1 },
  Service: {
    'spec.type': 'ClusterIP', 'spec.sessionAffinity': 'None', 'spec.internalTrafficPolicy': 'Cluster', 'spec.externalTrafficPolicy': 'Cluster', 'spec.allocateLoadBalancerNodePorts': true, 'spec.ports[].protocol': 'TCP',
  },
  PersistentVolumeClaim: { 'spec.volumeMode': 'Filesystem' },
}

/** Whether a value is what the server fills in where nothing is said. `pattern`: a path in which every item is `[]`. */
export function isDefault(key: ObjectKey, pattern: string, value: Json, sibling: (name: string) => Json | undefined): boolean {
  const { kind } = parseKey(key)
  const table = Object.hasOwn(kinds, kind) ? kinds[kind] : undefined
  if (table !== undefined && Object.hasOwn(table, pattern) && equalJson(table[pattern], value)) return true
  // A Service's port leads to the port of that number.
  if (kind === 'Service' && pattern === 'spec.ports[].targetPort') return equalJson(value, sibling('port'))
  const inPod = Object.hasOwn(podSpecs, kind) ? podSpecs[kind] : undefined
  if (inPod === undefined || !pattern.startsWith(`${inPod}.`)) return false
  const below = pattern.slice(inPod.length + 1).replace(/^initContainers/, 'containers')
  if (below === 'containers[].imagePullPolicy') return value === pullPolicy(String(sibling('image') ?? ''))
  return Object.hasOwn(pod, below) && equalJson(pod[below], value)
}

/** An image without a tag, or with `latest`, is pulled each time. */
function pullPolicy(image: string): string {
  const [name = '', digest] = image.split('@')
  const tag = /:([^/:]+)$/.exec(name)?.[1]
  return digest === undefined && (tag === undefined || tag === 'latest') ? 'Always' : 'IfNotPresent'
}
