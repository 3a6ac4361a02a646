import { Failure } from '#lib/failure.ts'
import type { ProbeConfig } from '#model/config/probe.ts'
import { isGood } from '#model/judge-samples.ts'
import type { ProbeResult } from '#model/probe.ts'
import { askProbe } from '../ask-probe.ts'
import type { StepCall, StepKind, StepOutcome } from './step.ts'

/** Probes that have to pass: all side by side, each as long as it may take. What is not known stops as what fails does. */
export async function askAll({ place, owner }: Pick<StepCall, 'place' | 'owner'>, probes: readonly ProbeConfig[]): Promise<StepOutcome> {
  const results = await Promise.all(probes.map((config) => askProbe(place, { config, owner }, 'until it passes')))
  const bad = results.filter((result) => !isGood(result))
  if (bad.length === 0) return { state: 'done', message: results.map(said).join('; '), probes: results }
  return { state: 'failed', failure: new Failure({ code: 'condition-failed', subject: bad.map(({ probe }) => probe).join(', '), message: bad.map(said).join('; '), retry: 'later' }).toJSON(), probes: results }
}

function said({ probe, verdict, samples }: ProbeResult): string {
  return `${probe} ${verdict}: ${samples.at(-1)?.message ?? 'was not asked'}`
}

export const probeStep: StepKind<'probe'> = {
  kind: 'probe',
  about: ({ name, kind }) => `${kind} ${name}`,
  carryOut: (call, probe) => askAll(call, [probe]),
}
