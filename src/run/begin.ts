import { Failure, asFailure } from '#lib/failure.ts'
import { isEnded } from '#model/run.ts'
import type { Claim } from './claim.ts'
import { enqueue } from '#store/queue.ts'
import { findRun, lockRuns, openRuns, updateRun, workOfOthers } from '#store/runs.ts'
import type { RunRow } from '#store/runs.ts'
import { findSnapshot, newestSnapshot } from '#store/snapshots.ts'
import type { Sql } from '#store/sql.ts'
import { statuses } from '#store/statuses.ts'
import type { Parts } from './parts.ts'
import { environmentOnceHad, isStray } from './gone-environment.ts'
import { heldIn, withHeld } from './held.ts'
import { governed, policyInForce } from './policy.ts'
import { stepApproval } from './operation/operate.ts'
import { wakeAfter } from './record-run.ts'
import { sealStopped } from './seal.ts'
import type { Work } from './work.ts'

/** The run as it stands on disk. `undefined` when there is nothing to do: it has ended, or an older run is at work on one of its modules. */
export async function begin(parts: Parts, id: string, claim: Claim): Promise<Work | undefined> {
  const run = await findRun(parts.sql, id)
  if (run === undefined) return undefined
  if (isEnded(run.state)) {
    // Perhaps the process died right after the record: whoever waits for this run was not woken then.
    await wakeAfter(parts, run.environment)
    return undefined
  }
  const isAsking = run.kind === 'operation' && run.state === 'waiting' && run.waiting.some(({ code }) => code === stepApproval)
  const underWay = run.state === 'delivering' || run.state === 'verifying' || isAsking
  if (!underWay && (await isBlocked(parts.sql, run))) return undefined
  if (!underWay && (await isStray(parts, run))) {
    // Whoever looks at its environment ends it.
    await enqueue(parts.sql, parts.clock, `environment/${run.environment}`)
    return undefined
  }
  const snapshot = await findSnapshot(parts.sql, run.snapshot)
  if (snapshot === undefined)
    throw new Failure({ code: 'snapshot-unknown', subject: `run ${id}`, message: `its snapshot ${run.snapshot} is not in the store`, hint: 'The store was changed from outside: restore it from a backup.' })
  const standsOn = await workOfOthers(parts.sql, run)
  const stopped = (error: unknown): Promise<void> => stop(parts, claim, run, error)
  try {
    // What goes back goes back into what is there now: the rest is as the newest snapshot has it.
    const beside = (run.kind === 'rollback' ? await newestSnapshot(parts.sql) : undefined) ?? snapshot
    const configuration = await withHeld(parts, await parts.configurations.of(beside), run.environment, heldIn(run, await statuses(parts.sql, run.environment)))
    const once = run.kind === 'prune' ? await environmentOnceHad(parts.sql, run.environment) : undefined
    const environment = once?.environment ?? configuration.environments.get(run.environment)
    if (environment === undefined)
      throw new Failure({
        code: 'environment-unknown',
        subject: `run ${id}`,
        message: `snapshot ${snapshot.id} has no environment ${run.environment}`,
        hint: 'The environment was removed from the workspace: cancel the run, or bring the environment back.',
      })
    const policy = once?.policy ?? (await policyInForce(parts.sql, environment, configuration))
    return { parts, claim, run, snapshot, beside, configuration, environment: governed(environment, policy), policy, dry: false, untold: new Set(), standsOn, underWay: underWay && run.plan !== null ? run.plan : undefined, stopped }
  } catch (error) {
    await stopped(error)
    return undefined
  }
}

/** A module has at most one active run: this one is taken up again when the other ends. */
export async function isBlocked(sql: Sql, run: RunRow): Promise<boolean> {
  const others = await openRuns(sql, run.environment)
  return others.some(
    (other) => other.id !== run.id && (other.state === 'delivering' || other.state === 'verifying') && Object.keys(other.modules).some((module) => module in run.modules),
  )
}

/** What only this process cannot do, or what may be otherwise in a moment, is thrown for the queue to try again; the rest ends the run. */
async function stop(parts: Parts, claim: Claim, run: RunRow, error: unknown): Promise<void> {
  claim.signal.throwIfAborted()
  const failure = asFailure(error, `run ${run.id}`)
  if (failure.code === 'lease-lost' || failure.code === 'store-unavailable') throw failure
  parts.log(`run ${run.id}: ${failure.code}: ${failure.subject}: ${failure.message}`)
  if (failure.retry === 'never') return sealStopped(parts, claim, run, failure.toJSON())
  await parts.sql.transaction(async (tx) => {
    await claim.fence(tx)
    await lockRuns(tx, run.environment)
    // Somebody may have ended it meanwhile, and its effects may have begun: it stays what it is by now.
    const now = await findRun(tx, run.id)
    if (now !== undefined && !isEnded(now.state)) await updateRun(tx, run.id, now.state, parts.clock.now(), { failure: failure.toJSON(), waiting: now.waiting })
  })
  throw failure
}
