import { isObject } from '#lib/json.ts'
import type { Json, JsonObject } from '#lib/json.ts'
import { isWithin, parsePath, readPath, removePaths } from '#model/field-path.ts'
import { declaredPaths, ownershipOf } from '#model/field-set.ts'
import { listKeysOf, patternOf } from '#model/list-keys.ts'
import { moduleLabel } from '#model/module-label.ts'
import type { FieldPath, Observation, Owner } from '#model/plan.ts'
import { parseKey, type ObjectKey } from '#model/resource.ts'
import { writerOf } from '../writers.ts'
import { isDefault } from './defaults.ts'

type Present = Extract<Observation, { state: 'present' }>

/** A live object as a manifest, or why there is none of it. */
export type Imported = { readonly key: ObjectKey } & ({ readonly manifest: JsonObject } | { readonly left: string; readonly hint?: string })

const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration'

/** What the cluster writes into objects, whoever made them. Patterns; a pattern takes along what is below it. */
const setByCluster: readonly string[] = [
  'status', 'metadata.finalizers', 'metadata.ownerReferences', 'metadata.deletionGracePeriodSeconds', 'spec.template.metadata.creationTimestamp', 'spec.jobTemplate.metadata.creationTimestamp', 'spec.jobTemplate.spec.template.metadata.creationTimestamp',
  'spec.template.spec.serviceAccount', 'spec.jobTemplate.spec.template.spec.serviceAccount',
]
const setByClusterIn: Readonly<Record<string, readonly string[]>> = {
  Service: ['spec.clusterIP', 'spec.clusterIPs', 'spec.ipFamilies', 'spec.ipFamilyPolicy', 'spec.ports[].nodePort', 'spec.healthCheckNodePort'],
  PersistentVolumeClaim: ['spec.volumeName'],
  ServiceAccount: ['secrets'],
  Job: ['spec.selector'],
  StatefulSet: ['spec.volumeClaimTemplates[].status'],
}
const annotationsOfTools = /^(kubectl\.kubernetes\.io\/|deployment\.kubernetes\.io\/|pv\.kubernetes\.io\/|volume(\.beta)?\.kubernetes\.io\/|deprecated\.daemonset\.template\.generation$|autoscaling\.alpha\.kubernetes\.io\/|control-plane\.alpha\.kubernetes\.io\/)/
const labelsOfTools = /^(batch\.kubernetes\.io\/|controller-uid$|job-name$|pod-template-hash$|kubernetes\.io\/metadata\.name$)/

/**
 * The manifest that a person would have written for a live object: what people and their tools declared, without what the server fills in, what the
 * cluster sets and what controllers write. What was last applied by `kubectl apply` is taken at its word; the values are those that are live.
 */
export function manifestOf(observation: Present): Imported {
  const { key, body } = observation
  const reason = notImported(observation)
  if (reason !== undefined) return { key, ...reason }
  const listKeys = listKeysOf(key, { body, owners: observation.owners })
  const applied = appliedPaths(observation)
  const ownership = ownershipOf(observation)
  const paths = declaredPaths(body, listKeys)
  const isKept = (path: FieldPath): boolean => {
    const segments = parsePath(path)
    const pattern = patternOf(segments)
    if (isSetByCluster(key, path, pattern) && readPath(body, segments) !== 'None') return false // a Service without an address asks for that
    if (observation.delegated.some((one) => isWithin(path, one.path))) return false
    const owners = ownership.of(path).filter((owner) => isPerson(owner, observation.owners))
    const isApplied = applied !== undefined && [...applied].some((one) => isWithin(path, one))
    if (isApplied) return true
    // What `kubectl apply` wrote beside what it was given are defaults.
    const declaring = applied === undefined ? owners : owners.filter(({ manager }) => manager !== 'kubectl-client-side-apply')
    if (declaring.length === 0 && observation.owners.length > 0) return false
    return !isDefault(key, pattern, readPath(body, segments) ?? null, (name) => readPath(body, [...segments.slice(0, -1), { field: name }]))
  }
  const left = paths.filter((path) => !isKept(path))
  if (left.length === paths.length) return { key, left: 'nobody but controllers wrote it' }
  return { key, manifest: bare(withoutKeys(removePaths(body, left), left)) }
}

function notImported({ key, body, terminating }: Present): { readonly left: string; readonly hint?: string } | undefined {
  const { group, kind } = parseKey(key)
  const metadata = isObject(body['metadata']) ? body['metadata'] : {}
  const labels = isObject(metadata['labels']) ? metadata['labels'] : {}
  if (terminating) return { left: 'it is being deleted' }
  if (typeof labels[moduleLabel] === 'string') return { left: `the module ${labels[moduleLabel]} delivers it` }
  const owner = Array.isArray(metadata['ownerReferences']) ? metadata['ownerReferences'].find((one) => isObject(one) && one['controller'] === true) : undefined
  if (isObject(owner)) return { left: `${String(owner['kind'])} ${String(owner['name'])} makes it` }
  if (group === '' && kind === 'Secret') return { left: 'the values of Secrets are never written to Git', hint: 'Put them where secret references lead, and name them in the module’s `secrets`.' }
  if (group === '' && kind === 'Pod') return { left: 'a pod that nothing makes again cannot be changed', hint: 'Make a Deployment or a Job of it.' }
  return undefined
}

/** Whose fields are intent: people's clients, and whoever applies; not what works in the cluster by itself. */
function isPerson(owner: Owner, all: readonly Owner[]): boolean {
  if (owner.subresource === 'status') return false
  return writerOf(owner, all) !== 'controller' || owner.manager === 'argocd-controller' || owner.manager === 'kustomize-controller' || owner.manager === 'helm-controller'
}

function isSetByCluster(key: ObjectKey, path: FieldPath, pattern: string): boolean {
  const { kind } = parseKey(key)
  const own = Object.hasOwn(setByClusterIn, kind) ? setByClusterIn[kind] : undefined
  if ([...setByCluster, ...(own ?? [])].some((one) => isWithin(pattern, one))) return true
  const segments = parsePath(path)
  const [parent, last] = segments.slice(-2)
  if (parent === undefined || last === undefined || !('field' in parent) || !('field' in last)) return false
  if (parent.field === 'annotations') return annotationsOfTools.test(last.field)
  return parent.field === 'labels' && labelsOfTools.test(last.field)
}

/** The leaves of what `kubectl apply` was last given, where the object bears it. */
function appliedPaths({ key, body, owners }: Present): ReadonlySet<FieldPath> | undefined {
  const note = readPath(body, [{ field: 'metadata' }, { field: 'annotations' }, { field: lastApplied }])
  if (typeof note !== 'string') return undefined
  try {
    const given = JSON.parse(note) as Json
    return isObject(given) ? new Set(declaredPaths(given, listKeysOf(key, { body, owners }))) : undefined
  } catch {
    return undefined // somebody wrote over it
  }
}

/** An item keeps its keys as long as anything else of it stays; one that is a default (`protocol: TCP`) need not be written. */
function withoutKeys(manifest: JsonObject, left: readonly FieldPath[]): JsonObject {
  const copy = structuredClone(manifest)
  for (const path of left) {
    const segments = parsePath(path)
    const last = segments.at(-1)
    const item = readPath(copy, segments.slice(0, -1))
    if (last !== undefined && 'field' in last && last.field === 'protocol' && isObject(item)) delete item[last.field]
  }
  return copy
}

const unwritten = new Set(['uid', 'resourceVersion', 'generation', 'creationTimestamp', 'selfLink', 'managedFields', 'deletionTimestamp'])

/** With what names it first, and without what only a server writes. */
function bare(manifest: JsonObject): JsonObject {
  const { apiVersion, kind, metadata, ...rest } = manifest
  const kept = isObject(metadata) ? Object.entries(metadata).filter(([name]) => !unwritten.has(name)) : []
  return { apiVersion: apiVersion ?? null, kind: kind ?? null, metadata: Object.fromEntries(kept), ...Object.fromEntries(Object.entries(rest).filter(([name]) => name !== 'status')) }
}
