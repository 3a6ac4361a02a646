import { Failure } from '#lib/failure.ts'
import { newId } from '#lib/ids.ts'
import { noLatestRun } from '#model/latest-run.ts'
import type { RunSelection } from '#model/latest-run.ts'
import { isEnded } from '#model/run.ts'
import type { Principal } from '#model/principal.ts'
import { enqueue } from '#store/queue.ts'
import { endPauses, startPause } from '#store/pauses.ts'
import { approve, findRun, listRuns, lockRuns, runEnvironments } from '#store/runs.ts'
import type { RunRow } from '#store/runs.ts'
import { newestSnapshot } from '#store/snapshots.ts'
import { considerEnvironment } from './environment.ts'
import type { Asked } from './asked.ts'
import { catchUp } from './catch-up.ts'
import type { Parts } from './parts.ts'
import { record, wakeAfter } from './record-run.ts'

/**
 * A run by its id, by the end of its id, or `latest` (of all, or of those that `only` tells), among those of environments that the caller `sees`: another one is not there for them.
 * Failures `run-unknown`, `run-ambiguous`, and those of `noLatestRun`.
 */
export async function runNamed(parts: Parts, name: string, sees: (environment: string) => boolean, only?: RunSelection): Promise<RunRow> {
  const exact = await findRun(parts.sql, name)
  if (exact !== undefined && sees(exact.environment)) return exact
  const environments = (await runEnvironments(parts.sql)).filter(sees)
  if (name === 'latest') {
    const [latest] = await listRuns(parts.sql, { environments, limit: 1, ...(only === undefined ? {} : { only }) })
    if (latest !== undefined) return latest
    throw noLatestRun(only, '')
  }
  const found = name.length < 4 ? [] : (await listRuns(parts.sql, { environments, limit: 200 })).filter((run) => run.id.endsWith(name))
  const [run, second] = found
  if (second !== undefined)
    throw new Failure({ code: 'run-ambiguous', subject: `run ${name}`, message: `${found.length} runs end so: ${found.slice(0, 5).map((one) => one.id).join(', ')}`, hint: 'Give more of the id.' })
  if (run !== undefined) return run
  throw new Failure({ code: 'run-unknown', subject: `run ${name}`, message: 'there is no such run', hint: 'List them: plumb runs' })
}

export type Yes = {
  /** The digest of the plan that the person read. */
  readonly plan: string
  readonly reason: string
  readonly objects: readonly string[]
}

/** A person's yes to the plan that they read, which is the one that a run waits with. Failures `run-not-waiting`, `run-ended`, `plan-changed`. */
export async function approveRun(parts: Parts, run: RunRow, principal: Principal, { plan, reason, objects }: Yes): Promise<void> {
  expectOpen(run)
  if (run.state !== 'waiting' || run.planDigest === null)
    throw new Failure({
      code: 'run-not-waiting',
      subject: `run ${run.id}`,
      message: `it is ${run.state}: there is no plan that waits for an approval`,
      hint: `Look at it: plumb show ${run.id}`,
      retry: 'later',
    })
  const { sql, clock } = parts
  const planDigest = run.planDigest
  if (plan !== planDigest)
    throw new Failure({
      code: 'plan-changed',
      subject: `run ${run.id}`,
      message: `it waits with the plan ${planDigest}, and the approval is for ${plan}`,
      hint: `Read the plan as it is now: plumb show ${run.id}`,
      fields: { waiting: planDigest, approved: plan },
    })
  await sql.transaction(async (tx) => {
    await approve(tx, run.id, { principal: principal.name, planDigest, reason, objects, at: clock.now() })
    await enqueue(tx, clock, `run/${run.id}`)
  })
}

/** Ends a run whose effects have not begun. Failures `run-ended`, `run-under-way`. */
export async function cancelRun(parts: Parts, run: RunRow, principal: Principal, reason: string): Promise<void> {
  const { sql, clock } = parts
  await sql.transaction(async (tx) => {
    await lockRuns(tx, run.environment)
    expectCancellable((await findRun(tx, run.id)) ?? run)
    const failure = new Failure({ code: 'run-cancelled', subject: `run ${run.id}`, message: `cancelled by ${principal.name}: ${reason}`, hint: `\`${beginsAgain(run)}\` begins it again` })
    await record(tx, parts, run.id, 'cancelled', failure.toJSON(), clock.now())
  })
  await wakeAfter(parts, run.environment)
}

function beginsAgain({ kind, environment, operation }: RunRow): string {
  if (operation !== null) return `plumb operate ${operation.name} -e ${environment}`
  return `plumb ${kind === 'change' || kind === 'policy' ? 'deploy' : kind} -e ${environment}`
}

function expectCancellable(run: RunRow): void {
  expectOpen(run)
  if (run.state === 'delivering' || run.state === 'verifying')
    throw new Failure({
      code: 'run-under-way',
      subject: `run ${run.id}`,
      message: 'its effects have begun: half of a plan is worse than the whole',
      hint: 'Let it end, then deliver a revert.',
    })
}

function expectOpen(run: RunRow): void {
  if (!isEnded(run.state)) return
  throw new Failure({ code: 'run-ended', subject: `run ${run.id}`, message: `it has ended: ${run.state}`, hint: `See its record: plumb show ${run.id}` })
}

/** A run that a person asks for. Failures `environment-unknown`, `module-unknown`. */
export async function ask(parts: Parts, environment: string, asked: Asked, signal: AbortSignal): Promise<string | undefined> {
  await expectModules(parts, environment, asked.modules)
  return considerEnvironment(parts, environment, signal, asked)
}

export async function expectModules(parts: Parts, environment: string, modules: readonly string[] | undefined): Promise<void> {
  const snapshot = await newestSnapshot(parts.sql)
  if (snapshot === undefined) throw new Failure({ code: 'snapshot-unknown', subject: 'the workspace', message: 'no snapshot was taken yet', hint: 'Wait until the repositories were read.', retry: 'later' })
  await catchUp(parts, AbortSignal.timeout(30_000))
  const configuration = await parts.configurations.of(snapshot)
  if (!configuration.environments.has(environment))
    throw new Failure({
      code: 'environment-unknown',
      subject: `environment ${environment}`,
      message: 'the workspace has no such environment',
      hint: `Its environments: ${[...configuration.environments.keys()].join(', ')}.`,
    })
  const unknown = modules?.find((module) => !configuration.modules.has(module))
  if (unknown !== undefined)
    throw new Failure({ code: 'module-unknown', subject: `module ${unknown}`, message: 'the workspace has no such module', hint: `Its modules: ${[...configuration.modules.keys()].join(', ')}.` })
}

export async function pause(parts: Parts, environment: string, module: string | null, principal: Principal, reason: string, forMs: number): Promise<void> {
  await expectModules(parts, environment, module === null ? undefined : [module])
  const now = parts.clock.now()
  await startPause(parts.sql, { id: newId('pause', now), environment, module, reason, by: principal.name, createdAt: now, until: now + forMs })
}

/** Ends a pause before its time. Tells whether there was one. */
export async function resume(parts: Parts, environment: string, module: string | null): Promise<boolean> {
  const ended = await endPauses(parts.sql, environment, module, parts.clock.now())
  for (const run of await listRuns(parts.sql, { environment, limit: 100 })) if (!isEnded(run.state)) await enqueue(parts.sql, parts.clock, `run/${run.id}`)
  return ended > 0
}

