import { Failure, asFailure } from '#lib/failure.ts'
import type { FailureJson } from '#lib/failure.ts'
import type { Held } from '#model/plan.ts'
import { statuses } from '#store/statuses.ts'
import type { Intents } from './render-run.ts'
import { bind } from './work.ts'
import type { Bound, Work } from './work.ts'

/** Where each module of the run is delivered to. One binding a target: the place behind it is asked for once. */
export type Bindings = ReadonlyMap<string, Bound>

/** Every module of the environment, bound to where it is delivered; and why the others are not. `waiting`: those that could not be bound just now. */
export async function bindAll(work: Work, intents: Intents): Promise<{ bindings: Bindings; failures: Map<string, FailureJson>; waiting: Set<string> }> {
  const rows = new Map((await statuses(work.parts.sql, work.run.environment)).map((row) => [row.module, row]))
  const byTarget = new Map<string, Bound>()
  const bindings = new Map<string, Bound>()
  const failures = new Map<string, FailureJson>()
  const waiting = new Set<string>()
  for (const name of new Set([...Object.keys(work.run.modules), ...intents.modules.keys()])) {
    const failure = intents.modules.get(name)?.failure
    if (failure !== undefined) {
      failures.set(name, failure)
      continue
    }
    // A module that is gone from Git is deleted where it was delivered.
    const spec = intents.modules.get(name)?.config.spec ?? rows.get(name)
    if (spec === undefined) continue
    const id = `${spec.driver} ${spec.target}`
    try {
      const bound = byTarget.get(id) ?? (await bind(work, name, spec.driver, spec.target, work.claim.signal))
      byTarget.set(id, bound)
      bindings.set(name, bound)
    } catch (error) {
      const own = ownFailure(work, error, name)
      // What is only verified, or is no part of the run, needs no target that answers.
      if (own.retry !== 'never' && work.run.modules[name]?.changed !== true) continue
      failures.set(name, own)
      waiting.add(name)
    }
  }
  return { bindings, failures, waiting }
}

/** A failure that concerns one module alone. Any other is thrown: the whole run is tried again. */
export function ownFailure(work: Work, error: unknown, module: string): FailureJson {
  work.claim.signal.throwIfAborted()
  const failure = asFailure(error, `module ${module}`)
  if (failure.retry === 'now' || failure.code === 'lease-lost' || failure.code === 'store-unavailable') throw failure
  return failure.toJSON()
}

/** The place behind a target of the environment, where a module that is bound tells it. */
export async function placeBehind(bindings: Bindings, target: string): Promise<string | undefined> {
  return [...bindings.values()].find((bound) => bound.target === target)?.place().catch(() => undefined)
}

/** What a module holds at its former target would be left behind there. A place that no target reaches any more cannot be cleared up. */
export async function refuseMovedTarget(bound: Bound, bindings: Bindings, module: string, own: readonly Held[]): Promise<void> {
  const place = await bound.place()
  const elsewhere = own.filter((row) => row.place !== place)
  if (elsewhere.length === 0) return
  const asked = await Promise.allSettled([...new Set(bindings.values())].map((one) => one.place()))
  const left = elsewhere.filter((row) => asked.some((one) => one.status === 'fulfilled' && one.value === row.place))
  // It may be behind the target that does not answer.
  for (const one of asked) if (left.length === 0 && one.status === 'rejected') throw one.reason
  if (left.length === 0) return
  throw new Failure({
    code: 'target-moved',
    subject: `module ${module}`,
    message: `it has another target now, and still holds ${left.length} objects at its former one`,
    hint: 'Deliver it once with `environments` that leave this one out, so that they are deleted there, and then with the new target.',
  })
}
