import { nextCron } from '#lib/cron.ts'
import { newId } from '#lib/ids.ts'
import { isFor } from '#model/config/operation.ts'
import { isEnded } from '#model/run.ts'
import { forgetSchedule, lastOperation, saveSchedule, scheduleOf } from '#store/operations.ts'
import { enqueueAll, enqueue } from '#store/queue.ts'
import { createRun, inheritApprovals, lockRuns } from '#store/runs.ts'
import { newestSnapshot } from '#store/snapshots.ts'
import type { Parts } from '../parts.ts'

/** The work item that begins an operation when its time has come; who comes too early does nothing. */
export function slotKey(environment: string, operation: string): string {
  return `operation/${environment}/${operation}`
}

/** Wakes the schedules of an environment: a new snapshot may have others. */
export async function wakeSchedules(parts: Pick<Parts, 'sql' | 'clock' | 'configurations'>, environment: string): Promise<void> {
  const snapshot = await newestSnapshot(parts.sql)
  if (snapshot === undefined) return
  const configuration = await parts.configurations.of(snapshot)
  const scheduled = [...configuration.operations.values()].filter((one) => one.spec.schedule !== undefined && isFor(one, environment))
  await enqueueAll(parts.sql, parts.clock, scheduled.map(({ metadata }) => slotKey(environment, metadata.name)))
}

/**
 * Begins an operation whose time has come, once for each time, and tells when to come again. Times that went by meanwhile are one. While a run of it is open, or
 * stopped in the middle of a step, nothing is begun: a person has to look first.
 */
export async function beginScheduled(parts: Parts, environment: string, name: string): Promise<{ again: number } | undefined> {
  const { sql, clock } = parts
  const snapshot = await newestSnapshot(sql)
  const configuration = snapshot === undefined ? undefined : await parts.configurations.of(snapshot)
  const operation = configuration?.operations.get(name)
  const schedule = operation !== undefined && isFor(operation, environment) && configuration?.environments.has(environment) === true ? operation.spec.schedule : undefined
  if (snapshot === undefined || schedule === undefined) return void (await forgetSchedule(sql, environment, name))
  const now = clock.now()
  const next = nextCron(schedule, now)
  const again = await sql.transaction(async (tx) => {
    await lockRuns(tx, environment)
    const known = await scheduleOf(tx, environment, name)
    const isDue = known !== undefined && known.schedule === schedule && known.nextAt <= now
    const at = known !== undefined && known.schedule === schedule && !isDue ? known.nextAt : next
    if (at === undefined) return undefined
    await saveSchedule(tx, environment, name, schedule, at)
    const last = await lastOperation(tx, environment, name)
    if (!isDue || (last !== undefined && (!isEnded(last.state) || last.state === 'interrupted'))) return at
    const run = newId('run', now)
    await createRun(tx, { id: run, environment, kind: 'operation', snapshot: snapshot.id, actor: 'plumbline', reason: `it is scheduled: ${operation?.spec.about}`, ticket: null, startedBy: null, changes: [], modules: {}, createdAt: now, operation: { name, from: null, slot: known.nextAt } })
    // Who approved just this document, approved its schedule.
    if (last !== undefined) await inheritApprovals(tx, last.id, run)
    await enqueue(tx, clock, `run/${run}`)
    return at
  })
  return again === undefined ? undefined : { again }
}
