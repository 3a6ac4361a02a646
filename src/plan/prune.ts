import { holdsState } from '#model/holds-state.ts'
import { seal } from '#model/moved.ts'
import type { Effect, Held, Observation } from '#model/plan.ts'
import type { ObjectKey } from '#model/resource.ts'
import { pruneUnsure } from './doubts.ts'
import { terminating } from './propose.ts'

export type PruneInput = {
  readonly module: string
  /** The rows of the inventory that are this module's in this environment, and that it no longer declares. */
  readonly held: readonly Held[]
  readonly observations: ReadonlyMap<ObjectKey, Observation>
  /** Which module of the same snapshot declares an object at this place now. */
  readonly declaredBy: (key: ObjectKey) => string | undefined
  /** Who may declare an object at this place, although nobody can tell (`doubts.ts`). */
  readonly mayDeclare?: (key: ObjectKey) => string | undefined
}

/**
 * What becomes of objects that we hold and that Git no longer declares: deleted by UID, and never on a guess.
 *
 * | the object is                         | then                                                                                     |
 * |---------------------------------------|------------------------------------------------------------------------------------------|
 * | declared by another module now        | `skipped`: handed over, the other module's effect says from where                         |
 * | unknown, or was not observed          | `unknown`                                                                                |
 * | to be deleted, by the rows below, and perhaps declared by a module that cannot be read now | `skipped`, with `prune-unsure` in `left` |
 * | deferred (its kind is not served)     | `deleted`, sealed when it is reached                                                     |
 * | absent                                | `unchanged`: there is nothing to do, and the inventory forgets it                        |
 * | present with another UID              | `skipped`: not the object that we made, so it stays; the inventory forgets ours          |
 * | being deleted already                 | `skipped`, with `object-terminating` in `left`: it stays in the inventory until it is gone |
 * | present                               | `deleted`                                                                                |
 */
export function prune(input: PruneInput): Effect[] {
  return input.held.map((held) => pruneOne(input, held))
}

/** Whether an effect says that the inventory's row goes without anything being done: `unchanged` or `skipped`, sealed, and not wanted. */
export function forgets(effect: Effect): boolean {
  return effect.desired === undefined && effect.sealed !== undefined && (effect.action === 'unchanged' || effect.action === 'skipped')
}

function pruneOne({ module, observations, declaredBy, mayDeclare }: PruneInput, held: Held): Effect {
  const observation = observations.get(held.key)
  const effect = { key: held.key, module, changes: [], omit: [], force: false, holdsState: holdsState(held.key) } satisfies Partial<Effect>
  const heir = declaredBy(held.key)
  if (heir !== undefined) return { ...effect, action: 'skipped', why: `handed over to ${heir}` }
  if (observation === undefined || observation.state === 'unknown') return { ...effect, action: 'unknown' }
  const who = mayDeclare?.(held.key)
  const unsure = who === undefined ? undefined : ({ ...effect, action: 'skipped', why: `perhaps declared by ${who}`, left: pruneUnsure(held.key, who) } satisfies Effect)
  if (observation.state === 'deferred') return unsure ?? { ...effect, action: 'deleted', deferred: observation.reason }
  const sealed = seal(observation, []) ?? { uid: null, paths: [] }
  if (observation.state === 'absent') return { ...effect, action: 'unchanged', sealed, why: 'it is gone already' }
  if (observation.uid !== held.uid) return { ...effect, action: 'skipped', sealed, why: 'another object bears its name by now; it is not ours and stays' }
  if (observation.terminating) return { ...effect, action: 'skipped', why: 'it is being deleted already', left: terminating(held.key) }
  if (unsure !== undefined) return unsure
  return {
    ...effect,
    action: 'deleted',
    sealed,
    holdsState: holdsState(held.key, observation.body),
    ...(observation.contents === undefined ? {} : { contents: observation.contents }),
    ...(observation.holdsData === undefined ? {} : { holdsData: observation.holdsData }),
  }
}
