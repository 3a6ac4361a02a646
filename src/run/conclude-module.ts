import type { FailureJson } from '#lib/failure.ts'
import { decided, strictest } from '#model/on-failure.ts'
import type { ProbeResult, Verdict } from '#model/probe.ts'
import type { ModuleOutcome } from '#model/run.ts'
import { notify } from '#store/notifications.ts'
import { saveModuleOutcome } from '#store/runs.ts'
import { guarded } from './guarded.ts'
import type { ModuleIntent } from './render-run.ts'
import type { Work } from './work.ts'

/** The end of a delivered module's part in a run: its verdict, what that decides, and the word to people where it asks for one. All of it becomes true together. */
export async function concludeModule(work: Work, module: string, intent: ModuleIntent | undefined, { verdict, failure }: { readonly verdict: Verdict; readonly failure?: FailureJson }, probes: readonly ProbeResult[]): Promise<ModuleOutcome> {
  const { parts, run, environment } = work
  const now = parts.clock.now()
  const policy = strictest(environment.spec.onFailure, intent?.config.spec.onFailure)
  // A run that changes nothing has nothing that could go on, wait or go back.
  const asked = run.kind === 'verify' ? undefined : decided(verdict, policy)
  // A rollback is not rolled back: there a person decides.
  const onFailure = asked === 'rollback' && run.kind === 'rollback' ? 'halt' : asked
  const outcome: ModuleOutcome = { module, delivery: 'delivered', verification: verdict, readinessOnly: probes.length === 0, ...(failure === undefined ? {} : { failure }), ...(onFailure === undefined ? {} : { onFailure }) }
  await guarded(work, async (tx) => {
    await saveModuleOutcome(tx, run.id, outcome, probes, now)
    if (onFailure === 'alert') await notify(tx, now, { kind: 'alert', environment: run.environment, module, body: { message: `${module} in ${run.environment} is delivered and ${verdict}: what depends on it goes on`, run: run.id, verdict } })
  })
  return outcome
}
