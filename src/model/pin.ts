import type { FailureJson } from '#lib/failure.ts'
import type { Delivery } from './run.ts'

/** Holds a module at what was delivered before, whatever Git says. Times in milliseconds since 1970. */
export type Pin = {
  /** The snapshot that the module is rendered from. */
  readonly snapshot: string
  /** What it was to be there. */
  readonly intent: string
  /** What lifts it. `rollback`: it goes by itself when Git no longer says what was rolled back. `person`: only a person lifts it. */
  readonly by: 'rollback' | 'person'
  readonly actor: string
  readonly reason: string
  readonly ticket: string | null
  readonly at: number
  /** The run that goes there; null where the module was there already. */
  readonly run: string | null
  /** With `rollback`: a digest of what Git said, which is held back. */
  readonly bad: string | null
  /** What Git says by now, as an intent: something else than the pin's where the module is behind. */
  readonly git: string | null
  /** How it stood before: it is so again where the run ends before its effects began. */
  readonly before: { readonly intent: string | null; readonly delivery: Delivery; readonly failure: FailureJson | null }
}

/** What Git says of a module that is pinned: a digest of all that it says; that it has no such module any more; or nothing that can be relied on. */
export type GitSays = { readonly digest: string } | 'gone' | 'unknown'

/** Whether a pin lifts by itself: by a revert, or by anything else in place of what was rolled back. What cannot be read lifts nothing. */
export function liftsItself({ by, bad }: Pick<Pin, 'by' | 'bad'>, git: GitSays): boolean {
  return by === 'rollback' && git !== 'unknown' && (git === 'gone' || git.digest !== bad)
}

/** How a module is delivered that is where its pin holds it: Git is ahead, unless it says just what is there. */
export function deliveredAsPinned({ git }: Pick<Pin, 'git'>, delivered: string | null): Delivery {
  return git !== null && git === delivered ? 'synced' : 'behind'
}
