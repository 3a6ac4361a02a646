import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { claims } from '#playground/controllers/kinds.ts'
import type { TypedObjects } from '#playground/controllers/typed-objects.ts'

export type ClaimFolders = {
  /** Where a claim's data is; undefined while it is not bound. */
  of(namespace: string, claim: string): string | undefined
  stop(): void
}

/** A folder `<dir>/<uid>` for each claim's data, which goes when the claim does (as with the reclaim policy Delete) and not before. */
export function claimFolders(objects: TypedObjects, dir: string): ClaimFolders {
  const end = objects.watch(claims, ({ type, object }) => {
    if (type === 'DELETED') rmSync(join(dir, object.metadata.uid), { recursive: true, force: true })
  })
  return {
    of: (namespace, claim) => {
      const found = objects.get(claims, namespace, claim)
      return found?.status?.phase === 'Bound' ? join(dir, found.metadata.uid) : undefined
    },
    stop: end,
  }
}
