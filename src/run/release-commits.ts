import { neededCommits } from '#store/needed-commits.ts'
import type { Parts } from './parts.ts'

/**
 * Mirrors hold what may be rendered again: what some environment stands on, what a run that is under way or on the record delivered, and what may be gone back
 * to. The rest is let go. What is needed and not held (a mirror was lost, and made anew) is held again, as far as it is there.
 */
export async function releaseCommits({ sql, repositories }: Pick<Parts, 'sql' | 'repositories'>): Promise<void> {
  for (const name of repositories.names()) {
    const mirror = repositories.mirror(name)
    // Before it is asked what is needed: what is held from then on is not let go.
    const kept = new Set(await mirror.kept())
    const needed = await neededCommits(sql, name)
    await mirror.release(...[...kept].filter((sha) => !needed.has(sha)))
    const missing: string[] = []
    for (const sha of needed) if (!kept.has(sha) && (await repositories.has(name, sha))) missing.push(sha)
    await mirror.keep(...missing)
  }
}
