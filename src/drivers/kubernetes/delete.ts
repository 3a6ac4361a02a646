import type { ServedKind } from '#clients/kubernetes/client.ts'
import { Failure } from '#lib/failure.ts'
import { moved } from '#model/moved.ts'
import type { Effect, Observation, Sealed } from '#model/plan.ts'
import { parseKey } from '#model/resource.ts'
import type { Outcome } from '../driver.ts'
import type { Call } from './call.ts'
import { gone, interrupted, outcomeOf } from './outcome.ts'

/** Deletes the very object that was sealed, as it was just read. What is gone already is what was wished. */
export async function deleteObject(call: Call, kind: ServedKind, effect: Effect, sealed: Sealed, live: Observation): Promise<Outcome> {
  if (live.state === 'absent') return gone
  const what = moved(sealed, live)
  if (what !== undefined || live.state !== 'present') return { state: 'moved', what: what ?? 'the object could not be read' }
  if (live.terminating) return { state: 'terminating', uid: live.uid }
  const { namespace, name } = parseKey(effect.key)
  await call.assertLease()
  call.signal.throwIfAborted()
  try {
    const answer = await call.clients.kubernetes.delete(kind, namespace, name, { uid: live.uid, version: live.version, propagation: 'Background', dryRun: false }, call.signal)
    return answer === 'terminating' ? { state: 'terminating', uid: live.uid } : gone
  } catch (error) {
    if (call.signal.aborted && !(error instanceof Failure)) return interrupted(effect)
    return outcomeOf(error, effect, {})
  }
}
