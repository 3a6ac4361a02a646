import { isObject, type JsonObject } from '#lib/json.ts'
import type { KubernetesObject } from '#playground/contract.ts'
import { selectorMatches } from '../admission/label-selector.ts'
import { type Backend, timeNow } from '../backend.ts'
import { type Kind, resourceOf } from '../kinds.ts'
import { valueAt } from '../paths.ts'
import { ApiError, internal } from '../status.ts'
import { apiServer } from './own-users.ts'
import { updateObject } from './update-object.ts'

export const evictionKind = { group: 'policy', version: 'v1', kind: 'Eviction' }

const budgets = { group: 'policy', version: 'v1', plural: 'poddisruptionbudgets' }
const write = { subresource: 'status', manager: 'kube-apiserver', user: apiServer, warnings: [], how: 'updated' } as const

/**
 * Takes one pod from what the budget of a pod allows, where it has one and that counts. Throws 429 where nothing is left, 500 where two budgets have
 * the pod. Source: kubernetes `pkg/registry/core/pod/storage/eviction.go`.
 */
export function takeFromBudget(backend: Backend, pod: KubernetesObject, dryRun: boolean): void {
  if (goesAnyway(pod)) return
  const kind = backend.registry.find(budgets)
  if (kind === undefined) return
  const mine = backend.storage.list(resourceOf(kind), pod.metadata.namespace).filter((budget) => isObject(valueAt(budget, 'spec.selector')) && selectorMatches(valueAt(budget, 'spec.selector'), pod.metadata.labels))
  if (mine.length > 1) throw internal('This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.')
  const [budget] = mine
  if (budget === undefined || (!isReady(pod) && sparesUnready(budget))) return
  const status: JsonObject = isObject(budget.status) ? budget.status : {}
  const name = budget.metadata.name ?? ''
  if (Number(status.observedGeneration ?? 0) < Number(budget.metadata.generation ?? 0)) throw spent(`The disruption budget ${name} is still being processed by the server.`, 10)
  const allowed = Number(status.disruptionsAllowed ?? 0)
  if (allowed === 0) throw spent(`The disruption budget ${name} needs ${Number(status.desiredHealthy ?? 0)} healthy pods and has ${Number(status.currentHealthy ?? 0)} currently`)
  const disruptedPods = { ...(isObject(status.disruptedPods) ? status.disruptedPods : {}), [pod.metadata.name ?? '']: timeNow(backend) }
  updateObject(backend, kind, budget, { ...structuredClone(budget), status: { ...structuredClone(status), disruptedPods, disruptionsAllowed: allowed - 1 } }, { ...write, dryRun })
}

/** Says in a pod's status why it goes. */
export function markEvicted(backend: Backend, kind: Kind, pod: KubernetesObject, dryRun: boolean): void {
  const status: JsonObject = isObject(pod.status) ? pod.status : {}
  const others = (Array.isArray(status.conditions) ? status.conditions : []).filter((condition) => isObject(condition) && condition.type !== 'DisruptionTarget')
  const target = { type: 'DisruptionTarget', status: 'True', reason: 'EvictionByEvictionAPI', message: 'Eviction API: evicting', lastProbeTime: null, lastTransitionTime: timeNow(backend) }
  updateObject(backend, kind, pod, { ...structuredClone(pod), status: { ...structuredClone(status), conditions: [...structuredClone(others), target] } }, { ...write, dryRun })
}

function goesAnyway({ metadata, status }: KubernetesObject): boolean {
  const phase = isObject(status) ? status.phase : undefined
  return metadata.deletionTimestamp !== undefined || phase === 'Succeeded' || phase === 'Failed' || phase === 'Pending'
}

function isReady(pod: KubernetesObject): boolean {
  const conditions = valueAt(pod, 'status.conditions')
  return Array.isArray(conditions) && conditions.some((condition) => isObject(condition) && condition.type === 'Ready' && condition.status === 'True')
}

/** Whether a pod that is not ready counts for nothing: always, or while enough others are. */
function sparesUnready(budget: KubernetesObject): boolean {
  const [desired, current] = ['desiredHealthy', 'currentHealthy'].map((name) => Number(valueAt(budget, `status.${name}`) ?? 0)) as [number, number]
  return valueAt(budget, 'spec.unhealthyPodEvictionPolicy') === 'AlwaysAllow' || (desired > 0 && current >= desired)
}

function spent(message: string, retryAfterSeconds?: number): ApiError {
  const details = { causes: [{ reason: 'DisruptionBudget', message }], ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }) }
  return new ApiError(429, 'TooManyRequests', 'Cannot evict pod as it would violate the pod\'s disruption budget.', { details })
}
