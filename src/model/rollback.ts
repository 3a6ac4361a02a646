import type { Track } from './config/parts.ts'
import type { Verification } from './run.ts'

/** Why a run is a rollback. `of`: the run whose verdict, or whose name, asked for it. */
export type RollbackOf = {
  readonly of: string | null
  readonly by: 'verdict' | 'person'
  /** Module -> a digest of what Git says there, which is rolled back. */
  readonly bad: Readonly<Record<string, string>>
}

/** What was delivered and verified before, and can be gone back to. */
export type Delivered = { readonly snapshot: string; readonly intent: string; readonly run: string }

export type Failed = {
  readonly module: string
  readonly track: Track
  readonly verification: Verification | 'pending'
  /** What was delivered now. */
  readonly intent: string
  /** The last that was delivered and verified. */
  readonly good: Delivered | undefined
  /** The verdict has rolled this very intent back before. */
  readonly again: boolean
  /** It is held at an older snapshot already. */
  readonly pinned: boolean
}

/**
 * Whether a verdict that asks for a rollback gets one, and else why not: then the module stays as it is, and what depends on it waits. Unknown is not
 * failed; what an imperative step did is not undone by an older snapshot; and a fight stops.
 */
export function rollbackDecision({ track, verification, intent, good, again, pinned }: Failed): { readonly to: Delivered } | { readonly why: string } {
  if (verification !== 'failed') return { why: 'it is not known whether it works: unknown is not failed' }
  if (track !== 'declarative') return { why: `its track is ${track}: what its steps did is not undone by an older snapshot` }
  if (pinned) return { why: 'it is held at an older snapshot already' }
  if (again) return { why: 'what Git says was rolled back once before: a second time a person decides' }
  if (good === undefined) return { why: 'nothing else of it was ever delivered here and verified' }
  if (good.intent === intent) return { why: 'the very same was delivered before and worked: this delivery is not what broke it' }
  return { to: good }
}
