import { standingFields, type DelegatedField, type EmergentField } from '#drift/standing.ts'
import { Failure, type FailureJson } from '#lib/failure.ts'
import type { Held } from '#model/plan.ts'
import { showKey, type Desired, type ObjectKey } from '#model/resource.ts'
import { heldBy } from '#store/inventory.ts'
import { statuses } from '#store/statuses.ts'
import type { Parts } from '../parts.ts'
import { findTarget, lookingCall, type Target } from './targets.ts'

export type ObjectFields = {
  readonly object: ObjectKey
  readonly delegated: readonly DelegatedField[]
  readonly emergent: readonly EmergentField[]
  /** Why nothing can be said of it. */
  readonly failure: FailureJson | null
}

/** The fields of a module’s objects that are no drift: what others rightly move, and what was never declared. Failures `module-unknown`, `target-unknown`. */
export async function fieldsOf(parts: Parts, environment: string, module: string, signal: AbortSignal): Promise<ObjectFields[]> {
  const status = (await statuses(parts.sql, environment)).find((row) => row.module === module)
  if (status === undefined) throw new Failure({ code: 'module-unknown', subject: `module ${module}`, message: `nothing of it was delivered to ${environment}`, hint: 'plumb status lists what there is.' })
  const target = await findTarget(parts, { environment, target: status.target, driver: status.driver })
  if (target === undefined) throw new Failure({ code: 'target-unknown', subject: `module ${module}`, message: `environment ${environment} has no target ${status.target} any more`, hint: 'plumb status lists what there is.' })
  const rows = await heldBy(parts.sql, environment, module)
  const call = await lookingCall(parts, target, signal)
  const observations = new Map((await target.via.observe(call, rows.map(({ key }) => key), rows.flatMap(versioned))).map((one) => [one.key, one]))
  const rewriters = (await target.via.rewriters?.(call, rows.map(({ key }) => key)).catch(() => undefined)) ?? new Map<ObjectKey, string[]>()
  return rows.map((held): ObjectFields => {
    const live = observations.get(held.key)
    if (live?.state !== 'present') return { object: held.key, delegated: [], emergent: [], failure: live?.state === 'unknown' ? live.failure : absent(held, target) }
    return { object: held.key, ...standingFields(held, live, rewriters.get(held.key) ?? []), failure: null }
  })
}

function versioned({ key, apiVersion }: Held): Desired[] {
  return typeof apiVersion === 'string' ? [{ key, body: { apiVersion }, origin: { repository: '', file: '', line: 0 } }] : []
}

function absent({ key }: Held, { target }: Target): FailureJson {
  return new Failure({ code: 'object-not-observed', subject: showKey(key), message: `it is not there in ${target}`, hint: 'plumb drift tells since when.', retry: 'later' }).toJSON()
}
