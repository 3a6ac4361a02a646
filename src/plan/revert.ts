import { plumbline } from '#model/field-facts.ts'
import { isWithin } from '#model/field-path.ts'
import type { Effect, FieldPath, Held, Observation } from '#model/plan.ts'
import type { Desired } from '#model/resource.ts'
import { propose } from './propose.ts'

export type RevertInput = {
  readonly module: string
  readonly environment: string
  /** What was declared last: its digest is that of the inventory’s row. Values of Secrets as keyed digests. */
  readonly desired: Desired
  readonly held: Held
  readonly observation: Observation
  /** The fields that are to be as declared again, and no others; all, where another object bears the name. */
  readonly paths: readonly FieldPath[]
}

/**
 * The effect that makes some fields of an object as declared again: forced, whoever owns them now, while all else that others hold stays as it is. An object
 * that is gone is made again; one that was made again by somebody is taken over, as the fields show.
 */
export function proposeRevert({ module, environment, desired, held, observation, paths }: RevertInput): Effect | undefined {
  const wanted = new Set(paths)
  const [effect] = propose({
    module,
    environment,
    takeOver: observation.state === 'present' && observation.uid !== held.uid,
    desired: [desired],
    held: new Map([[desired.key, held]]),
    observations: new Map([[desired.key, observation]]),
    manager: plumbline,
    restore: (path) => wanted.has(path) || paths.some((one) => isWithin(path, one)),
  })
  return effect
}
