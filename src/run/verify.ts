import { environmentItself } from '#model/probe-state.ts'
import type { ProbeResult, Sample } from '#model/probe.ts'
import type { ModuleOutcome } from '#model/run.ts'
import { newestBefore, ownBefore } from '#store/before.ts'
import { askProbe } from './ask-probe.ts'
import { probesOfEnvironment } from './owned-probes.ts'
import type { OwnedProbe } from './owned-probes.ts'
import type { ModuleIntent } from './render-run.ts'
import { goesBack } from './sample-before.ts'
import { inSpan } from './telemetry/in-span.ts'
import type { Work } from './work.ts'

/** Asks each of a module's probes, side by side, until it passes or its time is over. */
export async function verify(work: Work, intent: ModuleIntent): Promise<ProbeResult[]> {
  const { probes } = intent
  const before = await beforeOf(work, intent.name, probes)
  const isDelivered = work.run.kind !== 'verify' && work.run.modules[intent.name]?.changed === true
  return askAll(work, probes, before, isDelivered ? 'settles' : 'stands')
}

/** Asks the probes of a change as a whole, when all of its modules are delivered. None where that did not come about, or where nothing changes. */
export async function verifyChange(work: Work, outcomes: readonly ModuleOutcome[]): Promise<ProbeResult[]> {
  const changes = work.run.kind !== 'verify' && outcomes.some(({ module }) => work.run.modules[module]?.changed === true)
  if (!changes || outcomes.some(({ delivery }) => delivery !== 'delivered')) return []
  const { change } = probesOfEnvironment(work.configuration, work.policy, work.environment)
  return askAll(work, change, await beforeOf(work, environmentItself, change), 'settles')
}

/** What was just delivered may need time before it is asked at all. */
async function askAll(work: Work, probes: readonly OwnedProbe[], before: ReadonlyMap<string, Sample>, delivered: 'settles' | 'stands'): Promise<ProbeResult[]> {
  return Promise.all(
    probes.map(async (probe) => {
      if (delivered === 'settles' && probe.config.settle > 0) await work.parts.clock.sleep(probe.config.settle, work.claim.signal)
      return inSpan(work.parts, 'probe', { environment: work.run.environment, probe: probe.config.name, kind: probe.config.kind }, () => askProbe(work, probe, 'until it passes', before.get(probe.config.name)), ({ verdict, samples }) => ({ attributes: { verdict }, ...(verdict === 'failed' || verdict === 'unknown' ? { failure: samples.at(-1)?.message ?? verdict } : {}) }))
    }),
  )
}

/** What the probes of a module, or of the environment itself, found before the change: this run's own, or for one that changes nothing, or brings back what was there, that of the last one that did. */
async function beforeOf({ parts, run }: Work, module: string, probes: readonly OwnedProbe[]): Promise<ReadonlyMap<string, Sample>> {
  if (probes.every(({ config }) => config.compare === undefined)) return new Map()
  return run.kind === 'verify' || goesBack(run) ? newestBefore(parts.sql, run.environment, module) : ownBefore(parts.sql, run.id, module)
}
