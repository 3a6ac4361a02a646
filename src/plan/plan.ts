import { digestOf, type Digest } from '#lib/digest.ts'
import type { FailureJson } from '#lib/failure.ts'
import { effectsOf, isIdle } from '#model/effects.ts'
import type { Action, FieldChange, Held, Observation, Plan, Step } from '#model/plan.ts'
import { showKey, type Desired, type ObjectKey } from '#model/resource.ts'
import { noDoubts, type Doubts } from './doubts.ts'
import { duplicates, type Declared } from './duplicates.ts'
import { orderModules, waves } from './order.ts'
import { propose } from './propose.ts'
import { forgets, prune } from './prune.ts'

/** One module of a plan, rendered and observed. A module that is no longer in Git, but still holds objects, is one that desires nothing. */
export type PlannedModule = {
  readonly name: string
  readonly track: string
  readonly driver: string
  readonly target: string
  /** The place behind the target. */
  readonly place: string
  readonly dependsOn: readonly string[]
  readonly takeOver: boolean
  readonly desired: readonly Desired[]
  /** Of everything that it desires or holds. What is missing counts as unknown. */
  readonly observations: readonly Observation[]
}

export type PlanInput = {
  readonly environment: string
  readonly snapshot: string
  /** The modules that are planned. */
  readonly modules: readonly PlannedModule[]
  /** The names of modules that exist, but are not planned here: a dependency on one of them is no mistake. */
  readonly others: ReadonlySet<string>
  /** What modules of the same snapshot and environment declare that are not planned here: it is neither pruned nor taken from them. */
  readonly declaredByOthers: readonly Declared[]
  /** The inventory's rows at the places of these modules, of all modules and environments. */
  readonly held: readonly Held[]
  /** None, if left out. */
  readonly doubts?: Doubts
}

/**
 * Puts a plan together: what each module's objects become, in order, sealed. Pure, and the same for the same input in whatever order it comes.
 * Throws `object-declared-twice`, `dependency-unknown` and `dependency-circle`: such a snapshot has no plan.
 */
export function makePlan(input: PlanInput): Plan {
  const declared = [...input.declaredByOthers, ...input.modules.flatMap(({ name, place, desired }) => desired.map((one): Declared => ({ place, module: name, desired: one })))]
  const { mayDeclare, mayKeep } = input.doubts ?? noDoubts
  const [twice] = duplicates(declared)
  if (twice !== undefined) throw twice
  const owners = new Map(declared.map(({ place, module, desired }) => [at(place, desired.key), module]))
  const held = new Map(input.held.map((row) => [at(row.place, row.key), row]))
  const unknown = new Map<string, FailureJson>()
  const steps = orderModules(input.modules, input.others).map((module): Step => {
    const { name, track, driver, target, place, dependsOn } = module
    const observations = new Map(module.observations.map((observation) => [observation.key, observation]))
    const desired = new Set(module.desired.map(({ key }) => key))
    const effects = [
      ...propose({ ...module, module: name, environment: input.environment, held: new Map([...desired].flatMap((key) => entry(key, held.get(at(place, key))))), observations, mayKeep: (holder, key) => mayKeep(holder, name, key) }),
      ...prune({
        module: name,
        held: input.held.filter((row) => row.place === place && row.environment === input.environment && row.module === name && !desired.has(row.key)),
        observations,
        declaredBy: (key) => owners.get(at(place, key)),
        mayDeclare: (key) => mayDeclare(place, key),
      }),
    ]
    for (const { key, action } of effects) {
      if (action !== 'unknown') continue
      const observation = observations.get(key)
      const failure = observation?.state === 'unknown' ? observation.failure : notObserved(key)
      unknown.set(JSON.stringify(failure), failure)
    }
    return { module: name, track, driver, target, place, dependsOn: [...dependsOn].sort(), waves: waves(effects) }
  })
  return { environment: input.environment, snapshot: input.snapshot, steps, unknown: [...unknown.entries()].sort(([a], [b]) => compare(a, b)).map(([, failure]) => failure), digest: planDigest(steps) }
}

/** Whether there is nothing to do, and that is known: no write, no deletion, no row of the inventory to hand over or forget. */
export function isEmpty(plan: Plan): boolean {
  return plan.unknown.length === 0 && effectsOf(plan).every((effect) => isIdle(effect) && !forgets(effect))
}

/** How many objects get which action. */
export function summary(plan: Plan): Readonly<Record<Action, number>> {
  const counts: Record<Action, number> = { created: 0, configured: 0, unchanged: 0, deleted: 0, skipped: 0, unknown: 0 }
  for (const { action } of effectsOf(plan)) counts[action] += 1
  return counts
}

/**
 * The digest of what a plan does and how that is proven, for `seal`ing a plan anew after a driver's preview too. It covers what an approval is about and nothing that ticks: not
 * the snapshot, the origins, the explanations, how many objects a namespace contains, or the live values of fields that are left out. What stays as it is
 * has no part in it, nor has a step that fails whatever is decided, so that a commit elsewhere does not cost a waiting run its approval.
 */
export function planDigest(steps: readonly Step[]): Digest {
  const carriedOut = steps.filter((step) => step.failure === undefined)
  const proofs = carriedOut.flatMap(({ module, proof }) => (proof === undefined ? [] : [{ module, proof }])).sort((a, b) => compare(a.module, b.module))
  const effects = carriedOut.flatMap((step) =>
    step.waves.flat().filter((effect) => !isIdle(effect)).map((effect) => ({
      target: step.target,
      place: step.place,
      key: effect.key,
      module: effect.module,
      action: effect.action,
      changes: effect.changes.map(sealedChange),
      sealed: effect.sealed,
      deferred: effect.deferred,
      desired: effect.desired,
      omit: effect.omit,
      force: effect.force,
      handedOverFrom: effect.handedOverFrom,
      payload: effect.payload,
      refused: effect.refused?.code,
      holdsData: effect.holdsData,
    })),
  )
  const sorted = effects.sort((a, b) => compare(a.module, b.module) || compare(a.target, b.target) || compare(a.key, b.key))
  return digestOf(proofs.length === 0 ? sorted : { effects: sorted, proofs })
}

function sealedChange(change: FieldChange): Partial<FieldChange> {
  if (change.state !== 'yielded' && change.state !== 'held') return change
  const { from: _, ...rest } = change
  return rest
}

function notObserved(key: ObjectKey): FailureJson {
  return { code: 'object-not-observed', subject: showKey(key), message: `${showKey(key)} was not looked at, so nothing is known of it`, hint: 'This is a defect in a driver: please report it.', retry: 'later' }
}

function entry<V>(key: ObjectKey, value: V | undefined): [ObjectKey, V][] {
  return value === undefined ? [] : [[key, value]]
}

function at(place: string, key: ObjectKey): string {
  return JSON.stringify([place, key])
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
