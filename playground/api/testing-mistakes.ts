import { isObject, type JsonObject } from '#lib/json.ts'
import type { Asked } from './testing-random-writes.ts'
import { apiVersionOf, builtInKinds } from './kinds.ts'

const container = { name: 'c', image: 'i' }
const labels = { app: 'x' }
const make = (apiVersion: string, kind: string, rest: JsonObject, name = 'x'): JsonObject => ({ apiVersion, kind, metadata: { name }, ...rest })
const deployment = (spec: JsonObject = {}, own: JsonObject = {}, pod: JsonObject = {}): JsonObject => make('apps/v1', 'Deployment', { spec: { selector: { matchLabels: labels }, template: { metadata: { labels }, spec: { containers: [{ ...container, ...own }], ...pod } }, ...spec } })
const service = (spec: JsonObject, name = 'x'): JsonObject => make('v1', 'Service', { spec }, name)
const ingress = (spec: JsonObject): JsonObject => make('networking.k8s.io/v1', 'Ingress', { spec })
const autoscaler = (spec: JsonObject): JsonObject => make('autoscaling/v2', 'HorizontalPodAutoscaler', { spec: { scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'x' }, maxReplicas: 3, ...spec } })
const backend = { service: { name: 'a', port: { number: 80 } } }
const claim = (spec: JsonObject): JsonObject => make('v1', 'PersistentVolumeClaim', { spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } }, ...spec } })
const job = (spec: JsonObject = {}, pod: JsonObject = {}): JsonObject => make('batch/v1', 'Job', { spec: { template: { spec: { restartPolicy: 'Never', containers: [container], ...pod } }, ...spec } })
const cronJob = (spec: JsonObject = {}, pod: JsonObject = {}): JsonObject => make('batch/v1', 'CronJob', { spec: { schedule: '* * * * *', jobTemplate: { spec: { template: { spec: { restartPolicy: 'Never', containers: [container], ...pod } } } }, ...spec } })
const statefulSet = (spec: JsonObject = {}): JsonObject => make('apps/v1', 'StatefulSet', { spec: { selector: { matchLabels: labels }, serviceName: 's', template: { metadata: { labels }, spec: { containers: [container] } }, ...spec } })
const budget = (spec: JsonObject): JsonObject => make('policy/v1', 'PodDisruptionBudget', { spec })
const networkPolicy = (spec: JsonObject): JsonObject => make('networking.k8s.io/v1', 'NetworkPolicy', { spec: { podSelector: {}, ...spec } })
const role = (rules: JsonObject[]): JsonObject => make('rbac.authorization.k8s.io/v1', 'Role', { rules })
const roleBinding = (rest: JsonObject): JsonObject => make('rbac.authorization.k8s.io/v1', 'RoleBinding', { roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'r' }, ...rest })

/** New objects that a real server refuses (and two that it takes), by what is wrong with them. What hangs on the server's flags is not among them. */
export const mistakes: Readonly<Record<string, JsonObject>> = {
  'a Deployment: no spec': make('apps/v1', 'Deployment', { spec: {} }),
  'a Deployment: selector mismatch': deployment({ selector: { matchLabels: { app: 'y' } } }),
  'a Deployment: empty selector': deployment({ selector: {} }),
  'a Deployment: replicas -1': deployment({ replicas: -1 }),
  'a Deployment: no image': deployment({}, { image: '' }),
  'a Deployment: no container name': deployment({}, { name: '' }),
  'a Deployment: bad container name': deployment({}, { name: 'A_b' }),
  'a Deployment: two containers of one name': deployment({ template: { metadata: { labels }, spec: { containers: [container, container] } } }),
  'a Deployment: port 0': deployment({}, { ports: [{ containerPort: 0 }] }),
  'a Deployment: port 70000': deployment({}, { ports: [{ containerPort: 70000 }] }),
  'a Deployment: port name long': deployment({}, { ports: [{ containerPort: 80, name: 'a-very-long-port-name' }] }),
  'a Deployment: port name upper': deployment({}, { ports: [{ containerPort: 80, name: 'HTTP' }] }),
  'a Deployment: port proto': deployment({}, { ports: [{ containerPort: 80, protocol: 'tcp' }] }),
  'a Deployment: env no name': deployment({}, { env: [{ value: 'x' }] }),
  'a Deployment: env bad name': deployment({}, { env: [{ name: 'a=b', value: 'x' }] }),
  'a Deployment: env both': deployment({}, { env: [{ name: 'a', value: 'x', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }] }),
  'a Deployment: env empty from': deployment({}, { env: [{ name: 'a', valueFrom: {} }] }),
  'a Deployment: secretKeyRef no key': deployment({}, { env: [{ name: 'a', valueFrom: { secretKeyRef: { name: 'x' } } }] }),
  'a Deployment: fieldRef bad': deployment({}, { env: [{ name: 'a', valueFrom: { fieldRef: { fieldPath: 'metadata.foo' } } }] }),
  'a Deployment: mount not found': deployment({}, { volumeMounts: [{ name: 'v', mountPath: '/v' }] }),
  'a Deployment: mount no path': deployment({}, { volumeMounts: [{ name: 'v' }] }, { volumes: [{ name: 'v', emptyDir: {} }] }),
  'a Deployment: two volumes of one name': deployment({}, {}, { volumes: [{ name: 'v', emptyDir: {} }, { name: 'v', emptyDir: {} }] }),
  'a Deployment: a volume of two sources': deployment({}, {}, { volumes: [{ name: 'v', emptyDir: {}, configMap: { name: 'x' } }] }),
  'a Deployment: volume name': deployment({}, {}, { volumes: [{ name: 'V_', emptyDir: {} }] }),
  'a Deployment: limits < requests': deployment({}, { resources: { requests: { cpu: '2' }, limits: { cpu: '1' } } }),
  'a Deployment: negative request': deployment({}, { resources: { requests: { cpu: '-1' } } }),
  'a Deployment: unknown resource': deployment({}, { resources: { requests: { foo: '1' } } }),
  'a Deployment: bad quantity': deployment({}, { resources: { requests: { cpu: '1x' } } }),
  'a Deployment: restartPolicy Never': deployment({}, {}, { restartPolicy: 'Never' }),
  'a Deployment: restartPolicy x': deployment({}, {}, { restartPolicy: 'x' }),
  'a Deployment: dnsPolicy x': deployment({}, {}, { dnsPolicy: 'x' }),
  'a Deployment: pullPolicy x': deployment({}, { imagePullPolicy: 'x' }),
  'a Deployment: probe none': deployment({}, { readinessProbe: {} }),
  'a Deployment: probe port': deployment({}, { readinessProbe: { httpGet: { path: '/' } } }),
  'a Deployment: probe neg': deployment({}, { readinessProbe: { tcpSocket: { port: 80 }, periodSeconds: -1 } }),
  'a Deployment: liveness success': deployment({}, { livenessProbe: { tcpSocket: { port: 80 }, successThreshold: 2 } }),
  'a Deployment: no containers': deployment({ template: { metadata: { labels }, spec: { containers: [] } } }),
  'a Deployment: a label that is none': deployment({ template: { metadata: { labels: { app: 'x', b: 'not ok!' } }, spec: { containers: [container] } } }),
  'a Deployment: no surge and nothing unavailable': deployment({ strategy: { rollingUpdate: { maxSurge: 0, maxUnavailable: 0 } } }),
  'a Deployment: surge x': deployment({ strategy: { rollingUpdate: { maxSurge: 'x' } } }),
  'a Deployment: Recreate with a rolling update': deployment({ strategy: { type: 'Recreate', rollingUpdate: { maxSurge: 1 } } }),
  'a Deployment: strategy x': deployment({ strategy: { type: 'x' } }),
  'a Deployment: a deadline before minReadySeconds': deployment({ progressDeadlineSeconds: 5, minReadySeconds: 10 }),
  'a Deployment: runAsUser neg': deployment({}, { securityContext: { runAsUser: -1 } }),
  'a ConfigMap: a name in capitals': make('v1', 'ConfigMap', {}, 'Bad_Name'),
  'a ConfigMap: no name': make('v1', 'ConfigMap', {}, ''),
  'a ConfigMap: key': make('v1', 'ConfigMap', { data: { 'a b': '1' } }),
  'a ConfigMap: twice the key': make('v1', 'ConfigMap', { data: { a: '1' }, binaryData: { a: 'MQ==' } }),
  'a ConfigMap: number': make('v1', 'ConfigMap', { data: { a: 1 } }),
  'a ConfigMap: a label key that is none': { ...make('v1', 'ConfigMap', {}), metadata: { name: 'x', labels: { 'a b': 'c' } } },
  'a ConfigMap: an annotation key that is none': { ...make('v1', 'ConfigMap', {}), metadata: { name: 'x', annotations: { 'a b': 'c' } } },
  'a ConfigMap: a finalizer that is none': { ...make('v1', 'ConfigMap', {}), metadata: { name: 'x', finalizers: ['a b'] } },
  'a ConfigMap: a finalizer of nobody': { ...make('v1', 'ConfigMap', {}), metadata: { name: 'x', finalizers: ['abc'] } },
  'a ConfigMap: an owner without uid': { ...make('v1', 'ConfigMap', {}), metadata: { name: 'x', ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: 'p' }] } },
  'a Secret: b64': make('v1', 'Secret', { data: { a: '!!' } }),
  'a Secret: docker': make('v1', 'Secret', { type: 'kubernetes.io/dockerconfigjson', data: {} }),
  'a Secret: tls': make('v1', 'Secret', { type: 'kubernetes.io/tls', data: {} }),
  'a Service: no ports': service({}),
  'a Service: port 0': service({ ports: [{ port: 0 }] }),
  'a Service: unnamed': service({ ports: [{ port: 80 }, { port: 81 }] }),
  'a Service: twice the port': service({ ports: [{ port: 80, name: 'a' }, { port: 80, name: 'b' }] }),
  'a Service: twice the name': service({ ports: [{ port: 80, name: 'a' }, { port: 81, name: 'a' }] }),
  'a Service: type': service({ type: 'x', ports: [{ port: 80 }] }),
  'a Service: an address that is none': service({ clusterIP: 'x', ports: [{ port: 80 }] }),
  'a Service: no external name': service({ type: 'ExternalName' }),
  'a Service: a name that begins with a digit (taken)': service({ ports: [{ port: 80 }] }, '1x'),
  'a Service: target': service({ ports: [{ port: 80, targetPort: 'a_b' }] }),
  'a Service: affinity': service({ sessionAffinity: 'x', ports: [{ port: 80 }] }),
  'a Service: selector': service({ selector: { a: 'b c' }, ports: [{ port: 80 }] }),
  'an Ingress: none': ingress({}),
  'an Ingress: path': ingress({ rules: [{ http: { paths: [{ path: 'x', pathType: 'Prefix', backend: backend }] } }] }),
  'an Ingress: no pathType': ingress({ rules: [{ http: { paths: [{ path: '/', backend: backend }] } }] }),
  'an Ingress: pathType x': ingress({ rules: [{ http: { paths: [{ path: '/', pathType: 'x', backend: backend }] } }] }),
  'an Ingress: no backend': ingress({ rules: [{ http: { paths: [{ path: '/', pathType: 'Prefix' }] } }] }),
  'an Ingress: no port': ingress({ rules: [{ http: { paths: [{ path: '/', pathType: 'Prefix', backend: { service: { name: 'a' } } }] } }] }),
  'an Ingress: host': ingress({ rules: [{ host: 'A_B', http: { paths: [{ path: '/', pathType: 'Prefix', backend: backend }] } }] }),
  'an Ingress: host ip': ingress({ rules: [{ host: '1.2.3.4', http: { paths: [{ path: '/', pathType: 'Prefix', backend: backend }] } }] }),
  'an Ingress: empty paths': ingress({ rules: [{ http: { paths: [] } }] }),
  'an Ingress: service name': ingress({ defaultBackend: { service: { name: '', port: { number: 80 } } } }),
  'an autoscaler: max 0': autoscaler({ maxReplicas: 0 }),
  'an autoscaler: min>max': autoscaler({ minReplicas: 5 }),
  'an autoscaler: min 0': autoscaler({ minReplicas: 0 }),
  'an autoscaler: no ref': autoscaler({ scaleTargetRef: {} }),
  'an autoscaler: metric type': autoscaler({ metrics: [{ type: 'x' }] }),
  'an autoscaler: utilization 0': autoscaler({ metrics: [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 0 } } }] }),
  'a PodDisruptionBudget: both': budget({ minAvailable: 1, maxUnavailable: 1 }),
  'a PodDisruptionBudget: a negative count': budget({ minAvailable: -1 }),
  'a PodDisruptionBudget: 150 percent': budget({ minAvailable: '150%' }),
  'a PodDisruptionBudget: x': budget({ minAvailable: 'x' }),
  'a claim: modes': claim({ accessModes: [] }),
  'a claim: mode x': claim({ accessModes: ['x'] }),
  'a claim: no storage': claim({ resources: {} }),
  'a claim: 0': claim({ resources: { requests: { storage: '0' } } }),
  'a claim: volume mode x': claim({ volumeMode: 'x' }),
  'a Job: no restart': job({}, { restartPolicy: '' }),
  'a Job: Always': job({}, { restartPolicy: 'Always' }),
  'a Job: a negative count': job({ backoffLimit: -1 }),
  'a CronJob: schedule': cronJob({ schedule: 'x' }),
  'a CronJob: schedule 99': cronJob({ schedule: '99 * * * *' }),
  'a CronJob: none': cronJob({ schedule: '' }),
  'a CronJob: TZ': cronJob({ schedule: 'TZ=UTC * * * * *' }),
  'a CronJob: zone': cronJob({ timeZone: 'Nowhere/X' }),
  'a CronJob: policy': cronJob({ concurrencyPolicy: 'x' }),
  'a CronJob: restart': cronJob({}, { restartPolicy: 'Always' }),
  'a CronJob: long': { ...cronJob(), metadata: { name: 'a'.repeat(53) } },
  'a StatefulSet: management x': statefulSet({ podManagementPolicy: 'x' }),
  'a StatefulSet: strategy x': statefulSet({ updateStrategy: { type: 'x' } }),
  'a NetworkPolicy: port': networkPolicy({ ingress: [{ ports: [{ port: 70000 }] }] }),
  'a NetworkPolicy: protocol x': networkPolicy({ ingress: [{ ports: [{ protocol: 'x' }] }] }),
  'a NetworkPolicy: cidr': networkPolicy({ ingress: [{ from: [{ ipBlock: { cidr: 'x' } }] }] }),
  'a NetworkPolicy: peer': networkPolicy({ ingress: [{ from: [{}] }] }),
  'a NetworkPolicy: both': networkPolicy({ ingress: [{ from: [{ ipBlock: { cidr: '10.0.0.0/8' }, podSelector: {} }] }] }),
  'a NetworkPolicy: types': networkPolicy({ policyTypes: ['x'] }),
  'a Role: no verbs': role([{ apiGroups: [''], resources: ['pods'] }]),
  'a Role: no groups': role([{ verbs: ['get'], resources: ['pods'] }]),
  'a Role: a path': role([{ verbs: ['get'], nonResourceURLs: ['/x'] }]),
  'a RoleBinding: kind': roleBinding({ subjects: [{ kind: 'x', name: 'y' }] }),
  'a RoleBinding: an account without namespace (taken)': roleBinding({ subjects: [{ kind: 'ServiceAccount', name: 'y' }] }),
  'a RoleBinding: a user of another group': roleBinding({ subjects: [{ kind: 'User', name: 'y', apiGroup: 'x' }] }),
  'a RoleBinding: no name': roleBinding({ subjects: [{ kind: 'User' }] }),
  'a RoleBinding: a reference that is none': roleBinding({ roleRef: { apiGroup: 'x', kind: 'x', name: '' } }),
  'a Namespace: name': make('v1', 'Namespace', {}, 'A.b'),
  'a Deployment: an unknown field': deployment({ replica: 1 }),
  'a Deployment: a field of a wrong type': deployment({ replicas: '2' }),
  'a Pod: no containers': make('v1', 'Pod', { spec: {} }),
}

const kinds = builtInKinds(() => undefined)

/** What a server says to a new object, which it does not keep: the status, the message, and the causes. */
export async function refusalOf(ask: Asked, object: JsonObject): Promise<JsonObject> {
  const { plural = '', namespaced } = kinds.find((kind) => apiVersionOf(kind) === object.apiVersion && kind.kind === object.kind) ?? {}
  const root = object.apiVersion === 'v1' ? '/api/v1' : `/apis/${String(object.apiVersion)}`
  const { status, body } = await ask('POST', `${root}${namespaced === true ? '/namespaces/default' : ''}/${plural}?dryRun=All&fieldValidation=Strict`, object)
  if (status < 300) return { status }
  return { status, reason: body.reason ?? null, message: body.message ?? null, causes: (isObject(body.details) ? body.details.causes : undefined) ?? [] }
}
