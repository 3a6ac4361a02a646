import { isObject, type Json } from '#lib/json.ts'
import { parsePath, readPath, type Segment } from './field-path.ts'
import type { FieldPath, Owner } from './plan.ts'
import { parseKey, type ObjectKey } from './resource.ts'

/** How a server merges a list: whole, as a set of scalars, or item by item under these keys. */
export type ListShape = 'atomic' | 'set' | readonly string[]

/**
 * How the lists and maps of one object are merged. A `pattern` is a path in which every item is `[]`: `spec.containers[].ports`.
 * `atomicMap` also answers for a keyed list's items (`metadata.ownerReferences[]`).
 */
export type ListKeys = { list(pattern: string): ListShape; atomicMap(pattern: string): boolean }

/** The pattern of a path: its items' keys, members and indexes left out. */
export function patternOf(segments: readonly Segment[]): string {
  return segments.map((segment) => ('field' in segment ? `.${segment.field}` : '[]')).join('').replace(/^\./, '')
}

/**
 * What is known of an object's lists. First what the server itself shows: the owners of the live object (a key in a path says that its list is keyed,
 * and how; a list that is owned as one leaf is atomic) and the paths that we declared before; then a table of the built-in kinds; else atomic.
 */
export function listKeysOf(key: ObjectKey, seen?: { readonly body?: Json; readonly owners: readonly Pick<Owner, 'paths'>[]; readonly declared?: readonly FieldPath[] }): ListKeys {
  const lists = new Map<string, ListShape>()
  const leaves = new Map<string, boolean>()
  const below = new Set<string>()
  for (const path of [...(seen?.declared ?? []), ...(seen?.owners ?? []).flatMap((owner) => owner.paths)]) {
    const segments = parsePath(path)
    segments.forEach((segment, depth) => {
      const pattern = patternOf(segments.slice(0, depth))
      below.add(pattern)
      if ('keys' in segment) lists.set(pattern, Object.keys(segment.keys).sort())
      if ('value' in segment) lists.set(pattern, 'set')
    })
    const live = readPath(seen?.body, segments)
    if (Array.isArray(live) ? live.length > 0 : isObject(live) && Object.keys(live).length > 0) leaves.set(patternOf(segments), Array.isArray(live))
  }
  // A leaf with content, below which nobody owns anything, is atomic. (An empty map is a leaf too, and tells nothing.)
  const atomic = (pattern: string): boolean => leaves.has(pattern) && !below.has(pattern)
  const known = builtIn(key)
  return {
    list: (pattern) => lists.get(pattern) ?? (atomic(pattern) ? 'atomic' : known.list(pattern)),
    atomicMap: (pattern) => !below.has(pattern) && (atomic(pattern) || known.atomicMap(pattern)),
  }
}

type Known = { readonly lists: Readonly<Record<string, ListShape>>; readonly maps: readonly string[] }

/** Where a pod's specification is, by kind. */
const podSpecs: Readonly<Record<string, string>> = {
  'core/Pod': 'spec',
  'core/PodTemplate': 'template.spec',
  'core/ReplicationController': 'spec.template.spec',
  'apps/Deployment': 'spec.template.spec',
  'apps/ReplicaSet': 'spec.template.spec',
  'apps/StatefulSet': 'spec.template.spec',
  'apps/DaemonSet': 'spec.template.spec',
  'batch/Job': 'spec.template.spec',
  'batch/CronJob': 'spec.jobTemplate.spec.template.spec',
}

/** The tables say what the schemas of the built-in kinds say (client-go, `applyconfigurations/internal`, Kubernetes 1.36), for what people declare. */
const podSpec: Known = {
  lists: {
    containers: ['name'],
    'containers[].env': ['name'],
    'containers[].ports': ['containerPort', 'protocol'],
    'containers[].resources.claims': ['name'],
    'containers[].volumeDevices': ['devicePath'],
    'containers[].volumeMounts': ['mountPath'],
    hostAliases: ['ip'],
    imagePullSecrets: ['name'],
    resourceClaims: ['name'],
    'resources.claims': ['name'],
    schedulingGates: ['name'],
    topologySpreadConstraints: ['topologyKey', 'whenUnsatisfiable'],
    volumes: ['name'],
  },
  maps: [
    'affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution',
    'containers[].env[].valueFrom.configMapKeyRef',
    'containers[].env[].valueFrom.fieldRef',
    'containers[].env[].valueFrom.fileKeyRef',
    'containers[].env[].valueFrom.resourceFieldRef',
    'containers[].env[].valueFrom.secretKeyRef',
    'imagePullSecrets[]',
    'nodeSelector',
    'topologySpreadConstraints[].labelSelector',
    'volumes[].csi.nodePublishSecretRef',
    'volumes[].ephemeral.volumeClaimTemplate.spec.dataSource',
    'volumes[].ephemeral.volumeClaimTemplate.spec.selector',
  ],
}

const everyKind: Known = { lists: { 'metadata.finalizers': 'set', 'metadata.ownerReferences': ['uid'] }, maps: ['metadata.ownerReferences[]'] }

const selector: Known = { lists: {}, maps: ['spec.selector'] }
const webhooks: Known = { lists: { webhooks: ['name'], 'webhooks[].matchConditions': ['name'] }, maps: ['webhooks[].namespaceSelector', 'webhooks[].objectSelector'] }
const roleRef: Known = { lists: {}, maps: ['roleRef'] }
const policyBinding: Known = { lists: { 'spec.validationActions': 'set' }, maps: ['spec.matchResources', 'spec.paramRef'] }

const kinds: Readonly<Record<string, Known>> = {
  'core/Service': { lists: { 'spec.ports': ['port', 'protocol'] }, maps: ['spec.selector'] },
  'core/ServiceAccount': { lists: { secrets: ['name'] }, maps: ['secrets[]'] },
  'core/PersistentVolume': { lists: {}, maps: ['spec.nodeAffinity.required'] },
  'core/PersistentVolumeClaim': { lists: {}, maps: ['spec.selector', 'spec.dataSource'] },
  'core/ReplicationController': selector,
  'core/ResourceQuota': { lists: {}, maps: ['spec.scopeSelector'] },
  'apps/Deployment': selector,
  'apps/ReplicaSet': selector,
  'apps/StatefulSet': selector,
  'apps/DaemonSet': selector,
  'autoscaling/HorizontalPodAutoscaler': { lists: {}, maps: ['spec.scaleTargetRef'] },
  'batch/Job': selector,
  'batch/CronJob': { lists: {}, maps: ['spec.jobTemplate.spec.selector'] },
  'policy/PodDisruptionBudget': selector,
  'networking.k8s.io/Ingress': { lists: {}, maps: ['spec.defaultBackend.resource', 'spec.defaultBackend.service.port'] },
  'networking.k8s.io/NetworkPolicy': { lists: {}, maps: ['spec.podSelector'] },
  'rbac.authorization.k8s.io/RoleBinding': roleRef,
  'rbac.authorization.k8s.io/ClusterRoleBinding': roleRef,
  'admissionregistration.k8s.io/ValidatingWebhookConfiguration': webhooks,
  'admissionregistration.k8s.io/MutatingWebhookConfiguration': webhooks,
  'admissionregistration.k8s.io/ValidatingAdmissionPolicy': {
    lists: { 'spec.matchConditions': ['name'], 'spec.variables': ['name'] },
    maps: ['spec.variables[]', 'spec.matchConstraints', 'spec.paramKind'],
  },
  'admissionregistration.k8s.io/MutatingAdmissionPolicy': { lists: { 'spec.matchConditions': ['name'] }, maps: ['spec.matchConstraints', 'spec.paramKind'] },
  'admissionregistration.k8s.io/ValidatingAdmissionPolicyBinding': policyBinding,
  'admissionregistration.k8s.io/MutatingAdmissionPolicyBinding': { lists: {}, maps: policyBinding.maps },
}

function builtIn(key: ObjectKey): ListKeys {
  const { group, kind } = parseKey(key)
  const name = `${group === '' ? 'core' : group}/${kind}`
  const pod = Object.hasOwn(podSpecs, name) ? podSpecs[name] : undefined
  const own = Object.hasOwn(kinds, name) ? kinds[name] : undefined
  const inPod = (pattern: string): string | undefined =>
    pod !== undefined && pattern.startsWith(`${pod}.`) ? pattern.slice(pod.length + 1).replace(/^(init|ephemeral)Containers/, 'containers') : undefined
  const listed = (known: Known | undefined, pattern: string | undefined): ListShape | undefined =>
    known !== undefined && pattern !== undefined && Object.hasOwn(known.lists, pattern) ? known.lists[pattern] : undefined
  return {
    list: (pattern) => listed(everyKind, pattern) ?? listed(own, pattern) ?? listed(podSpec, inPod(pattern)) ?? 'atomic',
    atomicMap: (pattern) => {
      const pods = inPod(pattern)
      return everyKind.maps.includes(pattern) || own?.maps.includes(pattern) === true || (pods !== undefined && (podSpec.maps.includes(pods) || /^volumes\[\]\.\w+\.secretRef$/.test(pods)))
    },
  }
}
