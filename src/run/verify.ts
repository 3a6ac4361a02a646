import type { ProbeResult, Sample } from '#model/probe.ts'
import { newestBefore, ownBefore } from '#store/before.ts'
import { askProbe } from './ask-probe.ts'
import type { OwnedProbe } from './ask-probe.ts'
import type { ModuleIntent } from './render-run.ts'
import type { Work } from './work.ts'

/** A module's probes, each with whose right it is. */
export function probesOf(intent: ModuleIntent): OwnedProbe[] {
  return intent.config.spec.probes.map((config) => ({ config, owner: intent }))
}

/** Asks each of a module's probes, side by side, until it passes or its time is over. */
export async function verify(work: Work, intent: ModuleIntent): Promise<ProbeResult[]> {
  const probes = probesOf(intent)
  const before = await beforeOf(work, intent.name, probes)
  const isDelivered = work.run.kind !== 'verify' && work.run.modules[intent.name]?.changed === true
  return Promise.all(
    probes.map(async (probe) => {
      if (isDelivered && probe.config.settle > 0) await work.parts.clock.sleep(probe.config.settle, work.claim.signal)
      return askProbe(work, probe, 'until it passes', before.get(probe.config.name))
    }),
  )
}

/** What the probes of a module, or of the whole (`module` is ''), found before the change: this run's own, or for one that changes nothing that of the last one that did. */
async function beforeOf({ parts, run }: Work, module: string, probes: readonly OwnedProbe[]): Promise<ReadonlyMap<string, Sample>> {
  if (probes.every(({ config }) => config.compare === undefined)) return new Map()
  return run.kind === 'verify' ? newestBefore(parts.sql, run.environment, module) : ownBefore(parts.sql, run.id, module)
}
