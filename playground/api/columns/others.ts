import { isObject, type Json } from '#lib/json.ts'
import type { KubernetesObject } from '#playground/contract.ts'
import { valueAt } from '../paths.ts'
import type { Column } from './column.ts'
import { at, countAt, created, createdAt, joined, listAt, selectorText, show, textAt } from './read.ts'

const roleRef: Column = show('Role', (object) => `${textAt(object, 'roleRef.kind')}/${textAt(object, 'roleRef.name')}`)

const subjects = (kind: string): Column =>
  show(
    `${kind}s`,
    (object) =>
      listAt(object, 'subjects')
        .filter((subject) => subject.kind === kind)
        .map((subject) => (kind === 'ServiceAccount' ? `${String(subject.namespace ?? '')}/${String(subject.name)}` : String(subject.name)))
        .join(', '),
    1,
  )

const binding: readonly Column[] = [roleRef, created, subjects('User'), subjects('Group'), { ...subjects('ServiceAccount'), name: 'ServiceAccounts' }]

const webhooks: readonly Column[] = [show('Webhooks', (object) => countAt(object, 'webhooks'), 0, 'integer'), created]

/** Networking, policy, access, storage and the rest. Kinds that are not here show their age alone. */
export const otherColumns: Readonly<Record<string, readonly Column[]>> = {
  'autoscaling/HorizontalPodAutoscaler': [
    show('Reference', (object) => `${textAt(object, 'spec.scaleTargetRef.kind')}/${textAt(object, 'spec.scaleTargetRef.name')}`),
    show('Targets', targets),
    show('MinPods', (object) => String(valueAt(object, 'spec.minReplicas') ?? '<unset>')),
    at('MaxPods', 'spec.maxReplicas', 0),
    at('Replicas', 'status.currentReplicas', 0),
    created,
  ],
  'coordination.k8s.io/Lease': [at('Holder', 'spec.holderIdentity', ''), created],
  'discovery.k8s.io/EndpointSlice': [
    at('AddressType', 'addressType', ''),
    show('Ports', (object) => joined(listAt(object, 'ports').map((port) => String(port.port ?? '*')), '<unset>')),
    show('Endpoints', (object) => {
      const addresses = listAt(object, 'endpoints').flatMap((endpoint) => (Array.isArray(endpoint.addresses) ? endpoint.addresses.map(String) : []))
      return addresses.length > 3 ? `${addresses.slice(0, 3).join(',')} + ${addresses.length - 3} more...` : joined(addresses, '<unset>')
    }),
    created,
  ],
  'networking.k8s.io/Ingress': [
    at('Class', 'spec.ingressClassName'),
    show('Hosts', (object) => joined(listAt(object, 'spec.rules').map((rule) => String(rule.host ?? '')), '*')),
    show('Address', (object) =>
      joined(listAt(object, 'status.loadBalancer.ingress').map((ingress) => String(ingress.ip ?? ingress.hostname ?? '')), ''),
    ),
    show('Ports', (object) => (countAt(object, 'spec.tls') > 0 ? '80, 443' : '80')),
    created,
  ],
  'networking.k8s.io/IngressClass': [
    at('Controller', 'spec.controller', ''),
    show('Parameters', (object) => (isObject(valueAt(object, 'spec.parameters')) ? textAt(object, 'spec.parameters.name') : '<none>')),
    created,
  ],
  'networking.k8s.io/NetworkPolicy': [show('Pod-Selector', (object) => selectorText(valueAt(object, 'spec.podSelector'))), created],
  'policy/PodDisruptionBudget': [
    show('Min Available', (object) => String(valueAt(object, 'spec.minAvailable') ?? 'N/A')),
    show('Max Unavailable', (object) => String(valueAt(object, 'spec.maxUnavailable') ?? 'N/A')),
    at('Allowed Disruptions', 'status.disruptionsAllowed', 0, 0, 'integer'),
    created,
  ],
  'rbac.authorization.k8s.io/Role': [createdAt],
  'rbac.authorization.k8s.io/ClusterRole': [createdAt],
  'rbac.authorization.k8s.io/RoleBinding': binding,
  'rbac.authorization.k8s.io/ClusterRoleBinding': binding,
  'scheduling.k8s.io/PriorityClass': [
    at('Value', 'value', 0, 0, 'integer'),
    show('Global-Default', (object) => valueAt(object, 'globalDefault') === true, 0, 'boolean'),
    created,
    at('PreemptionPolicy', 'preemptionPolicy', ''),
  ],
  'storage.k8s.io/StorageClass': [
    at('Provisioner', 'provisioner', ''),
    at('ReclaimPolicy', 'reclaimPolicy', 'Delete'),
    at('VolumeBindingMode', 'volumeBindingMode', 'Immediate'),
    show('AllowVolumeExpansion', (object) => valueAt(object, 'allowVolumeExpansion') === true),
    created,
  ],
  'apiextensions.k8s.io/CustomResourceDefinition': [createdAt],
  'admissionregistration.k8s.io/MutatingWebhookConfiguration': webhooks,
  'admissionregistration.k8s.io/ValidatingWebhookConfiguration': webhooks,
  'admissionregistration.k8s.io/ValidatingAdmissionPolicy': [
    show('Validations', (object) => countAt(object, 'spec.validations'), 0, 'integer'),
    show('ParamKind', (object) =>
      isObject(valueAt(object, 'spec.paramKind')) ? `${textAt(object, 'spec.paramKind.apiVersion')}/${textAt(object, 'spec.paramKind.kind')}` : '<unset>',
    ),
    created,
  ],
  'admissionregistration.k8s.io/ValidatingAdmissionPolicyBinding': [
    at('PolicyName', 'spec.policyName', ''),
    show('ParamRef', (object) => textAt(object, 'spec.paramRef.name') || '<unset>'),
    created,
  ],
}

/** Two of an autoscaler's metrics as `cpu: 10%/80%`, and how many more there are. */
function targets(object: KubernetesObject): string {
  const current = listAt(object, 'status.currentMetrics')
  const metrics = listAt(object, 'spec.metrics').map((metric, index) => {
    const source = String(metric.type).charAt(0).toLowerCase() + String(metric.type).slice(1)
    const target = valueAt(metric, `${source}.target`)
    const seen = valueAt(current[index], `${source}.current`)
    const [wanted, now] = [isObject(target) ? target : {}, isObject(seen) ? seen : {}]
    if (metric.type === 'Resource' || metric.type === 'ContainerResource') {
      const name = textAt(metric, `${source}.name`)
      if (wanted.averageValue !== undefined) return `${name}: ${text(now.averageValue)}/${text(wanted.averageValue)}`
      return `${name}: ${percent(now.averageUtilization, '<unknown>')}/${percent(wanted.averageUtilization, '<auto>')}`
    }
    if (wanted.averageValue === undefined) return `${text(now.value)}/${text(wanted.value)}`
    return `${text(now.averageValue)}/${text(wanted.averageValue)}${metric.type === 'Pods' ? '' : ' (avg)'}`
  })
  const more = metrics.length > 2 ? ` + ${metrics.length - 2} more...` : ''
  return metrics.length === 0 ? '<none>' : `${metrics.slice(0, 2).join(', ')}${more}`
}

const text = (value: Json | undefined): string => (value === undefined ? '<unknown>' : String(value))
const percent = (value: Json | undefined, instead: string): string => (value === undefined ? instead : `${String(value)}%`)
