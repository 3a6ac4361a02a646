import { neverWritten, type ServedKind } from '#clients/kubernetes/client.ts'
import { asFailure, Failure } from '#lib/failure.ts'
import { moved } from '#model/moved.ts'
import type { Effect } from '#model/plan.ts'
import { keyOf, parseKey, showKey, type Desired, type ObjectKey } from '#model/resource.ts'
import { bodyOf } from './body.ts'
import type { Call } from './call.ts'
import { manager } from './names.ts'
import { observeOne } from './observe.ts'
import { outcomeOf } from './outcome.ts'
import { servedKinds } from './served.ts'

/**
 * Asks the server what it would say, by a dry run of the very request. What it refuses is `refused`; what it warns of is the payload's `warnings`; what it
 * cannot be asked yet, as its namespace comes with this plan, has the payload `{ previewed: false }`. Where the server cannot be asked, it throws.
 */
export async function preview(call: Call, effects: readonly Effect[], desired: readonly Desired[]): Promise<Effect[]> {
  const bodies = new Map(desired.map((one) => [one.key, one]))
  const asked = effects.filter(isAsked)
  const kinds = await servedKinds(call, asked.map((effect) => effect.key), asked.flatMap((effect) => bodies.get(effect.key) ?? []))
  const coming = new Set(effects.filter((effect) => effect.action === 'created').map((effect) => effect.key))
  return Promise.all(
    effects.map(async (effect) => {
      const serving = kinds.get(effect.key)
      if (!isAsked(effect) || serving === undefined) return effect
      if (serving.state === 'unknown') throw new Failure(serving.failure)
      if (serving.state === 'not-served' || coming.has(namespaceKey(effect.key))) return { ...effect, payload: { previewed: false } }
      return ask(call, serving.kind, effect, bodies.get(effect.key))
    }),
  )
}

function isAsked(effect: Effect): boolean {
  return effect.sealed !== undefined && effect.refused === undefined && ['created', 'configured', 'deleted'].includes(effect.action)
}

function namespaceKey(key: ObjectKey): ObjectKey {
  return keyOf({ group: '', kind: 'Namespace', namespace: '', name: parseKey(key).namespace })
}

async function ask(call: Call, kind: ServedKind, effect: Effect, desired: Desired | undefined): Promise<Effect> {
  const { namespace, name } = parseKey(effect.key)
  const uid = effect.sealed?.uid ?? undefined
  const client = call.clients.kubernetes
  const body = desired === undefined ? {} : bodyOf(effect, desired)
  try {
    if (effect.action === 'deleted') {
      if (uid !== undefined) await client.delete(kind, namespace, name, { uid, propagation: 'Background', dryRun: true }, call.signal)
      return effect
    }
    const preconditions = uid === undefined ? { version: neverWritten } : { uid }
    const { warnings } = await client.apply(kind, body, { manager, force: effect.force, dryRun: true, ...preconditions }, call.signal)
    return warnings.length === 0 ? effect : { ...effect, payload: { ...effect.payload, warnings } }
  } catch (error) {
    call.signal.throwIfAborted()
    if (isMissingNamespace(error, namespace)) return { ...effect, payload: { previewed: false } }
    const outcome = outcomeOf(error, effect, body)
    const what = outcome.state === 'moved' ? outcome.what : outcome.state === 'conflict' ? await movedSince(call, kind, effect) : undefined
    if (what !== undefined) return { ...effect, refused: new Failure({ code: 'object-moved', subject: showKey(effect.key), message: what, hint: 'Plan again.', retry: 'now' }).toJSON() }
    if (outcome.state === 'refused' || outcome.state === 'conflict') return { ...effect, refused: outcome.failure }
    throw asFailure(error, showKey(effect.key))
  }
}

/** A server tells of fields that others own before it looks at the UID and the version: a conflict may be one with an object that was not there when the plan was made. */
async function movedSince(call: Call, kind: ServedKind, effect: Effect): Promise<string | undefined> {
  const live = await observeOne(call, kind, effect.key)
  return live.state === 'unknown' || effect.sealed === undefined ? undefined : moved(effect.sealed, live)
}

/** It may come with another module's step. If it does not, the apply is refused. */
function isMissingNamespace(error: unknown, namespace: string): boolean {
  return error instanceof Failure && error.code === 'kubernetes-not-found' && error.fields['object'] === `namespaces/${namespace}`
}
