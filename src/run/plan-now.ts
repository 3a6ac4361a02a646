import { Failure } from '#lib/failure.ts'
import type { PlanAnswer } from '#model/api/views.ts'
import { newestSnapshot } from '#store/snapshots.ts'
import { statuses } from '#store/statuses.ts'
import { expectModules } from './commands.ts'
import { modulesIn } from './configuration.ts'
import { gateRun } from './gate-run.ts'
import type { Parts } from './parts.ts'
import { planRun } from './plan-run.ts'
import { at, pinnedAt, withHeld } from './held.ts'
import { governed, policyInForce } from './policy.ts'
import { renderRun } from './render-run.ts'
import { viewPlan } from './views.ts'
import type { Work } from './work.ts'

/** The path with apply left out: what a delivery of the newest snapshot would do now, and what the gate would say. */
export async function planNow(parts: Parts, environmentName: string, only: readonly string[] | undefined, signal: AbortSignal): Promise<PlanAnswer> {
  await expectModules(parts, environmentName, only)
  const work = await dryWork(parts, environmentName, only, signal)
  const intents = await renderRun(work)
  const { plan, ...gate } = await gateRun(work, intents, await planRun(work, intents))
  return viewPlan(plan, gate.decisions, plan.steps.some((step) => step.failure !== undefined) ? 'refuse' : gate.outcome)
}

async function dryWork(parts: Parts, environmentName: string, only: readonly string[] | undefined, signal: AbortSignal): Promise<Work> {
  const snapshot = await newestSnapshot(parts.sql)
  const configuration = snapshot === undefined ? undefined : await parts.configurations.of(snapshot)
  const environment = configuration?.environments.get(environmentName)
  if (snapshot === undefined || configuration === undefined || environment === undefined)
    throw new Failure({ code: 'environment-unknown', subject: `environment ${environmentName}`, message: 'the workspace has no such environment', hint: 'plumb status lists them.' })
  const pinned = pinnedAt(await statuses(parts.sql, environmentName))
  const held = await withHeld(parts, configuration, environmentName, pinned)
  const names = [...modulesIn(held, environmentName).keys()].filter((name) => only?.includes(name) ?? true)
  const now = parts.clock.now()
  const policy = await policyInForce(parts.sql, environment, configuration)
  return {
    parts,
    claim: { signal, fence: () => Promise.resolve(), assertLease: () => Promise.resolve() },
    run: {
      seq: 0,
      id: 'a dry run',
      environment: environmentName,
      kind: 'deploy',
      state: 'planning',
      waiting: [],
      snapshot: snapshot.id,
      actor: '',
      reason: '',
      ticket: null,
      startedBy: 'a dry run',
      changes: [],
      modules: Object.fromEntries(names.map((name) => [name, { intent: '', changed: true, ...at(pinned.get(name)) }])),
      plan: null,
      planDigest: null,
      rollback: null,
      operation: null,
      gates: [],
      failure: null,
      createdAt: now,
      updatedAt: now,
      endedAt: null,
      recordSeq: null,
      recordDigest: null,
    },
    snapshot,
    beside: snapshot,
    configuration: held,
    environment: governed(environment, policy),
    policy,
    dry: true,
    untold: new Set(),
    standsOn: '',
    underWay: undefined,
    stopped: (error) => Promise.reject(error),
  }
}
