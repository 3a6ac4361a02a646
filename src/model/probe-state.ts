import type { ProbeResult, Sample, Verdict } from './probe.ts'
import type { Verification } from './run.ts'

/** What lies just before a change of verdict, and may have made it. `id`: of the run or the finding. */
export type Cause = { readonly kind: 'run' | 'finding' | 'context' | 'pause' | 'policy'; readonly id: string; readonly at: number; readonly about: string }

/** One change of a probe's verdict, to `verdict`: named as in a sample, so that the store keeps no secret in its message. */
export type Flip = { readonly at: number; readonly from: Verdict; readonly verdict: Verdict; readonly message: string }

/** What a probe says now, and since when. Times are milliseconds since 1970. */
export type ProbeState = {
  readonly probe: string
  readonly kind: string
  readonly verdict: Verdict
  /** When the first sample of this verdict was collected: since then it is so, as far as anybody looked. */
  readonly onset: number
  /** When the newest sample was collected. */
  readonly askedAt: number
  /** The last sample that still told the verdict before; null where there was none. */
  readonly lastBefore: number | null
  readonly causes: readonly Cause[]
  /** The newest changes, in order. */
  readonly flips: readonly Flip[]
  /** The newest one; null where it could not even be asked. */
  readonly sample: Sample | null
}

/** A module under this name stands for the environment itself: no module can have it. */
export const environmentItself = '@environment'

/** How a module is called where people read: the one that stands for the environment has no name that anybody gave it. */
export function calledModule(module: string): string {
  return module === environmentItself ? 'the environment itself' : module
}

const keptFlips = 20
/** A probe flaps when its verdict changes more often than this within the time (ms). */
const flapping = { changes: 5, within: 3_600_000 }

/** What a new result makes of a probe's state. The same verdict keeps its onset; another one begins with the first sample that told it. */
export function nextState(before: ProbeState | undefined, result: ProbeResult, now: number): ProbeState {
  const { probe, kind, verdict, samples } = result
  const sample = samples.at(-1) ?? null
  const askedAt = sample?.collectedAt ?? now
  const base = { probe, kind, verdict, askedAt, sample }
  if (before?.verdict === verdict) return { ...before, ...base }
  const onset = onsetOf(result, now)
  if (before === undefined) return { ...base, onset, lastBefore: null, causes: [], flips: [] }
  const flip: Flip = { at: onset, from: before.verdict, verdict, message: sample?.message ?? 'was not asked' }
  return { ...base, onset, lastBefore: before.askedAt, causes: [], flips: [...before.flips, flip].slice(-keptFlips) }
}

/** The first of the newest samples that all told the verdict; where the newest tells another (a window decides over many), that one. */
function onsetOf({ samples, verdict }: ProbeResult, now: number): number {
  const other = samples.findLastIndex((sample) => sample.verdict !== verdict)
  return (samples[other + 1] ?? samples.at(-1))?.collectedAt ?? now
}

/** Whether a probe changes its verdict so often that no single change means much. */
export function isFlapping({ flips }: Pick<ProbeState, 'flips'>, now: number): boolean {
  return flips.filter((flip) => flip.at > now - flapping.within).length > flapping.changes
}

/** Whether it flapped when it was last asked, and no longer does. */
export function hasCalmed(state: Pick<ProbeState, 'flips' | 'askedAt'>, now: number): boolean {
  return isFlapping(state, state.askedAt) && !isFlapping(state, now)
}

const quietIsTold = 86_400_000

/** Since when a probe that flapped has said the same; for a day, and nothing while it flaps or where it never did. */
export function quietSince({ flips }: Pick<ProbeState, 'flips'>, now: number): number | undefined {
  const last = flips.at(-1)?.at
  return last !== undefined && isFlapping({ flips }, last) && !isFlapping({ flips }, now) && now - last < quietIsTold ? last : undefined
}

/** What is known of a module's verification, beside the verdict. */
export type Verified = {
  readonly verification: Verification
  /** Until when the last look counts; null where nobody has to look again. */
  readonly staleAt: number | null
  /** Since when something else is there than what was looked at. */
  readonly movedAt: number | null
}

/** The verification that counts now: a verdict whose time is over, or under which something changed, is stale. What was never known is not made better by that. */
export function standingVerification({ verification, staleAt, movedAt }: Verified, now: number): Verification {
  const isOver = movedAt !== null || (staleAt !== null && staleAt < now)
  return isOver && verification !== 'unknown' ? 'stale' : verification
}

/** Why a verification is stale, in words: something changed underneath (`movedWhy`), or its time is over. Null where it is not. */
export function whyStale(verified: Verified & { readonly verifiedAt: number | null; readonly movedWhy: string | null }, now: number): string | null {
  if (standingVerification(verified, now) !== 'stale') return null
  const { verifiedAt, staleAt, movedAt, movedWhy } = verified
  if (movedAt !== null) return `${movedWhy ?? 'something changed underneath'}, at ${instant(movedAt)}${verifiedAt === null ? '' : `; the last look was at ${instant(verifiedAt)}`}`
  const at = verifiedAt ?? staleAt ?? now
  return timeIsOver(at, (staleAt ?? now) - at)
}

/** A look ended `at` (milliseconds since 1970) and counted `freshFor` so long; NaN where nobody knows any more how long one does. */
export function timeIsOver(at: number, freshFor: number): string {
  return `the last look, at ${instant(at)}, ${Number.isFinite(freshFor) ? `counted until ${instant(at + freshFor)}, and nobody has looked again` : 'is all that there is: nobody looks any more'}`
}

function instant(at: number): string {
  return new Date(at).toISOString()
}
