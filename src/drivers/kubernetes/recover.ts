import type { ServedKind } from '#clients/kubernetes/client.ts'
import { asFailure, Failure } from '#lib/failure.ts'
import { equalJson, isObject, type JsonObject } from '#lib/json.ts'
import { readPath } from '#model/field-path.ts'
import { declaredPaths } from '#model/field-set.ts'
import { listKeysOf } from '#model/list-keys.ts'
import type { Effect, Held } from '#model/plan.ts'
import { parseKey, showKey, type Desired } from '#model/resource.ts'
import type { Outcome } from '../driver.ts'
import { applied } from './apply.ts'
import { bodyOf } from './body.ts'
import type { Call } from './call.ts'
import { manager } from './names.ts'
import { observed, ownPaths, type Present } from './observed.ts'
import { gone } from './outcome.ts'
import { withDigests } from './secret-values.ts'
import { servedKinds } from './served.ts'

export type Recovered = Outcome | { readonly state: 'not-applied' }

const notApplied: Recovered = { state: 'not-applied' }

/** Tells, by reading, what became of an effect that may have been sent. It writes nothing. */
export async function recover(call: Call, effect: Effect, desired: Desired | undefined, held: Held | undefined): Promise<Recovered> {
  const serving = (await servedKinds(call, [effect.key], desired === undefined ? [] : [desired])).get(effect.key)
  if (serving?.state === 'unknown') return { state: 'unknown', failure: serving.failure }
  if (serving?.state !== 'served') return effect.action === 'deleted' ? gone : notApplied
  const { namespace, name } = parseKey(effect.key)
  try {
    const object = await call.clients.kubernetes.get(serving.kind, namespace, name, call.signal)
    if (object === undefined) return effect.action === 'deleted' ? gone : notApplied
    const live = observed(effect.key, object, call.secretDigest)
    if (live.state === 'unknown') return live
    if (effect.action === 'deleted') {
      // What has our object's name, but not its uid, is another's: ours is gone.
      if (live.uid !== effect.sealed?.uid) return gone
      return live.terminating ? { state: 'terminating', uid: live.uid } : notApplied
    }
    if (desired === undefined) return notApplied
    const isOther = effect.sealed !== undefined && effect.sealed.uid !== null && effect.sealed.uid !== live.uid
    if (isOther || !(await isThere(call, serving.kind, effect, desired, object, live))) return notApplied
    return applied(call, effect, desired, live, held, effect.sealed?.uid === null ? 'created' : 'configured', [])
  } catch (error) {
    call.signal.throwIfAborted()
    return { state: 'unknown', failure: asFailure(error, showKey(effect.key)).toJSON() }
  }
}

/**
 * Whether the object is as our apply leaves it. Where our entry holds the very fields with the very values, it is. Where values only differ, the server may
 * write them in another form (`500m` for `0.5`): a dry run that changes nothing proves that they are the same.
 */
async function isThere(call: Call, kind: ServedKind, effect: Effect, desired: Desired, object: JsonObject, live: Present): Promise<boolean> {
  const own = ownPaths(live)
  if (own === undefined) return false
  const body = bodyOf(effect, desired)
  const wanted = withDigests(body, call.secretDigest)
  const paths = declaredPaths(body, listKeysOf(effect.key, live))
  if (equalJson([...own].sort(), paths) && paths.every((path) => equalJson(readPath(wanted, path), readPath(live.body, path)))) return true
  try {
    const answer = await call.clients.kubernetes.apply(kind, body, { manager, force: effect.force, dryRun: true, uid: live.uid }, call.signal)
    return equalJson(withoutVersion(answer.object), withoutVersion(object))
  } catch (error) {
    // A conflict, or a refusal: the server would not have done it, or could not do it again.
    if (error instanceof Failure && ['kubernetes-conflict', 'kubernetes-refused'].includes(error.code)) return false
    throw error
  }
}

function withoutVersion(object: JsonObject): JsonObject {
  const { resourceVersion: _, ...metadata } = isObject(object['metadata']) ? object['metadata'] : {}
  return { ...object, metadata }
}
