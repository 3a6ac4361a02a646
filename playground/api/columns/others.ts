import { isObject, type JsonObject } from '#lib/json.ts'
import type { KubernetesObject } from '#playground/contract.ts'
import { valueAt } from '../paths.ts'
import type { Column } from './column.ts'
import { at, countAt, created, joined, listAt, numberAt, selectorText, show, textAt } from './read.ts'

const roleRef: Column = show('Role', (object) => `${textAt(object, 'roleRef.kind')}/${textAt(object, 'roleRef.name')}`)

const subjects = (kind: string): Column =>
  show(
    `${kind}s`,
    (object) =>
      listAt(object, 'subjects')
        .filter((subject) => subject.kind === kind)
        .map((subject) => (subject.namespace === undefined ? String(subject.name) : `${String(subject.namespace)}/${String(subject.name)}`))
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
    at('MinPods', 'spec.minReplicas', '<unset>'),
    at('MaxPods', 'spec.maxReplicas', 0, 0, 'integer'),
    at('Replicas', 'status.currentReplicas', 0, 0, 'integer'),
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
  'rbac.authorization.k8s.io/Role': [show('Created At', (object) => textAt(object, 'metadata.creationTimestamp'), 0, 'date')],
  'rbac.authorization.k8s.io/ClusterRole': [show('Created At', (object) => textAt(object, 'metadata.creationTimestamp'), 0, 'date')],
  'rbac.authorization.k8s.io/RoleBinding': binding,
  'rbac.authorization.k8s.io/ClusterRoleBinding': binding,
  'storage.k8s.io/StorageClass': [
    at('Provisioner', 'provisioner', ''),
    at('ReclaimPolicy', 'reclaimPolicy', 'Delete'),
    at('VolumeBindingMode', 'volumeBindingMode', 'Immediate'),
    show('AllowVolumeExpansion', (object) => valueAt(object, 'allowVolumeExpansion') === true, 0, 'boolean'),
    created,
  ],
  'apiextensions.k8s.io/CustomResourceDefinition': [show('Created At', (object) => textAt(object, 'metadata.creationTimestamp'), 0, 'date')],
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

function targets(object: KubernetesObject): string {
  const current = listAt(object, 'status.currentMetrics')
  return joined(
    listAt(object, 'spec.metrics').map((metric, index) => {
      const resource = isObject(metric.resource) ? metric.resource : {}
      const wanted = numberAt(resource, 'target.averageUtilization')
      const now: JsonObject = current[index] ?? {}
      const seen = valueAt(now, 'resource.current.averageUtilization')
      if (wanted === 0) return `${String(metric.type).toLowerCase()}: <unknown>/${textAt(resource, 'target.averageValue') || '<auto>'}`
      return `${String(resource.name)}: ${seen === undefined ? '<unknown>' : `${String(seen)}%`}/${wanted}%`
    }),
    '<none>',
  )
}
