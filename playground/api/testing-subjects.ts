import { isObject, type Json, type JsonObject } from '#lib/json.ts'
import { randomConfig, withWholes } from '#playground/fields/testing/random-config.ts'

type Random = (below: number) => number

/** A kind that random writes go to: where one object of it is, what a write may say, and whether it goes at once when it is deleted. */
export type Subject = {
  readonly path: (namespace: string) => string
  readonly config: (random: Random) => JsonObject
  readonly patches: readonly string[]
  readonly deleted: 'at once' | 'when a controller lets it go'
}

const merge = 'application/merge-patch+json'
const strategic = 'application/strategic-merge-patch+json'

/** Parts of a configuration that are there or not, or empty, as the seed has it. */
class Parts {
  readonly random: Random

  constructor(random: Random) {
    this.random = random
  }

  one<T>(...all: readonly T[]): T {
    return all[this.random(all.length)] as T
  }

  some<T>(...all: readonly T[]): T[] {
    return all.filter(() => this.random(2) === 0)
  }

  /** Each field one time in two. */
  maybe(fields: Readonly<Record<string, Json>>): JsonObject {
    return Object.fromEntries(Object.entries(fields).filter(() => this.random(2) === 0))
  }

  texts(...keys: readonly string[]): JsonObject {
    return Object.fromEntries(this.some(...keys).map((key) => [key, this.one('', '0', '1', '2')]))
  }

  labels(): JsonObject {
    return { metadata: { name: 's', ...this.maybe({ labels: this.texts('n1', 'n2', 'n3'), annotations: this.texts('a1', 'a2') }) } }
  }
}

function builtin(apiVersion: string, kind: string, plural: string, content: (parts: Parts) => JsonObject): Subject {
  return {
    path: (namespace) => `/${apiVersion === 'v1' ? 'api' : 'apis'}/${apiVersion}/namespaces/${namespace}/${plural}/s`,
    config: (random) => {
      const parts = new Parts(random)
      return { apiVersion, kind, ...parts.labels(), ...content(parts) }
    },
    patches: [merge, strategic],
    deleted: 'at once',
  }
}

function podTemplate(parts: Parts): JsonObject {
  const { random, one, maybe } = { random: parts.random, one: parts.one.bind(parts), maybe: parts.maybe.bind(parts) }
  const env = (): Json => [
    ...parts.some('A', 'B', 'C').map((name) => ({ name, ...maybe({ value: one('', '1', '2') }) })),
    ...parts.some({ name: 'D', valueFrom: { secretKeyRef: { name: 'x', key: one('k', 'l'), ...maybe({ optional: one(true, false) }) } } }, { name: 'E', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }),
    ...parts.some({ name: 'F', valueFrom: { resourceFieldRef: { resource: 'limits.cpu', ...maybe({ divisor: one<Json>('1m', '0', 1) }) } } }),
  ]
  const ports = (): Json => parts.some(80, 81, 82).map((containerPort) => ({ containerPort, ...maybe({ name: `p${containerPort}`, protocol: 'TCP', hostIP: '' }) }))
  const probe = (): JsonObject => ({ ...one({ httpGet: { port: one<Json>(80, 'http'), ...maybe({ path: one('/', '/ready'), httpHeaders: one([], [{ name: 'x', value: '' }]) }) } }, { tcpSocket: { port: 80 } }, { exec: { command: ['x'] } }), ...maybe({ initialDelaySeconds: one(0, 5), periodSeconds: one(0, 7) }) })
  const container = (name: string): JsonObject => ({
    name,
    image: one('app:1', 'app:2', 'app'),
    ...maybe({ env: env(), ports: ports(), args: one([], ['a', ''], ['b']), command: [], resources: one({}, { limits: { cpu: one<Json>('500m', '0.5', 1) } }, { requests: { memory: '64Mi' }, limits: {} }), tty: one(true, false) }),
    ...maybe({ readinessProbe: probe(), securityContext: one({}, { runAsNonRoot: false }, { capabilities: { drop: one([], ['ALL']) } }), imagePullPolicy: one('', 'Always'), envFrom: one([], [{ configMapRef: { name: 'x' } }]) }),
    ...maybe({ volumeMounts: parts.some({ name: 'v', mountPath: '/v' }, { name: 'w', mountPath: '/w', readOnly: one(true, false) }), lifecycle: one({}, { preStop: { exec: { command: ['x'] } } }) }),
  })
  const volumes = [{ name: 'v', ...one<JsonObject>({ emptyDir: {} }, {}, { configMap: { name: 'x', ...maybe({ items: [{ key: 'a', path: 'a' }], optional: false }) } }) }, { name: 'w', ...one<JsonObject>({ secret: { secretName: 'x' } }, { emptyDir: { sizeLimit: one('1Gi', '1024Mi'), medium: '' } }) }]
  const containers = [container('main'), ...(random(3) === 0 ? [container('side')] : [])]
  const rest = maybe({
    nodeSelector: parts.texts('disk', 'zone'),
    tolerations: one<Json>([], [{ key: 'k', operator: 'Exists' }], [{ key: 'k', value: '', effect: 'NoSchedule' }]),
    securityContext: one({}, { runAsUser: one(0, 1000), supplementalGroups: [] }),
    terminationGracePeriodSeconds: one(0, 30, 60),
    serviceAccountName: one('', 'app'),
    hostNetwork: false,
    imagePullSecrets: parts.some({ name: 'p1' }, { name: 'p2' }),
    affinity: one({}, { nodeAffinity: {} }, { podAntiAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [] } }),
    topologySpreadConstraints: parts.some({ maxSkew: 1, topologyKey: 'zone', whenUnsatisfiable: 'ScheduleAnyway' }),
    initContainers: one([], [{ name: 'init', image: 'init:1', args: [] }]),
    hostAliases: parts.some({ ip: '10.0.0.1', hostnames: ['a'] }, { ip: '10.0.0.2', hostnames: ['b'] }),
  })
  return { metadata: { labels: { app: 's', ...parts.texts('t1') }, ...maybe({ annotations: parts.texts('t2'), creationTimestamp: null }) }, spec: { containers, volumes, ...rest } }
}

const selector = { matchLabels: { app: 's' } }

/** What is written to: a custom resource with one of each way to merge, and built-in kinds of which a real cluster's controllers change the status alone. */
export const subjects: Readonly<Record<string, Subject>> = {
  'a custom resource': {
    path: (namespace) => `/apis/example.dev/v1/namespaces/${namespace}/samples/s`,
    config: (random) => withWholes(randomConfig(random, 'n', ['a', 'b', 'c']), random),
    patches: [merge],
    deleted: 'at once',
  },
  'a ConfigMap': {
    path: (namespace) => `/api/v1/namespaces/${namespace}/configmaps/s`,
    config: (random) => {
      const { spec, metadata } = randomConfig(random, 'n', ['a', 'b', 'c'])
      return { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: isObject(spec) && isObject(spec.labels) ? spec.labels : {} }
    },
    patches: [merge, strategic],
    deleted: 'at once',
  },
  'a suspended CronJob': builtin('batch/v1', 'CronJob', 'cronjobs', (parts) => {
    const template = podTemplate(parts)
    const pod = { ...template, spec: { ...(template.spec as JsonObject), restartPolicy: 'Never' } }
    const jobTemplate = { ...parts.maybe({ metadata: parts.one({}, { labels: { j: '1' } }) }), spec: { template: pod, ...parts.maybe({ backoffLimit: parts.one(0, 3), parallelism: 0, completions: 1 }) } }
    return { spec: { schedule: `${parts.random(3)} 0 1 1 *`, suspend: true, jobTemplate, ...parts.maybe({ concurrencyPolicy: parts.one('', 'Forbid'), successfulJobsHistoryLimit: 0, timeZone: 'Etc/UTC' }) } }
  }),
  'a paused Deployment': builtin('apps/v1', 'Deployment', 'deployments', (parts) => {
    const strategy = parts.one<JsonObject>({}, { type: 'Recreate' }, { type: 'RollingUpdate', rollingUpdate: parts.maybe({ maxSurge: parts.one<Json>(0, 1, '30%'), maxUnavailable: 1 }) })
    return { spec: { paused: true, selector, template: podTemplate(parts), ...parts.maybe({ replicas: 0, minReadySeconds: parts.one(0, 5), revisionHistoryLimit: parts.one(0, 3), strategy }) } }
  }),
  'a StatefulSet of none': builtin('apps/v1', 'StatefulSet', 'statefulsets', (parts) => {
    const claim = { metadata: { name: 'data' }, spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } }
    return { spec: { replicas: 0, selector, serviceName: 's', template: podTemplate(parts), volumeClaimTemplates: [claim], ...parts.maybe({ updateStrategy: parts.one({}, { type: 'OnDelete' }, { rollingUpdate: { partition: 0 } }), minReadySeconds: 0 }) } }
  }),
  'a DaemonSet of no node': builtin('apps/v1', 'DaemonSet', 'daemonsets', (parts) => {
    const template = podTemplate(parts)
    const pod = { ...template, spec: { ...(template.spec as JsonObject), nodeSelector: { none: 'none' } } }
    return { spec: { selector, template: pod, ...parts.maybe({ updateStrategy: parts.one<JsonObject>({}, { type: 'OnDelete' }, { rollingUpdate: { maxUnavailable: parts.one<Json>(1, '10%') } }), minReadySeconds: 0 }) } }
  }),
  'a suspended Job': { ...builtin('batch/v1', 'Job', 'jobs', (parts) => ({
    spec: { suspend: true, template: { spec: { restartPolicy: 'Never', containers: [{ name: 'main', image: 'app:1' }] } }, ...parts.maybe({ parallelism: parts.one(0, 1), activeDeadlineSeconds: 60, backoffLimit: 0, ttlSecondsAfterFinished: 0 }) },
  })), deleted: 'when a controller lets it go' },
  'a Service': builtin('v1', 'Service', 'services', (parts) => {
    const ports = [{ port: 80, name: 'http', ...parts.maybe({ targetPort: parts.one<Json>(0, 8080, 'web', ''), protocol: 'TCP', appProtocol: 'http' }) }, ...parts.some({ port: 81, name: 'b' }, { port: 80, protocol: 'UDP', name: 'c' })]
    return { spec: { ports, ...parts.maybe({ selector: parts.texts('app', 'tier'), type: 'ClusterIP', sessionAffinity: parts.one('', 'ClientIP'), publishNotReadyAddresses: parts.one(true, false), externalIPs: [], clusterIP: '' }) } }
  }),
  'a Secret': builtin('v1', 'Secret', 'secrets', (parts) => ({
    ...parts.maybe({ data: Object.fromEntries(parts.some('a', 'b', 'c').map((key) => [key, parts.one('', 'MQ==', 'Mg==')])), stringData: parts.texts('b', 'd'), type: parts.one('', 'Opaque'), immutable: false }),
  })),
  'a Role': builtin('rbac.authorization.k8s.io/v1', 'Role', 'roles', (parts) => ({
    ...parts.maybe({ rules: parts.some<JsonObject>({ apiGroups: [''], resources: ['pods'], verbs: parts.one(['get'], ['get', 'list']) }, { apiGroups: ['apps'], resources: ['deployments'], verbs: ['*'], ...parts.maybe({ resourceNames: ['x'] }) }) }),
  })),
  'a RoleBinding': builtin('rbac.authorization.k8s.io/v1', 'RoleBinding', 'rolebindings', (parts) => ({
    roleRef: { kind: 'Role', name: 'r', apiGroup: parts.one('rbac.authorization.k8s.io', '') },
    ...parts.maybe({ subjects: parts.some<JsonObject>({ kind: 'User', name: 'u' }, { kind: 'ServiceAccount', name: 'a', namespace: 'n', apiGroup: '' }, { kind: 'Group', name: 'g', apiGroup: 'rbac.authorization.k8s.io' }) }),
  })),
  'a HorizontalPodAutoscaler': builtin('autoscaling/v2', 'HorizontalPodAutoscaler', 'horizontalpodautoscalers', (parts) => {
    const metrics = parts.some<JsonObject>(
      { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: parts.one(50, 60) } } },
      { type: 'Resource', resource: { name: 'memory', target: { type: 'Utilization', averageUtilization: 70 } } },
    )
    const behavior = parts.one<JsonObject>({}, { scaleDown: {} }, { scaleUp: { stabilizationWindowSeconds: 0, policies: [{ type: 'Pods', value: 4, periodSeconds: 60 }] } })
    return { spec: { scaleTargetRef: { kind: 'Deployment', name: 'none', apiVersion: 'apps/v1' }, maxReplicas: parts.one(3, 4), ...parts.maybe({ minReplicas: parts.one(1, 2), metrics, behavior }) } }
  }),
  'a PodDisruptionBudget': builtin('policy/v1', 'PodDisruptionBudget', 'poddisruptionbudgets', (parts) => ({
    spec: parts.maybe({ minAvailable: parts.one<Json>(0, 1, '50%'), selector: parts.one<Json>({}, { matchLabels: parts.texts('app') }, { matchExpressions: [] }), unhealthyPodEvictionPolicy: 'AlwaysAllow' }),
  })),
  'an Ingress': builtin('networking.k8s.io/v1', 'Ingress', 'ingresses', (parts) => {
    const backend = (): JsonObject => ({ service: { name: parts.one('a', 'b'), port: { number: parts.one(80, 81) } } })
    const rule = (host: string): JsonObject => ({ host, ...parts.maybe({ http: { paths: [{ path: '/', pathType: parts.one('Prefix', 'Exact'), backend: backend() }] } }) })
    return { spec: { defaultBackend: backend(), ...parts.maybe({ ingressClassName: 'none', rules: parts.some('a.example', 'b.example', '').map(rule), tls: parts.one<Json>([], [{}], [{ hosts: ['a.example'], secretName: 't' }]) }) } }
  }),
  'a NetworkPolicy': builtin('networking.k8s.io/v1', 'NetworkPolicy', 'networkpolicies', (parts) => {
    const peers = parts.some<JsonObject>({ podSelector: {} }, { namespaceSelector: { matchLabels: parts.texts('n') } }, { ipBlock: { cidr: '10.0.0.0/8' } })
    return { spec: { ...parts.maybe({ podSelector: parts.one<Json>({}, { matchLabels: { app: 's' } }), ingress: parts.one<Json>([{}], [{ ...(peers.length === 0 ? {} : { from: peers }), ports: [{ port: 80 }] }]), egress: [{}], policyTypes: ['Ingress'] }) } }
  }),
  'a PersistentVolumeClaim': { ...builtin('v1', 'PersistentVolumeClaim', 'persistentvolumeclaims', (parts) => ({
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: parts.one('1Gi', '1024Mi') } }, storageClassName: 'none', ...parts.maybe({ volumeMode: 'Filesystem' }) },
  })), deleted: 'when a controller lets it go' },
  'a ServiceAccount': builtin('v1', 'ServiceAccount', 'serviceaccounts', (parts) => ({
    ...parts.maybe({ automountServiceAccountToken: parts.one(true, false), imagePullSecrets: parts.some({ name: 'p1' }, { name: 'p2' }), secrets: parts.some({ name: 's1' }, { name: 's2' }) }),
  })),
  'a Lease': builtin('coordination.k8s.io/v1', 'Lease', 'leases', (parts) => ({
    spec: parts.maybe({ holderIdentity: parts.one('x', 'y'), leaseDurationSeconds: parts.one(10, 15), leaseTransitions: 0, renewTime: '2026-01-01T00:00:00.000000Z' }),
  })),
  'an EndpointSlice': builtin('discovery.k8s.io/v1', 'EndpointSlice', 'endpointslices', (parts) => ({
    addressType: 'IPv4',
    ...parts.maybe({ endpoints: parts.some<JsonObject>({ addresses: ['10.0.0.1'], conditions: parts.one<Json>({}, { ready: false }) }, { addresses: ['10.0.0.2'], targetRef: {}, hostname: 'h' }), ports: parts.some<JsonObject>({ port: 80 }, { port: 81, name: 'b', protocol: 'UDP' }) }),
  })),
}
