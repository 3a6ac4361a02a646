import { digestOf } from '#lib/digest.ts'
import { Failure } from '#lib/failure.ts'
import type { FailureJson } from '#lib/failure.ts'
import type { Operation } from '#model/config/operation.ts'
import { operationWithVariables } from '#model/config/substitute.ts'
import { environmentItself } from '#model/probe-state.ts'
import { nextStep } from '#model/operation.ts'
import type { OperationStepRow } from '#model/operation.ts'
import type { Plan } from '#model/plan.ts'
import { isEnded } from '#model/run.ts'
import { endStep, openSteps, operationSteps, startStep } from '#store/operations.ts'
import { enqueue } from '#store/queue.ts'
import { findRun, lockRuns, updateRun } from '#store/runs.ts'
import { modulesIn } from '../configuration.ts'
import { guarded } from '../guarded.ts'
import { lookAtOnce, wakeLooks } from '../look-again.ts'
import { platformOwner } from '../owned-probes.ts'
import { end } from '../seal.ts'
import type { Work } from '../work.ts'
import { approvalDigest } from './approval-step.ts'
import type { StepEnded } from './step.ts'
import { aboutStep, carryOut, findOut, journalOf, kindOf } from './steps.ts'

/** The document of a run's operation, as its snapshot has it. Failure `operation-unknown`. */
export function operationOf({ run, configuration }: Pick<Work, 'run' | 'configuration'>): Operation {
  const name = run.operation?.name ?? ''
  const operation = configuration.operations.get(name)
  if (operation !== undefined) return operation
  throw new Failure({ code: 'operation-unknown', subject: `operation ${name}`, message: `snapshot ${run.snapshot} has no such operation`, hint: `It has: ${[...configuration.operations.keys()].join(', ') || 'none'}.` })
}

/** What is approved of an operation is its document, in that environment, from that step on. */
export function operationPlan(work: Pick<Work, 'run' | 'configuration' | 'environment'>): Plan {
  const { run, environment } = work
  const digest = digestOf({ operation: JSON.parse(JSON.stringify(operationOf(work))) as unknown, environment: run.environment, variables: environment.spec.variables, from: run.operation?.from ?? null })
  return { environment: run.environment, snapshot: run.snapshot, steps: [], unknown: [], digest }
}

/** What the steps of a run's operation do, from the one that it begins with: for who approves it. */
export function stepsAhead(work: Pick<Work, 'run' | 'configuration' | 'environment'>): string[] {
  const { steps } = operationWithVariables(operationOf(work), work.environment, work.run.id)
  const first = steps.findIndex(({ name }) => name === work.run.operation?.from)
  return steps.slice(Math.max(first, 0)).map((step) => `${step.name} (${kindOf(step)} ${aboutStep(step)})`)
}

/**
 * Carries an operation out, as far as it goes: to its record, to where a person is asked, or to where time has to pass. Each step is in the journal as started
 * before it begins; after a crash the journal says what is next. A step that may not be done twice and was not finished is asked for where
 * its system can tell (a Job), and else ends the run: a person finds out.
 */
export async function operate(work: Work): Promise<void> {
  const { parts, run, environment } = work
  const plan = operationPlan(work)
  const document = operationWithVariables(operationOf(work), environment, run.id)
  await guarded(work, (tx) => openSteps(tx, run.id, journalOf(document, run.operation?.from ?? null)))
  const owner = platformOwner(work.configuration, work.policy, environment, environmentItself)
  for (;;) {
    const step = nextStep(await operationSteps(parts.sql, run.id))
    if ('end' in step) {
      const found = step.end === 'interrupted' && findOut({ place: work, owner, row: step.at, signal: work.claim.signal }, document)
      if (found === false || found === undefined) return sealOperation(work, step)
      const ended = await found
      work.claim.signal.throwIfAborted()
      if (!(await goOn(work, plan, step.at, ended))) return
      continue
    }
    const row = { ...step.next, startedAt: step.next.startedAt ?? parts.clock.now() }
    if (row.state === 'pending') await guarded(work, (tx) => startStep(tx, run.id, row, row.startedAt))
    const outcome = await carryOut({ place: work, owner, row, signal: work.claim.signal }, document)
    work.claim.signal.throwIfAborted()
    if (outcome.state === 'later') return void (await enqueue(parts.sql, parts.clock, `run/${run.id}`, { due: outcome.at }))
    if (outcome.state === 'asks') return waitForPerson(work, plan, row, outcome.message)
    if (!(await goOn(work, plan, row, outcome))) return
  }
}

/** Keeps what became of a step. Tells whether the run goes on: not when somebody cancelled it while it waited for a person. */
async function goOn({ parts, claim, run }: Work, plan: Plan, row: OperationStepRow, outcome: StepEnded): Promise<boolean> {
  const now = parts.clock.now()
  return parts.sql.transaction(async (tx) => {
    await claim.fence(tx)
    await lockRuns(tx, run.environment)
    if (!(await updateRun(tx, run.id, 'delivering', now, row.kind === 'approval' ? { plan, planDigest: plan.digest, failure: null } : {}))) return false
    await endStep(tx, run.id, row, endOf(outcome), now)
    return true
  })
}

function endOf(outcome: StepEnded): Parameters<typeof endStep>[3] {
  const probes = outcome.probes ?? []
  return outcome.state === 'done' ? { state: 'done', message: outcome.message, failure: null, probes } : { state: outcome.state, message: outcome.failure.message, failure: outcome.failure, probes }
}

/** The run waits with a digest of its own, so that no approval that was given before it began counts for this. */
async function waitForPerson(work: Work, plan: Plan, row: OperationStepRow, message: string): Promise<void> {
  const { parts, run } = work
  const digest = approvalDigest(run.id, row.position)
  await parts.sql.transaction(async (tx) => {
    await work.claim.fence(tx)
    await lockRuns(tx, run.environment)
    if (isEnded((await findRun(tx, run.id))?.state ?? 'cancelled')) return
    await endStep(tx, run.id, row, { state: 'waiting', message, failure: null, probes: [] }, parts.clock.now())
    const waiting = [{ code: stepApproval, outcome: 'wait', waitingFor: 'approval', message: `Step ${row.name}: ${message}`, hint: `plumb approve ${run.id} --reason "…"` }] as const
    await updateRun(tx, run.id, 'waiting', parts.clock.now(), { waiting: [...waiting], plan: { ...plan, digest }, planDigest: digest, failure: null })
  })
}

/** The code of what a run waits for in the middle of its steps. */
export const stepApproval = 'operation.approval'

async function sealOperation(work: Work, ended: Exclude<ReturnType<typeof nextStep>, { next: OperationStepRow }>): Promise<void> {
  const { parts, run, configuration } = work
  const failure = ended.end === 'succeeded' ? null : ended.end === 'failed' ? failed(ended.at) : interrupted(work, ended.at)
  await end(parts, work.claim, run, ended.end, failure, async (tx) => {
    // What the steps did to what is delivered, the probes of that find out.
    await lookAtOnce(tx, parts, run.environment, [...modulesIn(configuration, run.environment).keys()], `the operation ${run.operation?.name} was carried out (${run.id})`)
    await wakeLooks(tx, parts, run.environment, [environmentItself])
  })
}

function failed({ name, kind, failure }: OperationStepRow): FailureJson {
  const what = kind === 'pre' || kind === 'post' ? `the conditions in \`${kind}\`` : `step ${name}`
  return new Failure({ code: failure?.code ?? 'condition-failed', subject: what, message: failure?.message ?? 'it failed', ...(failure?.hint === undefined ? {} : { hint: failure.hint }) }).toJSON()
}

function interrupted({ run }: Work, { name, failure }: OperationStepRow): FailureJson {
  return new Failure({
    code: 'operation-interrupted',
    subject: `step ${name}`,
    message: `it was begun, and nobody can tell whether it took effect${failure === null ? ': the process ended in the middle of it' : `: ${failure.message}`}`,
    hint: `Find out. Then go on with it, or with a later step: plumb operate ${run.operation?.name} -e ${run.environment} --from ${name} --reason WHY`,
  }).toJSON()
}
