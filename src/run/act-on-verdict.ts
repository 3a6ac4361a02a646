import { Failure } from '#lib/failure.ts'
import type { FailureJson } from '#lib/failure.ts'
import { decided } from '#model/on-failure.ts'
import { worst } from '#model/probe.ts'
import type { ProbeResult } from '#model/probe.ts'
import { rollbackDecision } from '#model/rollback.ts'
import type { Delivered } from '#model/rollback.ts'
import type { ModuleOutcome } from '#model/run.ts'
import { notify } from '#store/notifications.ts'
import { deliveries, wasRolledBack } from '#store/pins.ts'
import type { Sql } from '#store/sql.ts'
import { statuses } from '#store/statuses.ts'
import { modulesIn } from './configuration.ts'
import type { ModuleResult } from './deliver-module.ts'
import { openRollback } from './open-rollback.ts'
import { saidByGit } from './render-run.ts'
import type { Intents } from './render-run.ts'
import type { Work } from './work.ts'

/** What a run's verdicts bring about: the modules that go back, and why the others that were to do not. */
export type Decided = { readonly to: ReadonlyMap<string, Delivered>; readonly bad: Readonly<Record<string, string>>; readonly not: ReadonlyMap<string, FailureJson> }

/**
 * Which of the modules that a run delivered go back, by their verdicts: each to what was delivered here and verified last. Only what the run itself changed,
 * and what it took from Git: a rollback is not rolled back.
 */
export async function decideRollback(tx: Sql, work: Work, intents: Intents, results: readonly ModuleResult[], whole: readonly ProbeResult[]): Promise<Decided> {
  const { run } = work
  const to = new Map<string, Delivered>()
  const bad: Record<string, string> = {}
  const not = new Map<string, FailureJson>()
  if (run.kind === 'rollback') return { to, bad, not }
  const rows = new Map((await statuses(tx, run.environment)).map((row) => [row.module, row]))
  for (const { module, verification } of asking(work, results, whole)) {
    const intent = intents.modules.get(module)
    const asked = run.modules[module]
    if (asked?.changed !== true || intent === undefined) continue
    const said = saidByGit(intent)
    const verified = (await deliveries(tx, run.environment, module)).filter(isVerified)
    const decision = rollbackDecision({
      module,
      track: intent.config.spec.track,
      verification,
      good: verified[0],
      intent: asked.intent,
      again: await wasRolledBack(tx, run.environment, module, said),
      pinned: asked.snapshot !== undefined || (rows.get(module)?.pinned ?? null) !== null,
    })
    if ('to' in decision) {
      to.set(module, decision.to)
      bad[module] = said
    } else not.set(module, notRolledBack(module, run.environment, decision.why))
  }
  return { to, bad, not }
}

/** Modules whose own verdict asks for it; and all that the run delivered, where the change as a whole does. */
function asking({ environment }: Work, results: readonly ModuleResult[], whole: readonly ProbeResult[]): Pick<ModuleOutcome, 'module' | 'verification'>[] {
  const verification = worst(whole.map(({ verdict }) => verdict))
  const all = whole.length > 0 && decided(verification, environment.spec.onFailure) === 'rollback'
  return results.flatMap(({ outcome }): Pick<ModuleOutcome, 'module' | 'verification'>[] => {
    if (outcome.onFailure === 'rollback') return [outcome]
    return all && outcome.delivery === 'delivered' ? [{ module: outcome.module, verification }] : []
  })
}

export function isVerified({ verification }: { readonly verification: string }): boolean {
  return verification === 'passed' || verification === 'warned'
}

function notRolledBack(module: string, environment: string, why: string): FailureJson {
  return new Failure({ code: 'not-rolled-back', subject: `module ${module}`, message: `it is delivered and does not work, and is not rolled back: ${why}`, hint: `Mend it in Git; or decide yourself: plumb rollback ${module} -e ${environment} --reason WHY` }).toJSON()
}

/** Opens the rollback that was decided on, in the transaction that ends the run. */
export async function rollBack(tx: Sql, { run, parts, configuration }: Work, intents: Intents, { to, bad }: Decided): Promise<void> {
  if (to.size === 0) return
  const names = [...to.keys()].sort()
  const dependencies = [...modulesIn(configuration, run.environment)].map(([name, { config }]) => ({ name, dependsOn: config.spec.dependsOn }))
  const git = new Map(names.map((module) => [module, intents.modules.get(module)?.intent ?? null]))
  const reason = `${names.join(', ')} failed ${names.length === 1 ? 'its' : 'their'} verification in ${run.id}`
  const id = await openRollback(tx, parts, { environment: run.environment, to, git, rollback: { of: run.id, by: 'verdict', bad }, pin: 'rollback', dependencies, actor: 'plumbline', startedBy: null, reason, ticket: run.ticket })
  for (const module of names)
    await notify(tx, parts.clock.now(), { kind: 'rollback', environment: run.environment, module, body: { message: `${module} in ${run.environment} goes back to ${to.get(module)?.snapshot}: ${reason}`, run: id ?? null, of: run.id } })
}
