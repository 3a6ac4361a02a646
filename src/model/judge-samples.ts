import type { Bound, Compare, Need, Window } from './config/probe.ts'
import type { Sample, Verdict } from './probe.ts'
import { worst } from './probe.ts'

// How samples become a verdict: pure, and the same after a delivery and later.

/** Whether enough of many passed. What is not known may have passed: it makes the whole unknown where it could have been enough, and never passed. */
export function enough(all: readonly Verdict[], needed: number): Verdict {
  const count = (verdict: Verdict): number => all.filter((one) => one === verdict).length
  const good = count('passed') + count('warned')
  if (good >= needed) return count('passed') >= needed ? 'passed' : 'warned'
  return good + count('unknown') >= needed ? 'unknown' : 'failed'
}

/** How many of several targets have to pass. */
export function neededOf(need: Need, count: number): number {
  if (typeof need === 'number') return Math.min(need, count)
  return { all: count, any: Math.min(1, count), quorum: Math.floor(count / 2) + 1 }[need]
}

/** Several targets that were asked side by side, as one sample. */
export function together(samples: readonly [Sample, ...Sample[]], need: Need): Sample {
  const needed = neededOf(need, samples.length)
  const verdict = enough(samples.map((sample) => sample.verdict), needed)
  const good = samples.filter(isGood).length
  const bad = samples.find((sample) => !isGood(sample)) ?? samples.find((sample) => sample.verdict === 'warned')
  const rule = `${needed} of ${samples.length}`
  const says = `${good} of ${samples.length} pass${good >= needed ? '' : `, ${needed} needed`}`
  return {
    signal: samples[0].signal,
    target: `${samples.length} targets`,
    value: good,
    threshold: rule,
    verdict,
    message: bad === undefined ? says : `${says}: ${bad.target}: ${bad.message}`,
    collectedAt: Math.min(...samples.map((sample) => sample.collectedAt)),
    durationMs: Math.max(...samples.map((sample) => sample.durationMs)),
    across: samples,
  }
}

/** The verdict on the newest samples (in order, the last ones); those of a window that were not taken are not known. */
export function overWindow(verdicts: readonly Verdict[], window: Window | undefined): Verdict {
  const { passed, of } = window ?? { passed: 1, of: 1 }
  const newest = verdicts.slice(-of)
  const missing = Array.from({ length: of - newest.length }, (): Verdict => 'unknown')
  const isMixed = new Set(newest).size > 1
  // One that fails throughout has failed, however few samples its time had room for.
  return newest.length > 0 && !isMixed && newest[0] === 'failed' ? 'failed' : enough([...newest, ...missing], passed)
}

/** Whether nothing that the rest of a window could bring would change its verdict. */
export function isDecided(verdicts: readonly Verdict[], window: Window | undefined): boolean {
  const { passed, of } = window ?? { passed: 1, of: 1 }
  const newest = verdicts.slice(-of)
  return newest.length === of || newest.filter((verdict) => isGood({ verdict })).length >= passed || newest.filter((verdict) => verdict === 'failed').length > of - passed
}

/** A sample held against the one from before the change. A comparison that cannot be made is unknown; what failed by itself stays failed. */
export function comparedWith(before: Sample | undefined, sample: Sample, rules: Compare): Sample {
  const was = before?.verdict === 'unknown' ? undefined : before?.value
  const { value, unit } = sample
  if (typeof was !== 'number' || !Number.isFinite(was)) {
    const why = before === undefined ? 'it was not asked' : before.verdict === 'unknown' ? before.message : 'it was no number'
    return combined(sample, 'unknown', `the value before the change is not known (${why})`)
  }
  if (typeof value !== 'number' || !Number.isFinite(value)) return combined(sample, 'unknown', 'there is no number to compare with the one before the change')
  const { max, min, warn } = rules
  const limit = (bound: Bound): number => round(was * (bound.times ?? 1) + (bound.plus ?? 0))
  const written = (n: number): string => (unit === undefined || unit === '' ? String(n) : `${n} ${unit}`)
  const stood = `before the change it was ${written(round(was))}`
  const warnsBelow = max === undefined && min !== undefined
  const threshold = [
    ...(sample.threshold === undefined ? [] : [sample.threshold]),
    ...(max === undefined ? [] : [`<= ${written(limit(max))}`]),
    ...(min === undefined ? [] : [`>= ${written(limit(min))}`]),
    ...(warn === undefined ? [] : [`warns ${warnsBelow ? 'below' : 'above'} ${written(limit(warn))}`]),
  ].join(', ')
  const held = { ...sample, threshold }
  if (max !== undefined && value > limit(max)) return combined(held, 'failed', `${stood}, at most ${written(limit(max))} allowed`)
  if (min !== undefined && value < limit(min)) return combined(held, 'failed', `${stood}, at least ${written(limit(min))} expected`)
  if (warn !== undefined && (warnsBelow ? value < limit(warn) : value > limit(warn))) return combined(held, 'warned', `${stood}, warns ${warnsBelow ? 'below' : 'above'} ${written(limit(warn))}`)
  return combined(held, 'passed', stood)
}

export function isGood({ verdict }: { readonly verdict: string }): boolean {
  return verdict === 'passed' || verdict === 'warned'
}

function combined(sample: Sample, verdict: Verdict, what: string): Sample {
  return { ...sample, verdict: worst([sample.verdict, verdict]), message: `${sample.message}; ${what}` }
}

/** Six digits say all that a limit needs, and hide how floating numbers add up. */
function round(n: number): number {
  return Number(n.toPrecision(6))
}
