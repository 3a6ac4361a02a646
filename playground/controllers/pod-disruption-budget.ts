import type { Json, JsonObject } from '#lib/json.ts'
import { selectorMatches } from '#playground/api/admission/label-selector.ts'
import { withCondition } from './conditions.ts'
import { controllerOf, keyOf, manager, placeOf, timestamp, type ControllerContext } from './controller.ts'
import { amount } from './deployment-rollout.ts'
import { deployments, disruptionBudgets, pods, replicaSets, statefulSets, type DisruptionBudget, type Pod } from './kinds.ts'
import { isFinished, isLeaving, isReady } from './pods-of.ts'

/** Says how many pods of a budget are healthy, how many must be, and so how many may be disturbed. Source: kubernetes `pkg/controller/disruption/disruption.go`. */
export const podDisruptionBudgetController = controllerOf('poddisruptionbudget', (context) => {
  const { objects } = context
  return {
    reconcile: (key) => reconcile(context, key),
    watches: (queue) => {
      const ofNamespace = ({ namespace }: { namespace?: string }): void => objects.list(disruptionBudgets, namespace).forEach(({ metadata }) => queue.add(keyOf(metadata)))
      return [
        objects.watch(disruptionBudgets, ({ object }) => queue.add(keyOf(object.metadata))),
        objects.watch(pods, ({ object }) => ofNamespace(object.metadata)),
        objects.watch(deployments, ({ object }) => ofNamespace(object.metadata)),
        objects.watch(statefulSets, ({ object }) => ofNamespace(object.metadata)),
      ]
    },
  }
})

function reconcile(context: ControllerContext, key: string): number | undefined {
  const { objects, clock } = context
  const { namespace, name } = placeOf(key)
  const budget = objects.get(disruptionBudgets, namespace, name)
  if (budget === undefined || budget.metadata.deletionTimestamp !== undefined) return undefined
  const { selector } = budget.spec
  // Of policy/v1: an empty selector is all pods, none is no pod.
  const mine = selector === undefined ? [] : objects.list(pods, namespace).filter((pod) => selectorMatches(selector as Json, pod.metadata.labels as JsonObject | undefined))
  const { expected, desired } = wished(context, budget, mine)
  const disrupted = stillDisrupted(budget, mine, clock.now())
  const healthy = mine.filter((pod) => !isLeaving(pod) && !isFinished(pod) && isReady(pod) && disrupted[pod.metadata.name] === undefined).length
  const allowed = expected > 0 ? Math.max(0, healthy - desired) : 0
  objects.edit(disruptionBudgets, budget.metadata, 'status', manager, (object) => {
    const generation = object.metadata.generation ?? 1
    const condition = { type: 'DisruptionAllowed', status: allowed > 0 ? 'True' : 'False', reason: allowed > 0 ? 'SufficientPods' : 'InsufficientPods', message: '', observedGeneration: generation } as const
    object.status = {
      observedGeneration: generation,
      currentHealthy: healthy,
      desiredHealthy: desired,
      disruptionsAllowed: allowed,
      expectedPods: expected,
      ...(Object.keys(disrupted).length === 0 ? {} : { disruptedPods: disrupted }),
      conditions: withCondition(object.status?.conditions, condition, timestamp(clock.now())),
    }
  })
  return Object.keys(disrupted).length === 0 ? undefined : evictionMs
}

/** How long an eviction may take from its word in the budget to the pod's deletion. */
const evictionMs = 120_000

/** The pods that an eviction has spoken of and that are not being deleted yet. */
function stillDisrupted({ status }: DisruptionBudget, mine: readonly Pod[], now: number): Record<string, string> {
  const waits = ([name, time]: [string, string]): boolean => Date.parse(time) + evictionMs > now && mine.some((pod) => pod.metadata.name === name && !isLeaving(pod))
  return Object.fromEntries(Object.entries(status?.disruptedPods ?? {}).filter(waits))
}

/** How many pods there should be, and how many of them must be healthy. */
function wished(context: ControllerContext, { spec }: DisruptionBudget, mine: readonly Pod[]): { expected: number; desired: number } {
  if (spec.maxUnavailable !== undefined) {
    const expected = scaleOf(context, mine)
    return { expected, desired: Math.max(0, expected - amount(spec.maxUnavailable, expected, Math.ceil)) }
  }
  const { minAvailable = 1 } = spec
  if (typeof minAvailable === 'number') return { expected: mine.length, desired: minAvailable }
  const expected = scaleOf(context, mine)
  return { expected, desired: amount(minAvailable, expected, Math.ceil) }
}

/** What the pods' controllers are scaled to, together. */
function scaleOf({ objects }: ControllerContext, mine: readonly Pod[]): number {
  const scales = new Map<string, number>()
  for (const { metadata } of mine) {
    const owner = metadata.ownerReferences?.find(({ controller }) => controller === true)
    if (owner === undefined) continue
    if (owner.kind === 'StatefulSet') scales.set(owner.uid, objects.get(statefulSets, metadata.namespace, owner.name)?.spec.replicas ?? 1)
    if (owner.kind !== 'ReplicaSet') continue
    const set = objects.get(replicaSets, metadata.namespace, owner.name)
    const above = set?.metadata.ownerReferences?.find(({ controller, kind }) => controller === true && kind === 'Deployment')
    if (above === undefined) scales.set(owner.uid, set?.spec.replicas ?? 1)
    else scales.set(above.uid, objects.get(deployments, metadata.namespace, above.name)?.spec.replicas ?? 1)
  }
  return [...scales.values()].reduce((sum, replicas) => sum + replicas, 0)
}
