import { digestOf } from '#lib/digest.ts'
import type { FailureJson } from '#lib/failure.ts'
import { plumbline, type Present } from '#model/field-facts.ts'
import { readPath } from '#model/field-path.ts'
import { declaredPaths, ownerName } from '#model/field-set.ts'
import { holdsState } from '#model/holds-state.ts'
import { listKeysOf } from '#model/list-keys.ts'
import { seal } from '#model/moved.ts'
import type { Effect, FieldChange, FieldPath, Held, Observation } from '#model/plan.ts'
import { showKey, type Desired, type ObjectKey } from '#model/resource.ts'
import { handOverUnsure } from './doubts.ts'
import { compareFields } from './fields.ts'

export type ProposeInput = {
  readonly module: string
  readonly environment: string
  /** Objects that exist already are taken over. */
  readonly takeOver: boolean
  /** The values of Secrets as keyed digests, as in the inventory and the observations. */
  readonly desired: readonly Desired[]
  /** The rows of the inventory for the desired objects, whichever module holds them. */
  readonly held: ReadonlyMap<ObjectKey, Held>
  readonly observations: ReadonlyMap<ObjectKey, Observation>
  /** Why it is not known whether another module that holds an object still declares it (`doubts.ts`). */
  readonly mayKeep?: (holder: string, key: ObjectKey) => string | undefined
  /** The field manager; `plumbline`, if left out. */
  readonly manager?: string
  /** Fields that are to be as declared again, whoever holds them now; none, if left out. */
  readonly restore?: (path: FieldPath) => boolean
}

/**
 * What a module's desired objects become, one effect for each, in the order given.
 *
 * | the object is                        | the inventory                   | then                                                                |
 * |--------------------------------------|---------------------------------|---------------------------------------------------------------------|
 * | unknown, or was not observed         | any                             | `unknown`: the plan is not applicable                               |
 * | held for another environment         |                                 | refused `object-held-elsewhere`                                     |
 * | any                                  | holds it for another module that cannot be read now | refused `hand-over-unsure`, retried later       |
 * | deferred (its kind is not served)    | any                             | `created`, sealed when it is reached                                |
 * | absent                               | nothing                         | `created`                                                           |
 * | absent                               | holds it                        | `created` again: somebody deleted it, which `why` says              |
 * | terminating                          | any                             | refused `object-terminating`, retried later                         |
 * | present                              | nothing                         | refused `object-exists`; with `takeOver` each field is shown, taken |
 * | present, with another UID            | holds the former one            | refused `object-recreated`; with `takeOver` as one that exists: what we declared of the former says nothing of this one |
 * | present                              | holds it for another module     | as ours, and handed over (a module that still declares it is refused before, by `duplicates.ts`) |
 * | present                              | holds it                        | `configured` or `unchanged`, field by field (`judge.ts`)            |
 *
 * That our manager owns fields of an object proves nothing: the inventory alone does (what a creation made whose answer never came is in it by now: the run
 * recognises it before it plans). What is refused keeps the action and the changes that it would
 * have, for a person to see.
 */
export function propose(input: ProposeInput): Effect[] {
  return input.desired.map((desired) => proposeOne(input, desired))
}

function proposeOne(input: ProposeInput, desired: Desired): Effect {
  const { key } = desired
  const held = input.held.get(key)
  const observation = input.observations.get(key)
  const effect = {
    key,
    module: input.module,
    changes: [],
    desired: digestOf(desired.body),
    omit: [],
    force: false,
    holdsState: holdsState(key, observation?.state === 'present' ? observation.body : desired.body),
    origin: desired.origin,
  } satisfies Partial<Effect>
  if (observation === undefined || observation.state === 'unknown') return { ...effect, action: 'unknown' }
  const owned = held !== undefined && held.module !== input.module ? { handedOverFrom: held.module, why: `handed over from ${held.module}` } : {}
  if (held !== undefined && held.environment !== input.environment) return { ...effect, action: 'skipped', refused: heldElsewhere(key, held, input) }
  const keeper = held === undefined || held.module === input.module ? undefined : input.mayKeep?.(held.module, key)
  if (held !== undefined && keeper !== undefined) return { ...effect, action: 'skipped', refused: handOverUnsure(key, held.module, input.module, keeper) }
  if (observation.state === 'deferred') return { ...effect, ...owned, action: 'created', changes: allAdded(desired), deferred: observation.reason }
  const sealed = seal(observation, []) ?? { uid: null, paths: [] }
  if (observation.state === 'absent') {
    const why = held === undefined ? {} : { why: 'somebody deleted it; it is made again' }
    return { ...effect, ...owned, ...why, action: 'created', changes: allAdded(desired), sealed }
  }
  if (observation.terminating) return { ...effect, ...owned, action: 'skipped', sealed, refused: terminating(key) }
  if (held !== undefined && held.uid === observation.uid) return { ...effect, ...owned, ...carriedOut(observation, desired, held, input) }
  const taken = { ...effect, ...carriedOut(observation, desired, undefined, input) }
  if (input.takeOver) return { ...taken, why: held === undefined ? 'it exists already; it is taken over' : 'somebody deleted it and made it again; it is taken over' }
  return { ...taken, refused: held === undefined ? exists(observation, input) : recreated(key, held, observation) }
}

function carriedOut(live: Present, desired: Desired, held: Held | undefined, input: ProposeInput): Pick<Effect, 'action' | 'changes' | 'omit' | 'force' | 'sealed'> {
  const { touched, write, ...fields } = compareFields(desired.body, held?.fields, live, input.manager ?? plumbline, input.restore)
  const sealed = seal(live, write ? touched : [])
  // An object that is taken over is written even where every field is right: declaring it is the change.
  return { ...fields, action: write || held === undefined ? 'configured' : 'unchanged', ...(sealed === undefined ? {} : { sealed }) }
}

function allAdded({ key, body }: Desired): FieldChange[] {
  return declaredPaths(body, listKeysOf(key)).map((path) => ({ path, state: 'added', to: readPath(body, path) ?? null }))
}

function exists(live: Present, { module }: ProposeInput): FailureJson {
  const owners = [...new Set(live.owners.map(ownerName))].sort().join(', ')
  return {
    code: 'object-exists',
    subject: showKey(live.key),
    message: `${showKey(live.key)} exists already, and Plumbline did not make it${owners === '' ? '' : ` (its fields are owned by ${owners})`}`,
    hint: `If ${module} is to have it, set takeOver: true in its Module document; the plan then shows each field that is taken. Otherwise choose another name.`,
    retry: 'never',
  }
}

function recreated(key: ObjectKey, held: Held, live: Present): FailureJson {
  return {
    code: 'object-recreated',
    subject: showKey(key),
    message: `${showKey(key)} was deleted and made again by somebody: its UID was ${held.uid} and is ${live.uid}`,
    hint: `Delete it, so that it is made from Git, or set takeOver: true in the Module document of ${held.module}.`,
    retry: 'later',
  }
}

export function terminating(key: ObjectKey): FailureJson {
  return {
    code: 'object-terminating',
    subject: showKey(key),
    message: `${showKey(key)} is being deleted: nothing can be applied to it until it is gone`,
    hint: 'Wait until it is gone, then deliver again. If it stays, look at its metadata.finalizers: something has to release it.',
    retry: 'later',
  }
}

function heldElsewhere(key: ObjectKey, held: Held, { environment }: ProposeInput): FailureJson {
  return {
    code: 'object-held-elsewhere',
    subject: showKey(key),
    message: `${showKey(key)} is held by the module ${held.module} in the environment ${held.environment}, which reaches the same cluster as ${environment}`,
    hint: 'Give it another name or namespace in one of the two environments, or remove it from the other one first.',
    retry: 'never',
  }
}
