import { asFailure, Failure } from '#lib/failure.ts'
import { newId } from '#lib/ids.ts'
import type { Finding } from '#model/finding.ts'
import { showKey } from '#model/resource.ts'
import { addFindingChanges, lockFinding, saveFindings } from '#store/findings.ts'
import { enqueue } from '#store/queue.ts'
import { createRun, lockRuns } from '#store/runs.ts'
import { statuses } from '#store/statuses.ts'
import type { Sql } from '#store/sql.ts'
import { withdrawAdoption } from '../adopt/withdraw.ts'
import type { Parts } from '../parts.ts'
import { expectStanding } from './commands.ts'

/** A person’s word, or the policy’s (`by: null`). */
export type RevertAsked = { readonly by: string | null; readonly reason: string; readonly ticket: string | null }

/**
 * Begins the way back of a finding: a run that makes its fields as declared again, and no others, with a plan, a gate and a record like every run. What is on its way back to Git is
 * withdrawn. Answers the run.
 * Failures `finding-resolved`, `finding-under-way`, `revert-impossible`.
 */
export async function revertFinding(parts: Parts, id: string, asked: RevertAsked): Promise<string> {
  return parts.sql.transaction(async (tx) => {
    const before = await lockFinding(tx, id)
    expectStanding(before, id)
    await withdrawAdoption(tx, before, { by: asked.by ?? 'plumbline', instead: 'reverted' }, parts.clock.now())
    return beginRevert(tx, parts, before, asked)
  })
}

/** What the policy says is reverted, and was not tried yet as it is now. One that has no way back says why, and holds no other up. */
export async function revertByPolicy(parts: Parts, findings: readonly Finding[]): Promise<void> {
  for (const { id } of findings.filter(isToRevert)) {
    try {
      await parts.sql.transaction(async (tx) => {
        const finding = await lockFinding(tx, id)
        if (finding !== undefined && isToRevert(finding)) await beginRevert(tx, parts, finding, { by: null, reason: `the drift policy of ${finding.environment} reverts what is ${finding.cause}`, ticket: null })
      })
    } catch (error) {
      const failure = asFailure(error, `finding ${id}`)
      if (failure.code !== noWayBack) throw failure
      await sayWhyNot(parts, id, failure)
    }
  }
}

async function sayWhyNot(parts: Parts, id: string, failure: Failure): Promise<void> {
  const told = failure.toJSON()
  await parts.sql.transaction(async (tx) => {
    const finding = await lockFinding(tx, id)
    if (finding === undefined || !isToRevert(finding) || JSON.stringify(finding.failure) === JSON.stringify(told)) return
    await saveFindings(tx, [{ ...finding, failure: told }], parts.clock.now())
  })
}

const noWayBack = 'revert-impossible'

/** One that failed waits for something else to change, or for a person. One that had no way back may have one by the next look. */
function isToRevert({ state, decision, run }: Finding): boolean {
  return state === 'open' && decision === 'revert' && run === null
}

async function beginRevert(tx: Sql, parts: Parts, finding: Finding, { by, reason, ticket }: RevertAsked): Promise<string> {
  const { environment, module, object } = finding
  await lockRuns(tx, environment)
  const status = (await statuses(tx, environment)).find((row) => row.module === module)
  if (finding.cause === 'orphan' || status === undefined || status.snapshot === null || status.delivered === null) {
    throw new Failure({
      code: noWayBack,
      subject: `finding ${finding.id}`,
      message: finding.cause === 'orphan' ? `${showKey(object)} is not ours: only what the inventory holds is deleted` : `${module} was never delivered there as a whole: there is nothing to go back to`,
      hint: finding.cause === 'orphan' ? 'Take its label away, delete it by hand, or declare it in Git.' : `Deliver it: plumb deploy -e ${environment} -m ${module}`,
    })
  }
  const now = parts.clock.now()
  const run = newId('run', now)
  await createRun(tx, {
    id: run, environment, kind: 'revert', snapshot: status.snapshot, actor: by ?? 'plumbline', reason, ticket, startedBy: by, changes: [],
    modules: { [module]: { intent: status.delivered, changed: false } }, createdAt: now,
  })
  const reverting: Finding = { ...finding, state: 'reverting', run, failure: null, accepted: null, updatedAt: now }
  await saveFindings(tx, [reverting], now)
  await addFindingChanges(tx, [{ finding: finding.id, environment, at: now, what: 'reverted', actor: by ?? 'plumbline', reason, body: reverting }])
  await enqueue(tx, parts.clock, `run/${run}`)
  await enqueue(tx, parts.clock, `drift/${environment}`)
  return run
}
