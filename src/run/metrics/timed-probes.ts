import type { Probe } from '#probes/probe.ts'
import { Histogram } from './histogram.ts'

/** How long samples took, by the probe's kind and what they said (seconds). */
export function probeTimes(): Histogram {
  return new Histogram([0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30])
}

/** The same probes, with how long each sample took counted from outside. */
export function timed(probes: readonly Probe<unknown>[], times: Histogram): Probe<unknown>[] {
  return probes.map((probe) => ({
    ...probe,
    sample: async (call, config) => {
      const sample = await probe.sample(call, config)
      times.observe({ kind: probe.kind, verdict: sample.verdict }, sample.durationMs / 1_000)
      return sample
    },
  }))
}
