import type { FailureJson } from '#lib/failure.ts'
import type { OnFailure } from './on-failure.ts'

export const runStates = [
  'planning',
  'waiting',
  'delivering',
  'verifying',
  'succeeded',
  'failed',
  'halted',
  'interrupted',
  'rolled-back',
  'superseded',
  'cancelled',
] as const
export type RunState = (typeof runStates)[number]

const ended: readonly RunState[] = ['succeeded', 'failed', 'halted', 'interrupted', 'rolled-back', 'superseded', 'cancelled']
export function isEnded(state: RunState): boolean {
  return ended.includes(state)
}

const notBegun: readonly RunState[] = ['planning', 'waiting', 'superseded', 'cancelled']
/** Whether its effects may have begun: who waits can be replaced or cancelled, who has begun cannot. */
export function hasBegun(state: RunState): boolean {
  return !notBegun.includes(state)
}

/** Delivery and verification: two facts, never one light. */
export type Delivery = 'synced' | 'behind' | 'progressing' | 'failed' | 'unknown'
export type Verification = 'passed' | 'warned' | 'failed' | 'unknown' | 'stale'

/** What became of a module in a run. `halted`: something that it depends on failed. */
export type ModuleOutcome = {
  readonly module: string
  readonly delivery: 'pending' | 'delivering' | 'delivered' | 'failed' | 'halted'
  readonly verification: 'pending' | 'passed' | 'warned' | 'failed' | 'unknown'
  /** Verified by readiness alone, for want of probes. */
  readonly readinessOnly: boolean
  readonly failure?: FailureJson
  /** Where it was delivered and its verification is not good: what that decided. */
  readonly onFailure?: OnFailure
}
