import { isFlapping, nextState } from '#model/probe-state.ts'
import type { Cause, ProbeState } from '#model/probe-state.ts'
import type { ProbeResult } from '#model/probe.ts'
import { forgetOtherProbes, probeStates, saveProbeStates } from '#store/probe-states.ts'
import { insertSamples } from '#store/samples.ts'
import type { SampleRow } from '#store/samples.ts'
import type { Sql } from '#store/sql.ts'
import { causesBefore } from './causes.ts'

/** A probe says something else than before; `before` is undefined where it says something for the first time. */
export type ProbeChange = { readonly before: ProbeState | undefined; readonly state: ProbeState; readonly startsToFlap: boolean }

export type Settling = {
  readonly environment: string
  readonly module: string
  readonly results: readonly ProbeResult[]
  /** The names of all its probes: what is known of others is forgotten. */
  readonly all: readonly string[]
  /** The run that asked, and the modules that it changed; null where time asked. */
  readonly run: { readonly id: string; readonly reason: string; readonly at: number; readonly changed: readonly string[] } | null
  /** What it depends on, and itself: a change of those may be the cause. */
  readonly touchedBy: readonly string[]
  readonly now: number
}

/** Keeps what the probes of a module found, and tells which of them changed their verdict, and what lies just before. All in the transaction that it is given. */
export async function settleProbes(tx: Sql, settling: Settling): Promise<ProbeChange[]> {
  const { environment, module, results, all, run, now } = settling
  const known = new Map((await probeStates(tx, environment, module)).map((state) => [state.probe, state]))
  const states: ProbeState[] = []
  const changes: ProbeChange[] = []
  for (const result of results) {
    const before = known.get(result.probe)
    const next = nextState(before, result, now)
    const changed = before?.verdict !== next.verdict
    const state = changed ? { ...next, causes: await causesOf(tx, settling, next) } : next
    states.push(state)
    if (changed) changes.push({ before, state, startsToFlap: isFlapping(state, now) && (before === undefined || !isFlapping(before, before.askedAt)) })
  }
  await forgetOtherProbes(tx, environment, module, all)
  await saveProbeStates(tx, states.map((state) => ({ ...state, environment, module })))
  await insertSamples(tx, samplesOf(environment, module, results, run?.id ?? null))
  return changes
}

export function samplesOf(environment: string, module: string, results: readonly ProbeResult[], run: string | null): SampleRow[] {
  return results.flatMap(({ probe, samples }) => samples.map((sample) => ({ environment, module, probe, at: sample.collectedAt, verdict: sample.verdict, run, sample })))
}

/** The run that asks, where it changed what may be the cause; else whatever lies just before. */
async function causesOf(tx: Sql, { environment, run, touchedBy }: Settling, { onset, lastBefore }: ProbeState): Promise<Cause[]> {
  if (run !== null && run.changed.some((module) => touchedBy.includes(module))) return [{ kind: 'run', id: run.id, at: run.at, about: run.reason }]
  return causesBefore(tx, { environment, touchedBy, onset, lastBefore })
}
