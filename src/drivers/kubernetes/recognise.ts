import { asFailure } from '#lib/failure.ts'
import { equalJson, isObject, type Json, type JsonObject } from '#lib/json.ts'
import { Quantity } from '#lib/cel-library/quantity.ts'
import { readPath } from '#model/field-path.ts'
import type { Effect } from '#model/plan.ts'
import { parseKey, showKey, type Desired } from '#model/resource.ts'
import { moduleLabel, moduleLabelPath } from '#model/module-label.ts'
import { applied } from './apply.ts'
import type { Call } from './call.ts'
import { observed, ownPaths, type Present } from './observed.ts'
import type { Recovered } from './recover.ts'
import { servedKinds } from './served.ts'

/** Tells, by reading, whether an object is the one that a creation made whose answer never came. */
export async function recognise(call: Call, effect: Effect, declared: Desired): Promise<Recovered> {
  const serving = (await servedKinds(call, [effect.key], [declared])).get(effect.key)
  if (serving?.state === 'unknown') return { state: 'unknown', failure: serving.failure }
  if (serving?.state !== 'served') return { state: 'not-applied' }
  const { namespace, name } = parseKey(effect.key)
  try {
    const object = await call.clients.kubernetes.get(serving.kind, namespace, name, call.signal)
    if (object === undefined) return { state: 'not-applied' }
    const live = observed(effect.key, object, call.secretDigest)
    if (live.state === 'unknown') return live
    return isOurs(effect.module, declared.body, live) ? applied(call, effect, declared, live, undefined, 'created', []) : { state: 'not-applied' }
  } catch (error) {
    call.signal.throwIfAborted()
    return { state: 'unknown', failure: asFailure(error, showKey(effect.key)).toJSON() }
  }
}

/**
 * A creation bears a version that no object has, so that an object with an Apply of ours that the inventory does not know was made by it. That it was this
 * one shows in the entry: its module's label, and no field or value but what was declared then. What somebody has changed since is no longer in it.
 */
function isOurs(module: string, declared: JsonObject, live: Present): boolean {
  const own = ownPaths(live) ?? []
  const metadata = isObject(live.body['metadata']) ? live.body['metadata'] : {}
  const labels = isObject(metadata['labels']) ? metadata['labels'] : {}
  if (labels[moduleLabel] !== module || !own.includes(moduleLabelPath)) return false
  return own.every((path) => {
    const wanted = readPath(declared, path)
    return wanted !== undefined && means(wanted, readPath(live.body, path))
  })
}

/** Whether a server may have made this of a value: a quantity in its own form, defaults beside what was said. */
function means(wanted: Json, live: Json | undefined): boolean {
  if (equalJson(wanted, live ?? null)) return true
  if (Array.isArray(wanted)) return Array.isArray(live) && live.length === wanted.length && wanted.every((one, at) => means(one, live[at]))
  if (isObject(wanted)) return isObject(live) && Object.entries(wanted).every(([name, one]) => means(one, live[name]))
  if (typeof wanted !== 'string' && typeof wanted !== 'number') return false
  const [a, b] = [wanted, live].map((one) => (typeof one === 'string' || typeof one === 'number' ? Quantity.read(String(one)) : undefined))
  return a !== undefined && b !== undefined && a.compare(b) === 0n
}
