import { asFailure, Failure } from '#lib/failure.ts'
import type { JsonObject } from '#lib/json.ts'
import type { Effect } from '#model/plan.ts'
import { showKey } from '#model/resource.ts'
import type { Outcome } from '../driver.ts'
import { conflictsOf } from './conflict.ts'

/** The version that was read is not the version that is there: not yet proof that what was sealed has moved. */
export const changedMeanwhile = 'the object changed between being read and being written'

/** What a write that failed tells. Only an answer of the server itself proves that nothing was written; all else is unknown. */
export function outcomeOf(error: unknown, effect: Effect, sent: JsonObject): Outcome {
  const failure = asFailure(error, showKey(effect.key))
  switch (failure.code) {
    case 'kubernetes-conflict': {
      const conflicts = conflictsOf(failure, sent)
      if (conflicts.length === 0) return { state: 'moved', what: changedMeanwhile }
      return { state: 'conflict', conflicts, failure: conflictFailure(effect, conflicts) }
    }
    case 'kubernetes-refused':
      if (isOtherUid(failure)) return { state: 'moved', what: 'the object was deleted and made again by somebody (its UID differs)' }
      return { state: 'refused', failure: failure.toJSON() }
    case 'kubernetes-not-found':
    case 'kubernetes-unauthorized':
    case 'kubernetes-sign-in-failed':
      return { state: 'refused', failure: failure.toJSON() }
    default:
      return { state: 'unknown', failure: failure.toJSON() }
  }
}

function conflictFailure(effect: Effect, conflicts: readonly { path: string; manager: string }[]): ReturnType<Failure['toJSON']> {
  const managers = [...new Set(conflicts.map((conflict) => conflict.manager))]
  return new Failure({
    code: 'field-conflict',
    subject: showKey(effect.key),
    message: `${managers.join(', ')} ${managers.length === 1 ? 'owns' : 'own'} ${conflicts.map((conflict) => conflict.path).join(', ')}`,
    hint: 'Plan again: the plan then shows these fields as contested, for a person to decide.',
    retry: 'later',
    fields: { conflicts: conflicts.map((conflict) => ({ ...conflict })) },
  }).toJSON()
}

/** An apply that names the uid of an object that was made again is answered by 422. */
function isOtherUid(failure: Failure): boolean {
  const causes = failure.fields['causes']
  return failure.fields['status'] === 422 && Array.isArray(causes) && causes.some((cause) => typeof cause === 'object' && cause !== null && !Array.isArray(cause) && cause['field'] === 'metadata.uid')
}

/** After a deletion nothing is declared any more. */
export const gone: Outcome = { state: 'applied', action: 'deleted', fields: [], warnings: [] }

/** Nothing was written; but whether an earlier try was is not known either, so it is not `refused`. */
export function unread(failure: Extract<Outcome, { state: 'unknown' }>['failure']): Outcome {
  return failure.code === 'object-scope' ? { state: 'refused', failure } : { state: 'unknown', failure }
}

export function interrupted(effect: Effect): Outcome {
  const failure = new Failure({ code: 'effect-interrupted', subject: showKey(effect.key), message: 'the call was ended while the server was asked to write', hint: 'The next look at the object tells whether it was written.', retry: 'later' })
  return { state: 'unknown', failure: failure.toJSON() }
}

export function terminating(effect: Effect): Outcome {
  const failure = new Failure({ code: 'object-terminating', subject: showKey(effect.key), message: 'it is being deleted, and what is applied now would go with it', hint: 'Wait until it is gone, or see which finalizer holds it.', retry: 'later' })
  return { state: 'refused', failure: failure.toJSON() }
}

export function unfit(effect: Effect): Outcome {
  if (effect.refused !== undefined) return { state: 'refused', failure: effect.refused }
  const failure = new Failure({ code: 'effect-not-sealed', subject: showKey(effect.key), message: effect.deferred ?? 'nothing was sealed for it', hint: 'Plan again: what was deferred is sealed when it can be known.', retry: 'later' })
  return { state: 'refused', failure: failure.toJSON() }
}
