import type { Deployment, ReplicaSet } from './kinds.ts'

export type Scaling = { readonly set: ReplicaSet; readonly replicas: number }

export const replicasOf = (deployment: Deployment): number => deployment.spec.replicas ?? 1

/** `25%` of the replicas (surge rounded up, unavailability down, as Kubernetes does) or a plain number. Both 0 would never move: then one may be missing. */
export function rolloutLimits(deployment: Deployment): { maxSurge: number; maxUnavailable: number } {
  const { strategy } = deployment.spec
  const replicas = replicasOf(deployment)
  if (strategy?.type === 'Recreate') return { maxSurge: 0, maxUnavailable: replicas }
  const maxSurge = amount(strategy?.rollingUpdate?.maxSurge ?? '25%', replicas, Math.ceil)
  const maxUnavailable = Math.min(replicas, amount(strategy?.rollingUpdate?.maxUnavailable ?? '25%', replicas, Math.floor))
  return maxSurge === 0 && maxUnavailable === 0 ? { maxSurge, maxUnavailable: 1 } : { maxSurge, maxUnavailable }
}

/** A part of a whole in percent, rounded, or a plain number. */
export function amount(value: number | string, of: number, round: (value: number) => number): number {
  return typeof value === 'number' ? value : round((Number.parseInt(value, 10) / 100) * of)
}

const specReplicas = (set: ReplicaSet): number => set.spec.replicas ?? 0
const available = (set: ReplicaSet): number => set.status?.availableReplicas ?? 0
const total = (sets: readonly ReplicaSet[], count: (set: ReplicaSet) => number): number => sets.reduce((sum, set) => sum + count(set), 0)

/**
 * One step of a rolling update, after the algorithm of Kubernetes' deployment controller: grow the newest within `maxSurge`; else shrink
 * the old, first what never became available, then as many as availability allows.
 */
export function planRollingUpdate(deployment: Deployment, sets: readonly ReplicaSet[], newestUid: string): Scaling[] {
  const newest = sets.find((set) => set.metadata.uid === newestUid)
  if (newest === undefined) return []
  const replicas = replicasOf(deployment)
  const { maxSurge, maxUnavailable } = rolloutLimits(deployment)
  const all = total(sets, specReplicas)
  if (specReplicas(newest) > replicas) return [{ set: newest, replicas }]
  const grow = Math.min(replicas - specReplicas(newest), replicas + maxSurge - all)
  if (grow > 0) return [{ set: newest, replicas: specReplicas(newest) + grow }]
  const old = sets.filter((set) => set !== newest && specReplicas(set) > 0)
  if (old.length === 0) return []
  const minAvailable = replicas - maxUnavailable
  const newUnavailable = Math.max(0, specReplicas(newest) - available(newest))
  const target = new Map(old.map((set) => [set, specReplicas(set)]))
  // Unhealthy old pods serve nobody: they go first, and make room even when the new ones do not come up.
  let mayGo = all - minAvailable - newUnavailable
  for (const set of old) {
    const unhealthy = Math.max(0, specReplicas(set) - available(set))
    const gone = Math.max(0, Math.min(unhealthy, mayGo))
    target.set(set, specReplicas(set) - gone)
    mayGo -= gone
  }
  let spare = total(sets, (set) => Math.min(available(set), target.get(set) ?? specReplicas(set))) - minAvailable
  for (const set of old) {
    const left = target.get(set) ?? 0
    const gone = Math.max(0, Math.min(left, spare))
    target.set(set, left - gone)
    spare -= gone
  }
  return old.filter((set) => target.get(set) !== specReplicas(set)).map((set) => ({ set, replicas: target.get(set) ?? 0 }))
}

/** A changed `spec.replicas`, spread over the ReplicaSets that run in proportion to their size. */
export function planScaling(deployment: Deployment, sets: readonly ReplicaSet[], newestUid: string | undefined): Scaling[] {
  const replicas = replicasOf(deployment)
  const active = sets.filter((set) => specReplicas(set) > 0)
  const newest = sets.find((set) => set.metadata.uid === newestUid)
  const only = active.length === 1 ? active[0] : active.length === 0 ? newest : undefined
  if (only !== undefined) return [{ set: only, replicas }]
  const all = total(active, specReplicas)
  const room = replicas > 0 ? replicas + rolloutLimits(deployment).maxSurge : 0
  const wanted = active.map((set) => ({ set, replicas: all === 0 ? 0 : Math.floor((specReplicas(set) * room) / all) }))
  const rest = room - wanted.reduce((sum, { replicas: share }) => sum + share, 0)
  const largest = wanted.reduce<Scaling | undefined>((best, item) => (best === undefined || item.replicas > best.replicas ? item : best), undefined)
  return wanted.map((item) => (item === largest ? { ...item, replicas: item.replicas + rest } : item))
}
