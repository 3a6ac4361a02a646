import { neverWritten, type ServedKind } from '#clients/kubernetes/client.ts'
import { Failure } from '#lib/failure.ts'
import { declaredFields } from '#model/declared.ts'
import { listKeysOf } from '#model/list-keys.ts'
import { moved } from '#model/moved.ts'
import type { DeclaredField, Effect, Held, Observation, Sealed } from '#model/plan.ts'
import type { Desired } from '#model/resource.ts'
import type { Outcome } from '../driver.ts'
import { bodyOf, declare, valuePath } from './body.ts'
import type { Call } from './call.ts'
import { deleteObject } from './delete.ts'
import { manager } from './names.ts'
import { observeOne } from './observe.ts'
import { observed, ownPaths, type Present } from './observed.ts'
import { changedMeanwhile, gone, interrupted, outcomeOf, terminating, unfit, unread } from './outcome.ts'
import { servedKinds } from './served.ts'

const carriedOut: ReadonlySet<string> = new Set(['created', 'configured', 'deleted', 'unchanged'])

/**
 * Carries out one effect: reads the object, refuses if it is not what was sealed, asks whether the lease still holds, and writes with the version that
 * was just read. Throws only the signal's end before the write, and what `assertLease` throws.
 */
export async function apply(call: Call, effect: Effect, desired: Desired | undefined, held: Held | undefined): Promise<Outcome> {
  call.signal.throwIfAborted()
  if (effect.sealed === undefined || effect.refused !== undefined || !carriedOut.has(effect.action) || (effect.action !== 'deleted' && desired === undefined)) return unfit(effect)
  const serving = (await servedKinds(call, [effect.key], desired === undefined ? [] : [desired])).get(effect.key)
  if (serving?.state === 'unknown') return unread(serving.failure)
  if (serving?.state !== 'served') return effect.action === 'deleted' ? gone : { state: 'moved', what: serving?.reason ?? 'its kind is not served' }
  for (let attempt = 1; ; attempt += 1) {
    const outcome = await attemptOn(call, serving.kind, effect, effect.sealed, desired, held)
    // Between our read and our write a controller wrote its status: what was sealed is looked at again, and mostly still holds.
    const isOfVersion = outcome.state === 'moved' && outcome.what === changedMeanwhile
    // A server tells of fields that others own before it looks at the UID and the version: another look tells whether it is the object that was sealed.
    const isFirstConflict = outcome.state === 'conflict' && attempt === 1
    if (!(isOfVersion || isFirstConflict) || attempt === attempts) return outcome
  }
}

/** A busy object's version moves all the time; after so many tries somebody must be moving what was sealed, too. */
const attempts = 8

async function attemptOn(call: Call, kind: ServedKind, effect: Effect, sealed: Sealed, desired: Desired | undefined, held: Held | undefined): Promise<Outcome> {
  const live = await observeOne(call, kind, effect.key)
  if (live.state === 'unknown') return unread(live.failure)
  if (effect.action === 'deleted') return deleteObject(call, kind, effect, sealed, live)
  const what = moved(sealed, live)
  if (what !== undefined) return { state: 'moved', what }
  if (live.state === 'present' && live.terminating) return terminating(effect)
  if (effect.action === 'unchanged' && live.state === 'present') return { ...applied(call, effect, desired as Desired, live, held, 'unchanged', []), ...(held === undefined ? {} : { fields: held.fields }) }
  return write(call, kind, effect, desired as Desired, live, held)
}

async function write(call: Call, kind: ServedKind, effect: Effect, desired: Desired, live: Observation, held: Held | undefined): Promise<Outcome> {
  const body = bodyOf(effect, desired)
  // What was absent may only be created: its apply bears a version that no object ever has.
  const preconditions = live.state === 'present' ? { uid: live.uid, version: live.version } : { version: neverWritten }
  await call.assertLease()
  call.signal.throwIfAborted()
  try {
    const { object, created, warnings } = await call.clients.kubernetes.apply(kind, body, { manager, force: effect.force, dryRun: false, ...preconditions }, call.signal)
    const answer = observed(effect.key, object, call.secretDigest)
    if (answer.state === 'unknown') return { state: 'unknown', failure: answer.failure }
    const action = created ? 'created' : live.state === 'present' && live.version === answer.version ? 'unchanged' : 'configured'
    return applied(call, effect, desired, answer, held, action, warnings)
  } catch (error) {
    if (call.signal.aborted && !(error instanceof Failure)) return interrupted(effect)
    return outcomeOf(error, effect, body)
  }
}

/** An object as our apply left it. */
export function applied(call: Call, effect: Effect, desired: Desired, answer: Present, held: Held | undefined, action: 'created' | 'configured' | 'unchanged', warnings: readonly string[]): Extract<Outcome, { state: 'applied' }> {
  const metadata = answer.body['metadata']
  const generation = typeof metadata === 'object' && metadata !== null && !Array.isArray(metadata) ? metadata['generation'] : undefined
  return {
    state: 'applied',
    action,
    uid: answer.uid,
    version: answer.version,
    ...(typeof generation === 'number' ? { generation } : {}),
    fields: declaredOf(call, effect, desired, answer, held),
    warnings,
  }
}

/** What is declared now. A plan knows a Secret's value by its digest; what is declared is the value. */
function declaredOf(call: Call, effect: Effect, desired: Desired, answer: Present, held: Held | undefined): DeclaredField[] {
  const { body } = declare(call.secretDigest, effect.module, desired)
  const changes = effect.changes.map((change) => ({ ...change, path: valuePath(body, change.path) }))
  const omit = effect.omit.map((path) => valuePath(body, path))
  return declaredFields({ desired: body, listKeys: listKeysOf(effect.key, answer), effect: { changes, omit }, held: held?.fields ?? [], answer: { body: answer.body, own: ownPaths(answer) } })
}
