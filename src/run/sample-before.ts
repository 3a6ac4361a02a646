import { environmentItself } from '#model/probe-state.ts'
import { hasBefore, saveBefore } from '#store/before.ts'
import type { BeforeRow } from '#store/before.ts'
import { journal } from '#store/runs.ts'
import type { RunRow } from '#store/runs.ts'
import { takeBefore } from './ask-probe.ts'
import { guarded } from './guarded.ts'
import { probesOfEnvironment } from './owned-probes.ts'
import type { OwnedProbe } from './owned-probes.ts'
import type { Intents } from './render-run.ts'
import type { Work } from './work.ts'

/**
 * Asks the probes that compare with the time before the change, and writes the answers down: once a run, before its first effect begins. Where a crash came
 * between, nothing has begun and it is done again; what was not asked in time is never made up later.
 */
export async function sampleBefore(work: Work, intents: Intents): Promise<void> {
  const { parts, run } = work
  // What goes back is held against the time before what broke it: now it is broken.
  if (run.kind === 'verify' || goesBack(run)) return
  const ofModules = Object.keys(run.modules).flatMap((module) => (intents.modules.get(module)?.probes ?? []).map((probe) => ({ module, probe })))
  const { own, change } = probesOfEnvironment(work.configuration, work.policy, work.environment)
  const asked = [...ofModules, ...[...own, ...change].map((probe) => ({ module: environmentItself, probe }))].filter(({ probe }) => probe.config.compare !== undefined)
  if (asked.length === 0 || (await hasBefore(parts.sql, run.id))) return
  if ((await journal(parts.sql, run.id)).some((row) => row.state !== 'pending')) return
  const rows = await Promise.all(asked.map(({ module, probe }) => rowOf(work, module, probe)))
  await guarded(work, (tx) => saveBefore(tx, run.id, rows))
}

/** Whether a run brings back what was there before. */
export function goesBack({ kind }: Pick<RunRow, 'kind'>): boolean {
  return kind === 'rollback' || kind === 'revert'
}

async function rowOf(work: Work, module: string, probe: OwnedProbe): Promise<BeforeRow> {
  return { module, probe: probe.config.name, sample: await takeBefore(work, probe) }
}
