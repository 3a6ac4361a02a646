import { isObject, type JsonObject } from '#lib/json.ts'
import { at, each, fill } from './fill.ts'

/** Source: kubernetes `pkg/apis/core/v1/defaults.go`. Addresses, their families and node ports are the server's to give. */
export function serviceDefaults(object: JsonObject): void {
  const spec = at(object, 'spec')
  if (spec === undefined) return
  fill(spec, { sessionAffinity: 'None', type: 'ClusterIP' })
  if (spec.sessionAffinity === 'None') delete spec.sessionAffinityConfig
  if (spec.sessionAffinity === 'ClientIP') {
    fill(spec, { sessionAffinityConfig: { clientIP: { timeoutSeconds: 10_800 } } })
  }
  for (const port of each(spec, 'ports')) {
    fill(port, { protocol: 'TCP' })
    if (port.targetPort === undefined || port.targetPort === 0 || port.targetPort === '') port.targetPort = port.port ?? 0
  }
  if (spec.type === 'ExternalName') return
  fill(spec, { internalTrafficPolicy: 'Cluster' })
  if (spec.type === 'NodePort' || spec.type === 'LoadBalancer') fill(spec, { externalTrafficPolicy: 'Cluster' })
  if (spec.type === 'LoadBalancer') fill(spec, { allocateLoadBalancerNodePorts: true })
}

export function endpointsDefaults(object: JsonObject): void {
  for (const subset of each(object, 'subsets')) for (const port of each(subset, 'ports')) fill(port, { protocol: 'TCP' })
}

export function endpointSliceDefaults(object: JsonObject): void {
  for (const port of each(object, 'ports')) fill(port, { name: '', protocol: 'TCP' })
}

/** `stringData` is how a Secret is written, never how it is read. */
export function secretDefaults(object: JsonObject): void {
  fill(object, { type: 'Opaque' })
  const { stringData } = object
  delete object.stringData
  if (!isObject(stringData)) return
  const data = at(object, 'data') ?? {}
  for (const [key, value] of Object.entries(stringData)) data[key] = Buffer.from(String(value)).toString('base64')
  if (Object.keys(data).length > 0) object.data = data
}

export function namespaceDefaults(object: JsonObject): void {
  const metadata = at(object, 'metadata') ?? {}
  if (typeof metadata.name === 'string' && metadata.name !== '') {
    fill(metadata, { labels: {} })
    fill(at(metadata, 'labels') ?? {}, { 'kubernetes.io/metadata.name': metadata.name })
  }
  fill(object, { status: {} })
  fill(at(object, 'status') ?? {}, { phase: 'Active' })
}

export function volumeDefaults(object: JsonObject): void {
  fill(at(object, 'spec') ?? {}, { persistentVolumeReclaimPolicy: 'Retain', volumeMode: 'Filesystem' })
  const hostPath = at(object, 'spec', 'hostPath')
  if (hostPath !== undefined) fill(hostPath, { type: '' })
  fill(object, { status: {} })
  fill(at(object, 'status') ?? {}, { phase: 'Pending' })
}

export function storageClassDefaults(object: JsonObject): void {
  fill(object, { reclaimPolicy: 'Delete', volumeBindingMode: 'Immediate' })
}

export function networkPolicyDefaults(object: JsonObject): void {
  const spec = at(object, 'spec')
  if (spec === undefined) return
  for (const rule of [...each(spec, 'ingress'), ...each(spec, 'egress')]) for (const port of each(rule, 'ports')) fill(port, { protocol: 'TCP' })
  fill(spec, { policyTypes: each(spec, 'egress').length > 0 ? ['Ingress', 'Egress'] : ['Ingress'] })
}

export function ingressClassDefaults(object: JsonObject): void {
  const parameters = at(object, 'spec', 'parameters')
  if (parameters !== undefined) fill(parameters, { scope: 'Cluster' })
}

const rbac = 'rbac.authorization.k8s.io'

export function bindingDefaults(object: JsonObject): void {
  const role = at(object, 'roleRef')
  if (role !== undefined && (role.apiGroup ?? '') === '') role.apiGroup = rbac
  for (const subject of each(object, 'subjects')) if ((subject.kind === 'User' || subject.kind === 'Group') && (subject.apiGroup ?? '') === '') subject.apiGroup = rbac
}

export function definitionDefaults(object: JsonObject): void {
  const spec = at(object, 'spec')
  if (spec === undefined) return
  const names = at(spec, 'names')
  if (names !== undefined && typeof names.kind === 'string') fill(names, { listKind: `${names.kind}List`, singular: names.kind.toLowerCase() })
  fill(spec, { conversion: { strategy: 'None' } })
  const service = at(spec, 'conversion', 'webhook', 'clientConfig', 'service')
  if (service !== undefined) fill(service, { port: 443 })
}

function webhookDefaults(webhook: JsonObject): void {
  fill(webhook, { failurePolicy: 'Fail', matchPolicy: 'Equivalent', namespaceSelector: {}, objectSelector: {}, timeoutSeconds: 10 })
  for (const rule of each(webhook, 'rules')) fill(rule, { scope: '*' })
  const service = at(webhook, 'clientConfig', 'service')
  if (service !== undefined) fill(service, { port: 443 })
}

export function validatingWebhookDefaults(object: JsonObject): void {
  for (const webhook of each(object, 'webhooks')) webhookDefaults(webhook)
}

export function mutatingWebhookDefaults(object: JsonObject): void {
  for (const webhook of each(object, 'webhooks')) {
    webhookDefaults(webhook)
    fill(webhook, { reinvocationPolicy: 'Never' })
  }
}

function matchDefaults(match: JsonObject | undefined): void {
  if (match === undefined) return
  fill(match, { matchPolicy: 'Equivalent', namespaceSelector: {}, objectSelector: {} })
  for (const rule of [...each(match, 'resourceRules'), ...each(match, 'excludeResourceRules')]) fill(rule, { scope: '*' })
}

export function policyDefaults(object: JsonObject): void {
  const spec = at(object, 'spec')
  if (spec === undefined) return
  fill(spec, { failurePolicy: 'Fail' })
  matchDefaults(at(spec, 'matchConstraints'))
}

export function policyBindingDefaults(object: JsonObject): void {
  matchDefaults(at(object, 'spec', 'matchResources'))
}

export function priorityClassDefaults(object: JsonObject): void {
  fill(object, { preemptionPolicy: 'PreemptLowerPriority' })
}
