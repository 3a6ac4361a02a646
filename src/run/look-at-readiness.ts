import { startDeadline } from '#lib/clock.ts'
import { Failure, asFailure } from '#lib/failure.ts'
import type { FailureJson } from '#lib/failure.ts'
import { errors } from '#model/errors.ts'
import type { ErrorCode } from '#model/errors.ts'
import type { Held } from '#model/plan.ts'
import type { Verdict } from '#model/probe.ts'
import { awaitReady } from './await-ready.ts'
import type { ModuleIntent } from './render-run.ts'
import type { Bound, Work } from './work.ts'

/** `failure`: why it is not passed. */
export type ReadinessLook = { readonly verdict: Verdict; readonly failure?: FailureJson }

/** A person who asks how things stand waits no longer than this: what was ready once is ready, or is said not to be. */
const lookMs = 10_000

/**
 * Whether the objects that a module holds are ready, where a run did nothing to them and no probe tells: as they are now, not as they were when they were
 * delivered. What nothing tells of, or could not be asked, stays unknown.
 */
export async function lookAtReadiness(work: Work, intent: ModuleIntent, held: readonly Held[], bindTo: () => Promise<Bound>, signals: { readonly signal: AbortSignal; readonly deadline: AbortSignal }): Promise<ReadinessLook> {
  const module = intent.name
  if (held.length === 0) return intent.shown.length === 0 ? { verdict: 'passed' } : unknown(module, 'nothing of it is delivered yet')
  const look = work.run.kind === 'verify' ? startDeadline(work.parts.clock, lookMs) : undefined
  try {
    const bound = await bindTo()
    const place = await bound.place()
    if (held.some((row) => row.place !== place)) return unknown(module, `what it holds is at another place than its target ${bound.target} leads to`)
    const deadline = look === undefined ? signals.deadline : AbortSignal.any([signals.deadline, look.signal])
    const objects = held.map(({ key, uid }) => ({ key, uid }))
    const failure = await awaitReady(work, bound, { module, objects, deadline, signal: AbortSignal.any([signals.signal, deadline]) })
    if (failure !== undefined) return told(failure)
    return [...work.untold].some((one) => one.startsWith(`${module}\n`)) ? { verdict: 'unknown' } : { verdict: 'passed' }
  } catch (error) {
    work.claim.signal.throwIfAborted()
    const failure = asFailure(error, `module ${module}`)
    if (failure.code === 'lease-lost' || failure.code === 'store-unavailable') throw failure
    return { verdict: 'unknown', failure: failure.toJSON() }
  } finally {
    look?.end()
  }
}

/** What was seen not to be ready has failed; what could not be asked is not known. */
function told(failure: FailureJson): ReadinessLook {
  const isSeen = failure.code === 'not-ready' || failure.code === 'deadline-exceeded'
  return { verdict: isSeen && errors[failure.code as ErrorCode].exit !== 4 ? 'failed' : 'unknown', failure }
}

function unknown(module: string, message: string): ReadinessLook {
  return { verdict: 'unknown', failure: new Failure({ code: 'readiness-unknown', subject: `module ${module}`, message, hint: `\`plumb status -m ${module}\` says how its delivery stands.`, retry: 'later' }).toJSON() }
}
