import type { Failure, FailureJson } from '#lib/failure.ts'
import { asFailure } from '#lib/failure.ts'
import type { Snapshot } from '#model/snapshot.ts'
import { snapshotOf } from '#model/snapshot.ts'
import type { FetchResult, Mirror } from './mirror.ts'

/** A repository that could not be asked. `standing` is its last head, which is in the snapshot; without one the repository is not in it. */
type SnapshotProblem = { readonly repository: string; readonly standing: string | undefined; readonly failure: FailureJson }

export type TakenSnapshot = {
  /** One commit for each repository that has ever been read. What a repository that is not in it holds is *unknown*: its modules are not gone. */
  readonly snapshot: Snapshot
  readonly problems: readonly SnapshotProblem[]
  /** What moved, by repository; `forced` where history was rewritten. */
  readonly moved: Readonly<Record<string, FetchResult>>
}

/** How many repositories are asked at once. */
const atOnce = 8

/**
 * Asks the repositories, all of them or those named in `ask`, and takes all heads together. One that cannot be reached leaves its last head
 * standing and is told in `problems`. Rejects only when the signal is aborted.
 */
export async function takeSnapshot(mirrors: readonly Mirror[], signal: AbortSignal, ask?: ReadonlySet<string>): Promise<TakenSnapshot> {
  const problems = new Map<string, Failure>()
  const results = new Map<string, FetchResult>()
  const left = mirrors.filter((mirror) => ask === undefined || ask.has(mirror.name))
  const worker = async (): Promise<void> => {
    for (let mirror = left.shift(); mirror !== undefined; mirror = left.shift()) {
      try {
        results.set(mirror.name, await mirror.fetch(signal))
      } catch (error) {
        signal.throwIfAborted()
        problems.set(mirror.name, asFailure(error, mirror.name))
      }
    }
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
  const heads = await Promise.all(
    mirrors.map(async (mirror) => {
      const head = await mirror.head().catch((error: unknown) => void problems.set(mirror.name, asFailure(error, mirror.name)))
      return [mirror.name, head ?? undefined] as const
    }),
  )
  const commits = Object.fromEntries(heads.filter((entry): entry is readonly [string, string] => entry[1] !== undefined))
  return {
    snapshot: snapshotOf(commits),
    problems: heads.flatMap(([repository, standing]) => {
      const failure = problems.get(repository)
      return failure === undefined ? [] : [{ repository, standing, failure: failure.toJSON() }]
    }),
    moved: Object.fromEntries(
      mirrors.flatMap(({ name }) => {
        const result = results.get(name)
        return result === undefined || result.head === result.previous ? [] : [[name, result]]
      }),
    ),
  }
}
