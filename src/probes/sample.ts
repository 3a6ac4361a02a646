import { Failure } from '#lib/failure.ts'
import type { Clock } from '#lib/clock.ts'
import { until } from '#lib/until.ts'
import type { Json } from '#lib/json.ts'
import type { Sample, Verdict } from '#model/probe.ts'

/** What a probe found. */
export type Found = { readonly verdict: Verdict; readonly message: string; readonly value?: Json; readonly unit?: string; readonly threshold?: string; readonly code?: string; readonly hint?: string }

/** What is being waited for while a probe asks: it decides what a timeout means, and what it is called. */
type Phase = {
  /** `connection`, `answer`: what the message names. */
  readonly name: string
  /** Whether it is the probed thing itself that does not answer (`failed`), or something on the way to it (`unknown`). */
  readonly of: 'subject' | 'way'
}

export type Asking = {
  readonly signal: Sample['signal']
  /** What is asked, without secrets. It may become more exact while it is asked. */
  target: string
  phase: Phase
  /** What decides, as text, for the samples that end before anything was judged. */
  readonly threshold?: string
}

/** Failures that are the answer of what is probed; all others are `unknown`, because the question was never put. */
const answers: ReadonlySet<string> = new Set(['connection-refused', 'connection-unreachable', 'connection-lost', 'tls-failed', 'answer-invalid', 'sql-failed', 'sql-answer-too-large', 'probe-failed'])

const longestMessage = 500

/** The failure by which a probe ends asking with the verdict `failed`. */
export function probeFailed(subject: string, message: string): Failure {
  return new Failure({ code: 'probe-failed', subject, message })
}

/** Asks, times it by the clock, and makes a sample of whatever comes: it never throws, and ends with the call's signal whatever `ask` does. */
export async function takeSample(call: { readonly clock: Clock; readonly signal: AbortSignal }, asking: Asking, ask: () => Promise<Found>): Promise<Sample> {
  const { clock, signal } = call
  const collectedAt = clock.now()
  let found: Found
  try {
    signal.throwIfAborted()
    found = await until(ask(), signal)
  } catch (error) {
    found = signal.aborted ? ended(signal, asking.phase, clock.now() - collectedAt) : foundOf(error, asking.phase)
  }
  const { threshold = asking.threshold, message, ...rest } = found
  // Of a yes or no that is known, the value is which.
  const isYesOrNo = (asking.signal === 'boolean' || asking.signal === 'reachability') && found.verdict !== 'unknown'
  return {
    signal: asking.signal,
    target: printable(asking.target),
    ...(isYesOrNo ? { value: found.verdict !== 'failed' } : {}),
    ...rest,
    ...(threshold === undefined ? {} : { threshold }),
    message: printable(message),
    collectedAt,
    durationMs: clock.now() - collectedAt,
  }
}

/** A timeout is the subject's own when it was the subject that was waited for; any other end (the run was stopped) says nothing about it. */
function ended(signal: AbortSignal, phase: Phase, tookMs: number): Found {
  const timedOut = signal.reason instanceof Error && signal.reason.name === 'TimeoutError'
  if (!timedOut) return { verdict: 'unknown', message: `${phase.name}: was stopped before it was known` }
  const after = tookMs < 100 ? '' : ` after ${inSeconds(tookMs)}`
  return { verdict: phase.of === 'subject' ? 'failed' : 'unknown', message: `${phase.name}: timed out${after}` }
}

/** What breaks on the way says nothing of the subject, unless the probe itself says that it does. */
function foundOf(error: unknown, { of }: Phase): Found {
  if (error instanceof Failure) {
    const { code, message, hint } = error
    if (code === 'probe-failed' || (of === 'subject' && answers.has(code))) return { verdict: 'failed', message }
    return { verdict: 'unknown', message, code, ...(hint === undefined ? {} : { hint: printable(hint) }) }
  }
  // A defect of the probe: its text may quote anything, a secret too.
  return { verdict: 'unknown', message: `the probe itself failed (${error instanceof Error ? error.name : typeof error})` }
}

/** `5 s`, `0.4 s`: tenths are enough to tell one timeout from another, and do not tick. */
function inSeconds(ms: number): string {
  return `${Math.round(ms / 100) / 10} s`
}

/** One line, without control characters, and not without end. */
export function printable(text: string): string {
  // oxlint-disable-next-line no-control-regex -- what others answer may hold anything
  const line = text.replaceAll(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, ' ').toWellFormed()
  return line.length > longestMessage ? `${line.slice(0, longestMessage)}…` : line
}
