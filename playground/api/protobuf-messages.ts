import { messageOf } from './protobuf-fields.ts'

/** How a field is read. `bytes` become base64, as in JSON; `count` and `flag` may be null, so that their zero is a value. */
export type Type = 'string' | 'bytes' | 'bool' | 'flag' | 'int' | 'count' | 'time' | 'int-or-string' | 'quantity' | Message

/** A `map` has string keys. What is `inline` has no name of its own in JSON. */
export type Field = { readonly name: string; readonly type: Type; readonly many?: 'list' | 'map' | 'inline' }

export type Message = { readonly [number: number]: Field }

const one = (name: string, type: Type = 'string'): Field => ({ name, type })
const list = (name: string, type: Type = 'string'): Field => ({ name, type, many: 'list' })
const map = (name: string, type: Type = 'string'): Field => ({ name, type, many: 'map' })

const metadata = one('metadata', messageOf('ObjectMeta'))
const reference: Message = { 1: one('kind'), 2: one('namespace'), 3: one('name'), 4: one('uid'), 5: one('apiVersion') }
const selector = messageOf('LabelSelector')

const template: Message = { 1: metadata, 2: one('spec', messageOf('PodSpec')) }
/** New objects have an empty one. */
const status = (fields: Message = {}): Field => one('status', fields)

const deployment: Message = {
  1: one('replicas', 'count'),
  2: one('selector', selector),
  3: one('template', template),
  4: one('strategy', { 1: one('type'), 2: one('rollingUpdate', { 1: one('maxUnavailable', 'int-or-string'), 2: one('maxSurge', 'int-or-string') }) }),
  5: one('minReadySeconds', 'int'),
  6: one('revisionHistoryLimit', 'count'),
  7: one('paused', 'bool'),
  9: one('progressDeadlineSeconds', 'count'),
}
const deploymentStatus: Message = Object.fromEntries([1, 2, 3, 4, 5, 7].map((number) => [number, one(`unset${number}`, 'int')]))
const job: Message = {
  1: one('parallelism', 'count'),
  2: one('completions', 'count'),
  3: one('activeDeadlineSeconds', 'count'),
  4: one('selector', selector),
  5: one('manualSelector', 'flag'),
  6: one('template', template),
  7: one('backoffLimit', 'count'),
  8: one('ttlSecondsAfterFinished', 'count'),
  9: one('completionMode'),
  10: one('suspend', 'flag'),
  11: one('podFailurePolicy', messageOf('PodFailurePolicy')),
  12: one('backoffLimitPerIndex', 'count'),
  13: one('maxFailedIndexes', 'count'),
  14: one('podReplacementPolicy'),
  15: one('managedBy'),
  16: one('successPolicy', messageOf('SuccessPolicy')),
}
const jobStatus: Message = { 4: one('active', 'int'), 5: one('succeeded', 'int'), 6: one('failed', 'int'), 7: one('completedIndexes') }
const servicePort: Message = { 1: one('name'), 2: one('protocol'), 3: one('port', 'int'), 4: one('targetPort', 'int-or-string'), 5: one('nodePort', 'int'), 6: one('appProtocol') }
const service: Message = {
  1: list('ports', servicePort),
  2: map('selector'),
  3: one('clusterIP'),
  4: one('type'),
  5: list('externalIPs'),
  7: one('sessionAffinity'),
  8: one('loadBalancerIP'),
  9: list('loadBalancerSourceRanges'),
  10: one('externalName'),
  11: one('externalTrafficPolicy'),
  12: one('healthCheckNodePort', 'int'),
  13: one('publishNotReadyAddresses', 'bool'),
}
const subjects = list('subjects', { 1: one('kind'), 2: one('apiGroup'), 3: one('name'), 4: one('namespace') })
const roleRef = one('roleRef', { 1: one('apiGroup'), 2: one('kind'), 3: one('name') })
const rules = list('rules', { 1: list('verbs'), 2: list('apiGroups'), 3: list('resources'), 4: list('resourceNames'), 5: list('nonResourceURLs') })
const jobTemplate: Message = { 1: metadata, 2: one('spec', job) }
const cronJob: Message = {
  1: one('schedule'),
  2: one('startingDeadlineSeconds', 'count'),
  3: one('concurrencyPolicy'),
  4: one('suspend', 'flag'),
  5: one('jobTemplate', jobTemplate),
  6: one('successfulJobsHistoryLimit', 'count'),
  7: one('failedJobsHistoryLimit', 'count'),
  8: one('timeZone', 'string'),
}
const backend: Message = {
  3: one('resource', { 1: one('apiGroup'), 2: one('kind'), 3: one('name') }),
  4: one('service', { 1: one('name'), 2: one('port', { 1: one('name'), 2: one('number', 'int') }) }),
}
const ingressRule: Message = {
  1: one('host'),
  2: { name: '', type: { 1: one('http', { 1: list('paths', { 1: one('path'), 2: one('backend', backend), 3: one('pathType') }) }) }, many: 'inline' },
}
const ingress: Message = { 1: one('defaultBackend', backend), 2: list('tls', { 1: list('hosts'), 2: one('secretName') }), 3: list('rules', ingressRule), 4: one('ingressClassName') }
const disruptionBudget: Message = { 1: one('minAvailable', 'int-or-string'), 2: one('selector', selector), 3: one('maxUnavailable', 'int-or-string'), 4: one('unhealthyPodEvictionPolicy') }
const disruptionBudgetStatus: Message = Object.fromEntries([1, 3, 4, 5, 6].map((number) => [number, one(`unset${number}`, 'int')]))
const quota: Message = {
  1: map('hard', 'quantity'),
  2: list('scopes'),
  3: one('scopeSelector', { 1: list('matchExpressions', { 1: one('scopeName'), 2: one('operator'), 3: list('values') }) }),
}
const autoscaler: Message = {
  1: one('scaleTargetRef', { 1: one('kind'), 2: one('name'), 3: one('apiVersion') }),
  2: one('minReplicas', 'count'),
  3: one('maxReplicas', 'count'),
  4: one('targetCPUUtilizationPercentage', 'count'),
}
const metricTarget: Message = { 1: one('type'), 2: one('value', 'quantity'), 3: one('averageValue', 'quantity'), 4: one('averageUtilization', 'count') }
const autoscalerV2: Message = {
  1: one('scaleTargetRef', { 1: one('kind'), 2: one('name'), 3: one('apiVersion') }),
  2: one('minReplicas', 'count'),
  3: one('maxReplicas', 'count'),
  4: list('metrics', { 1: one('type'), 4: one('resource', { 1: one('name'), 2: one('target', metricTarget) }) }),
}
const autoscalerStatus: Message = { 3: one('currentReplicas', 'int'), 4: one('desiredReplicas', 'int') }
const resourceAttributes: Message = { 1: one('namespace'), 2: one('verb'), 3: one('group'), 4: one('version'), 5: one('resource'), 6: one('subresource'), 7: one('name') }

/**
 * The kinds that `kubectl create`, `run`, `expose` and `auth` send in protobuf, with the fields that those commands set; pod templates are whole, since `create job --from` copies one.
 * Field numbers from the published `generated.proto` files.
 */
export const protobufMessages: Readonly<Record<string, Message>> = {
  'v1/ConfigMap': { 1: metadata, 2: map('data'), 3: map('binaryData', 'bytes'), 4: one('immutable', 'flag') },
  'v1/Namespace': { 1: metadata, 2: one('spec', { 1: list('finalizers') }), 3: status({ 1: one('phase') }) },
  'v1/Pod': { 1: metadata, 2: one('spec', messageOf('PodSpec')), 3: status({ 1: one('phase'), 3: one('message'), 4: one('reason'), 5: one('hostIP'), 6: one('podIP'), 9: one('qosClass'), 11: one('nominatedNodeName'), 14: one('resize') }) },
  'v1/ResourceQuota': { 1: metadata, 2: one('spec', quota), 3: status() },
  'v1/Secret': { 1: metadata, 2: map('data', 'bytes'), 3: one('type'), 4: map('stringData'), 5: one('immutable', 'flag') },
  'v1/Service': { 1: metadata, 2: one('spec', service), 3: status({ 1: one('loadBalancer', {}) }) },
  'v1/ServiceAccount': { 1: metadata, 2: list('secrets', reference), 3: list('imagePullSecrets', { 1: one('name') }), 4: one('automountServiceAccountToken', 'flag') },
  'apps/v1/Deployment': { 1: metadata, 2: one('spec', deployment), 3: status(deploymentStatus) },
  'authentication.k8s.io/v1/SelfSubjectReview': { 1: metadata, 2: status({ 1: one('userInfo', { 1: one('username'), 2: one('uid') }) }) },
  'authentication.k8s.io/v1/TokenRequest': {
    1: metadata,
    2: one('spec', { 1: list('audiences'), 3: one('boundObjectRef', { 1: one('kind'), 2: one('apiVersion'), 3: one('name'), 4: one('uid') }), 4: one('expirationSeconds', 'count') }),
    3: status({ 1: one('token'), 2: one('expirationTimestamp', 'time') }),
  },
  'authorization.k8s.io/v1/SelfSubjectAccessReview': {
    1: metadata,
    2: one('spec', { 1: one('resourceAttributes', resourceAttributes), 2: one('nonResourceAttributes', { 1: one('path'), 2: one('verb') }) }),
    3: status({ 1: one('allowed', 'bool'), 2: one('reason'), 3: one('evaluationError'), 4: one('denied', 'bool') }),
  },
  'authorization.k8s.io/v1/SelfSubjectRulesReview': { 1: metadata, 2: one('spec', { 1: one('namespace') }), 3: status({ 3: one('incomplete', 'bool'), 4: one('evaluationError') }) },
  'autoscaling/v1/HorizontalPodAutoscaler': { 1: metadata, 2: one('spec', autoscaler), 3: status(autoscalerStatus) },
  'autoscaling/v2/HorizontalPodAutoscaler': { 1: metadata, 2: one('spec', autoscalerV2), 3: status(autoscalerStatus) },
  'batch/v1/CronJob': { 1: metadata, 2: one('spec', cronJob), 3: status() },
  'batch/v1/Job': { 1: metadata, 2: one('spec', job), 3: status(jobStatus) },
  'networking.k8s.io/v1/Ingress': { 1: metadata, 2: one('spec', ingress), 3: status({ 1: one('loadBalancer', {}) }) },
  'policy/v1/PodDisruptionBudget': { 1: metadata, 2: one('spec', disruptionBudget), 3: status(disruptionBudgetStatus) },
  'rbac.authorization.k8s.io/v1/ClusterRoleBinding': { 1: metadata, 2: subjects, 3: roleRef },
  'rbac.authorization.k8s.io/v1/ClusterRole': { 1: metadata, 2: rules, 3: one('aggregationRule', { 1: list('clusterRoleSelectors', selector) }) },
  'rbac.authorization.k8s.io/v1/RoleBinding': { 1: metadata, 2: subjects, 3: roleRef },
  'rbac.authorization.k8s.io/v1/Role': { 1: metadata, 2: rules },
  'scheduling.k8s.io/v1/PriorityClass': { 1: metadata, 2: one('value', 'count'), 3: one('globalDefault', 'bool'), 4: one('description'), 5: one('preemptionPolicy') },
}
