import { holdsState } from '#model/holds-state.ts'
import { seal } from '#model/moved.ts'
import type { Effect, Held, Observation } from '#model/plan.ts'
import type { ObjectKey } from '#model/resource.ts'

export type PruneInput = {
  readonly module: string
  /** The rows of the inventory that are this module's in this environment, and that it no longer declares. */
  readonly held: readonly Held[]
  readonly observations: ReadonlyMap<ObjectKey, Observation>
  /** Which module of the same snapshot declares an object at this place now. */
  readonly declaredBy: (key: ObjectKey) => string | undefined
}

/**
 * What becomes of objects that we hold and that Git no longer declares: deleted by UID, and never on a guess.
 *
 * | the object is                         | then                                                                                     |
 * |---------------------------------------|------------------------------------------------------------------------------------------|
 * | declared by another module now        | `skipped`: handed over, the other module's effect says from where                         |
 * | unknown, or was not observed          | `unknown`                                                                                |
 * | deferred (its kind is not served)     | `deleted`, sealed when it is reached                                                     |
 * | absent                                | `unchanged`: there is nothing to do, and the inventory forgets it                        |
 * | present with another UID              | `skipped`: not the object that we made, so it stays; the inventory forgets ours          |
 * | being deleted already                 | `skipped`: it stays in the inventory until it is gone                                    |
 * | present                               | `deleted`                                                                                |
 */
export function prune(input: PruneInput): Effect[] {
  return input.held.map((held) => pruneOne(input, held))
}

/** Whether an effect says that the inventory's row goes without anything being done: `unchanged` or `skipped`, sealed, and not wanted. */
export function forgets(effect: Effect): boolean {
  return effect.desired === undefined && effect.sealed !== undefined && (effect.action === 'unchanged' || effect.action === 'skipped')
}

function pruneOne({ module, observations, declaredBy }: PruneInput, held: Held): Effect {
  const observation = observations.get(held.key)
  const effect = { key: held.key, module, changes: [], omit: [], force: false, holdsState: holdsState(held.key) } satisfies Partial<Effect>
  const heir = declaredBy(held.key)
  if (heir !== undefined) return { ...effect, action: 'skipped', why: `handed over to ${heir}` }
  if (observation === undefined || observation.state === 'unknown') return { ...effect, action: 'unknown' }
  if (observation.state === 'deferred') return { ...effect, action: 'deleted', deferred: observation.reason }
  const sealed = seal(observation, []) ?? { uid: null, paths: [] }
  if (observation.state === 'absent') return { ...effect, action: 'unchanged', sealed, why: 'it is gone already' }
  if (observation.uid !== held.uid) return { ...effect, action: 'skipped', sealed, why: 'another object bears its name by now; it is not ours and stays' }
  if (observation.terminating) return { ...effect, action: 'skipped', why: 'it is being deleted already' }
  return {
    ...effect,
    action: 'deleted',
    sealed,
    holdsState: holdsState(held.key, observation.body),
    ...(observation.contents === undefined ? {} : { contents: observation.contents }),
    ...(observation.holdsData === undefined ? {} : { holdsData: observation.holdsData }),
  }
}
