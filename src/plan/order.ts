import { didYouMean } from '#lib/nearest.ts'
import { Failure } from '#lib/failure.ts'
import type { Effect } from '#model/plan.ts'
import { parseKey, type ObjectKey } from '#model/resource.ts'

export type Dependent = { readonly name: string; readonly dependsOn: readonly string[] }

/**
 * Modules in an order in which each comes after what it depends on; by name, where that leaves a choice. `elsewhere` names modules that exist, but not
 * here (another environment's): depending on one of those orders nothing. Throws `dependency-unknown` and `dependency-circle`.
 */
export function orderModules<M extends Dependent>(modules: readonly M[], elsewhere: ReadonlySet<string> = new Set()): M[] {
  const byName = new Map(modules.map((module) => [module.name, module]))
  for (const { name, dependsOn } of modules) {
    for (const other of dependsOn) if (!byName.has(other) && !elsewhere.has(other)) throw unknownDependency(name, other, [...byName.keys(), ...elsewhere])
  }
  const ordered: M[] = []
  const done = new Set<string>()
  let waiting = [...modules].sort((a, b) => (a.name < b.name ? -1 : 1))
  while (waiting.length > 0) {
    const next = waiting.find(({ dependsOn }) => dependsOn.every((other) => done.has(other) || !byName.has(other)))
    if (next === undefined) throw circle(waiting)
    ordered.push(next)
    done.add(next.name)
    waiting = waiting.filter((module) => module !== next)
  }
  return ordered
}

/** The modules that are named, and all that depend on them, however far; sorted. */
export function affected(changed: Iterable<string>, modules: readonly Dependent[]): string[] {
  const found = new Set(changed)
  for (let size = -1; size !== found.size; ) {
    size = found.size
    for (const { name, dependsOn } of modules) if (dependsOn.some((other) => found.has(other))) found.add(name)
  }
  return [...found].filter((name) => modules.some((module) => module.name === name)).sort()
}

/** All that some modules depend on, transitively, without those modules themselves. */
export function needed(of: Iterable<string>, modules: readonly Dependent[]): string[] {
  const start = new Set(of)
  const found = new Set(start)
  const byName = new Map(modules.map((module) => [module.name, module]))
  for (const name of found) for (const other of byName.get(name)?.dependsOn ?? []) found.add(other)
  return [...found].filter((name) => !start.has(name) && byName.has(name)).sort()
}

/** In which order kinds are applied, as `<group>/<kind>`; what is not listed comes after them, as custom resources do. */
const kindOrder: readonly (readonly string[])[] = [
  ['core/Namespace', 'apiextensions.k8s.io/CustomResourceDefinition'],
  ['core/ResourceQuota', 'core/LimitRange', 'scheduling.k8s.io/PriorityClass', 'storage.k8s.io/StorageClass', 'node.k8s.io/RuntimeClass'],
  ['core/ServiceAccount'],
  ['core/Secret', 'core/ConfigMap'],
  ['core/PersistentVolume', 'core/PersistentVolumeClaim'],
  ['rbac.authorization.k8s.io/ClusterRole', 'rbac.authorization.k8s.io/Role', 'rbac.authorization.k8s.io/ClusterRoleBinding', 'rbac.authorization.k8s.io/RoleBinding'],
  ['core/Service', 'networking.k8s.io/NetworkPolicy'],
  ['core/Pod', 'core/ReplicationController', 'apps/DaemonSet', 'apps/Deployment', 'apps/ReplicaSet', 'apps/StatefulSet', 'batch/Job', 'batch/CronJob'],
  ['autoscaling/HorizontalPodAutoscaler', 'policy/PodDisruptionBudget'],
  ['networking.k8s.io/IngressClass', 'networking.k8s.io/Ingress'],
]
/** What stands in the way of everything else when its back end is not up: last of all. */
const lastKinds = ['admissionregistration.k8s.io/ValidatingWebhookConfiguration', 'admissionregistration.k8s.io/MutatingWebhookConfiguration', 'apiregistration.k8s.io/APIService']

function rankOf(key: ObjectKey): number {
  const { group, kind } = parseKey(key)
  const name = `${group === '' ? 'core' : group}/${kind}`
  const rank = kindOrder.findIndex((kinds) => kinds.includes(name))
  return rank >= 0 ? rank : lastKinds.includes(name) ? kindOrder.length + 1 : kindOrder.length
}

/** A module's effects in waves: namespaces and definitions, then kind by kind; then what is deleted, the other way round. By key within a wave. */
export function waves(effects: readonly Effect[]): Effect[][] {
  const places = effects.map((effect) => ({ effect, place: effect.action === 'deleted' ? 1000 - rankOf(effect.key) : rankOf(effect.key) }))
  const numbers = [...new Set(places.map(({ place }) => place))].sort((a, b) => a - b)
  return numbers.map((number) =>
    places
      .filter(({ place }) => place === number)
      .map(({ effect }) => effect)
      .sort((a, b) => (a.key < b.key ? -1 : 1)),
  )
}

/** Of a module whose dependency nobody has: it may be in a file that cannot be read now. */
export function unknownDependency(module: string, other: string, names: readonly string[]): Failure {
  return new Failure({
    code: 'dependency-unknown',
    subject: module,
    retry: 'later',
    message: `the module ${module} depends on ${other}, and there is no module of that name`,
    ...didYouMean(other, names),
  })
}

function circle(waiting: readonly Dependent[]): Failure {
  // Every one of them waits for another one of them, so that walking on must come back to where it was.
  const path: Dependent[] = []
  let at = waiting[0]
  while (at !== undefined && !path.includes(at)) {
    path.push(at)
    const { dependsOn } = at
    at = waiting.find(({ name }) => dependsOn.includes(name))
  }
  const names = path.slice(at === undefined ? 0 : path.indexOf(at)).map(({ name }) => name)
  const least = names.indexOf([...names].sort()[0] ?? '')
  const round = [...names.slice(least), ...names.slice(0, least)]
  return new Failure({
    code: 'dependency-circle',
    subject: round[0] ?? '',
    message: `modules depend on each other in a circle: ${[...round, round[0]].join(' -> ')}`,
    hint: 'Remove one of these entries of dependsOn.',
    fields: { modules: round },
  })
}
