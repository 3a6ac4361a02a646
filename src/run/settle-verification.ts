import { decided } from '#model/on-failure.ts'
import { environmentItself } from '#model/probe-state.ts'
import { worst } from '#model/probe.ts'
import type { ProbeResult } from '#model/probe.ts'
import type { ModuleOutcome, Verification } from '#model/run.ts'
import { affected } from '#plan/order.ts'
import { probeStates } from '#store/probe-states.ts'
import { saveModuleOutcome } from '#store/runs.ts'
import type { Sql } from '#store/sql.ts'
import { saveVerification } from '#store/statuses.ts'
import type { StatusRow } from '#store/statuses.ts'
import { changedBy, touchedBy } from './causes.ts'
import { modulesIn } from './configuration.ts'
import type { ModuleResult } from './deliver-module.ts'
import { lookAtOnce, wakeLooks } from './look-again.ts'
import { standingOfItself } from './looking-at.ts'
import { probesOfEnvironment } from './owned-probes.ts'
import type { ModuleIntent } from './render-run.ts'
import { settleProbes } from './settle-probes.ts'
import { tellVerdict } from './tell-verdict.ts'
import type { Work } from './work.ts'

// What a run found becomes what is known, in the transaction that ends the run.

/** What its probes found becomes what is known of them, and of the module. The run's record tells it; people are told here. */
export async function settleVerification(tx: Sql, { run, parts, environment, configuration }: Work, { outcome, probes }: ModuleResult, row: StatusRow, intent: ModuleIntent | undefined): Promise<void> {
  const now = parts.clock.now()
  const { verification, ...since } = verificationOf(outcome, row, run.modules[outcome.module], now)
  const isVerified = outcome.delivery === 'delivered' && outcome.verification !== 'pending'
  const freshFor = environment.spec.freshFor ?? 2 * (intent?.config.spec.verifyEvery ?? environment.spec.verifyEvery)
  // Without probes nobody looks again, and nothing gets old.
  const staleAt = isVerified && probes.length > 0 ? now + freshFor : null
  const began = Math.min(now, ...probes.map((probe) => probe.samples.at(-1)?.collectedAt ?? now))
  const asking = { environment: run.environment, module: outcome.module, results: probes, all: probes.map(({ probe }) => probe), now }
  const changes = isVerified ? await settleProbes(tx, { ...asking, run: { id: run.id, reason: run.reason, at: run.createdAt, changed: changedBy(run) }, touchedBy: touchedBy(configuration, run.environment, outcome.module) }) : []
  await saveVerification(tx, { environment: run.environment, module: outcome.module, verification, ...since, verifiedAt: isVerified ? now : null, staleAt, began }, now)
  if (changes.length > 0 || verification !== row.verification) await tellVerdict(tx, parts, { ...asking, from: row.verification, to: verification, changes, snapshot: run.snapshot, run: run.id })
}

function verificationOf(outcome: ModuleOutcome, row: StatusRow, asked: { intent: string } | undefined, now: number): Pick<StatusRow, 'verification' | 'verifiedSince'> {
  const verification: Verification = outcome.verification === 'pending' ? 'unknown' : outcome.verification
  const good = verification === 'passed' || verification === 'warned'
  // A new intent has to prove itself from the start.
  const since = row.delivered === asked?.intent ? row.verifiedSince : null
  return { verification, verifiedSince: good ? (since ?? now) : null }
}

/** What the probes of the change as a whole found: a part of the run, of its record, and of what is known of the environment itself. */
export async function settleChange(tx: Sql, { run, parts, configuration, policy, environment }: Work, results: readonly ProbeResult[]): Promise<void> {
  const now = parts.clock.now()
  const known = await probeStates(tx, run.environment, environmentItself)
  const { own, change } = probesOfEnvironment(configuration, policy, environment)
  const all = [...own, ...change].map(({ config }) => config.name)
  const from = standingOfItself(run.environment, known).verification
  const changes = await settleProbes(tx, { environment: run.environment, module: environmentItself, results, all, run: { id: run.id, reason: run.reason, at: run.createdAt, changed: changedBy(run) }, touchedBy: touchedBy(configuration, run.environment, environmentItself), now })
  const to = standingOfItself(run.environment, await probeStates(tx, run.environment, environmentItself)).verification
  const onFailure = decided(worst(results.map(({ verdict }) => verdict)), environment.spec.onFailure)
  const outcome: ModuleOutcome = { module: environmentItself, delivery: 'delivered', verification: worst(results.map(({ verdict }) => verdict)), readinessOnly: false, ...(onFailure === undefined ? {} : { onFailure }) }
  await saveModuleOutcome(tx, run.id, outcome, results, now)
  if (changes.length > 0 || from !== to) await tellVerdict(tx, parts, { environment: run.environment, module: environmentItself, results, from, to, changes, snapshot: run.snapshot, run: run.id, now })
}

/** What the run was at work on is looked at again from now on; what depends on what it changed, and was no part of it, at once. */
export async function lookAgain(tx: Sql, { run, parts, configuration }: Work, results: readonly ModuleResult[]): Promise<void> {
  const modules = [...modulesIn(configuration, run.environment)].map(([name, { config }]) => ({ name, dependsOn: config.spec.dependsOn }))
  const changed = results.flatMap(({ outcome: { module, delivery } }) => (run.kind !== 'verify' && run.modules[module]?.changed === true && delivery !== 'halted' ? [module] : []))
  const verified = new Set(results.flatMap(({ outcome: { module, delivery } }) => (delivery === 'halted' ? [] : [module])))
  await wakeLooks(tx, parts, run.environment, [...verified, environmentItself])
  await lookAtOnce(tx, parts, run.environment, affected(changed, modules).filter((module) => !verified.has(module)), `${changed.join(', ')} changed (${run.id})`)
}
