import type { FailureJson } from '#lib/failure.ts'
import type { StepKindName } from './config/operation.ts'
import type { ProbeResult } from './probe.ts'

/** Which operation a run carries out. `from`: the step that it begins with, where a person says so. `slot`: the time of the schedule that it is for. */
export type OperationOf = { readonly name: string; readonly from: string | null; readonly slot: number | null }

/**
 * A step in the journal: `started` is written before it begins. `unknown`: whether it took effect could not be found out. `pre` and `post` are the conditions,
 * as one step each. Times are milliseconds since 1970.
 */
export type OperationStepRow = {
  readonly position: number
  readonly name: string
  readonly kind: StepKindName | 'pre' | 'post'
  readonly state: 'pending' | 'started' | 'waiting' | 'done' | 'failed' | 'unknown' | 'skipped'
  /** What was done, in one sentence. */
  readonly message: string | null
  readonly failure: FailureJson | null
  readonly probes: readonly ProbeResult[]
  readonly startedAt: number | null
  readonly endedAt: number | null
}

/** What changes a system and may not be done twice: an unfinished one is nobody's to begin again but a person's. An apply of the same fields, a question and a wait may be. */
const once: ReadonlySet<OperationStepRow['kind']> = new Set(['command', 'sql'])

export type NextStep = { readonly next: OperationStepRow } | { readonly end: 'succeeded' } | { readonly end: 'failed' | 'interrupted'; readonly at: OperationStepRow }

/** Whether nobody can tell if a step took effect: it says so, or it was begun, is not to be done twice and has no end. */
export function isUnsure({ state, kind }: Pick<OperationStepRow, 'state' | 'kind'>): boolean {
  return state === 'unknown' || (state === 'started' && once.has(kind))
}

/** Where an operation stands, by its journal: what is next, or how it ends. */
export function nextStep(rows: readonly OperationStepRow[]): NextStep {
  for (const row of rows) {
    if (row.state === 'done' || row.state === 'skipped') continue
    if (row.state === 'failed') return { end: 'failed', at: row }
    if (isUnsure(row)) return { end: 'interrupted', at: row }
    return { next: row }
  }
  return { end: 'succeeded' }
}
