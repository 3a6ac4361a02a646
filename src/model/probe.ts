import type { Json } from '#lib/json.ts'

/** What a probe, or a module, is found to be. `unknown` never counts as passed. */
export type Verdict = 'passed' | 'warned' | 'failed' | 'unknown'

/** From best to worst; what is verified together is as good as its worst. */
export const verdicts = ['passed', 'warned', 'unknown', 'failed'] as const satisfies readonly Verdict[]

export function worst(all: readonly Verdict[]): Verdict {
  return all.reduce<Verdict>((a, b) => (verdicts.indexOf(b) > verdicts.indexOf(a) ? b : a), 'passed')
}

/** One measurement: what was asked, what came back, how it was judged. */
export type Sample = {
  readonly signal: 'latency' | 'reachability' | 'count' | 'diff' | 'boolean'
  /** What was asked, as a person would say it: `GET http://…/healthz (Host: orders.staging.example)`. No secrets. */
  readonly target: string
  readonly value?: Json
  readonly unit?: string
  /** The rule it was held against: `status = 200`, `<= 10 s`. */
  readonly threshold?: string
  readonly verdict: Verdict
  /** One sentence: `answered 503, expected 200`. */
  readonly message: string
  /** Where it could not be asked: the code of why, and what helps. */
  readonly code?: string
  readonly hint?: string
  /** Milliseconds since 1970. */
  readonly collectedAt: number
  readonly durationMs: number
  /** Where several targets were asked side by side, what each answered. */
  readonly across?: readonly Sample[]
}

/** What one verification found of a probe. */
export type ProbeResult = {
  readonly probe: string
  readonly kind: string
  readonly verdict: Verdict
  /** How often it was asked; not all samples of a long verification are kept. */
  readonly asked: number
  /** In order: the first, and the newest. The last one decides, or with a window the last so many. */
  readonly samples: readonly Sample[]
  /** From right before the run's first effect: what relative thresholds compare with. */
  readonly before?: Sample
  /** Of the last `of` samples so many had to pass, and so many did. */
  readonly window?: { readonly passed: number; readonly of: number; readonly needed: number }
}
