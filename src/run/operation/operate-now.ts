import { Failure } from '#lib/failure.ts'
import { newId } from '#lib/ids.ts'
import { isFor } from '#model/config/operation.ts'
import type { Operation } from '#model/config/operation.ts'
import { isEnded } from '#model/run.ts'
import { lastOperation } from '#store/operations.ts'
import { enqueue } from '#store/queue.ts'
import { createRun, lockRuns } from '#store/runs.ts'
import { newestSnapshot } from '#store/snapshots.ts'
import type { SnapshotRow } from '#store/snapshots.ts'
import { catchUp } from '../catch-up.ts'
import type { Configuration } from '../configuration.ts'
import type { Parts } from '../parts.ts'

export type AskedOperation = { readonly name: string; readonly from: string | null; readonly by: string; readonly reason: string; readonly ticket: string | null }

/** Starts an operation, at a person's word. Failures `operation-unknown`, `operation-under-way`, `operation-interrupted`. */
export async function operateNow(parts: Parts, environment: string, { name, from, by, reason, ticket }: AskedOperation): Promise<string> {
  const { snapshot, configuration } = await newest(parts)
  const operation = found(configuration, name, environment)
  if (from !== null && !operation.spec.steps.some((step) => step.name === from))
    throw new Failure({ code: 'operation-unknown', subject: `operation ${name}`, message: `it has no step ${from}`, hint: `Its steps: ${operation.spec.steps.map((step) => step.name).join(', ')}.` })
  return parts.sql.transaction(async (tx) => {
    await lockRuns(tx, environment)
    const last = await lastOperation(tx, environment, name)
    if (last !== undefined && !isEnded(last.state)) throw new Failure({ code: 'operation-under-way', subject: `operation ${name}`, message: `${last.id} carries it out in ${environment} already`, hint: `plumb show ${last.id}`, retry: 'later' })
    if (last?.state === 'interrupted' && from === null)
      throw new Failure({
        code: 'operation-interrupted',
        subject: `operation ${name}`,
        message: `${last.id} stopped in the middle of a step, and nobody has said since where to go on`,
        hint: `See which: plumb show ${last.id}. Then say with which step to begin, the first one to do it all again: plumb operate ${name} -e ${environment} --from STEP --reason WHY`,
      })
    const now = parts.clock.now()
    const run = newId('run', now)
    await createRun(tx, { id: run, environment, kind: 'operation', snapshot: snapshot.id, actor: by, reason, ticket, startedBy: by, changes: [], modules: {}, createdAt: now, operation: { name, from, slot: null } })
    await enqueue(tx, parts.clock, `run/${run}`)
    return run
  })
}

function found(configuration: Configuration, name: string, environment: string): Operation {
  const operation = configuration.operations.get(name)
  if (operation !== undefined && isFor(operation, environment) && configuration.environments.has(environment)) return operation
  throw new Failure({
    code: 'operation-unknown',
    subject: `operation ${name}`,
    message: operation === undefined ? 'the workspace has no such operation' : `it is not for ${environment}`,
    hint: `Those of ${environment}: ${[...configuration.operations.values()].filter((one) => isFor(one, environment)).map(({ metadata }) => metadata.name).join(', ') || 'none'}.`,
  })
}

/** What Git says now of operations. */
export async function newest(parts: Parts): Promise<{ snapshot: SnapshotRow; configuration: Configuration }> {
  await catchUp(parts, AbortSignal.timeout(30_000))
  const snapshot = await newestSnapshot(parts.sql)
  if (snapshot === undefined) throw new Failure({ code: 'snapshot-unknown', subject: 'the workspace', message: 'no snapshot was taken yet', hint: 'Wait until the repositories were read.', retry: 'later' })
  return { snapshot, configuration: await parts.configurations.of(snapshot) }
}
