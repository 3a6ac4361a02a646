import { listRuns } from '#store/runs.ts'
import type { Sql } from '#store/sql.ts'
import { statuses } from '#store/statuses.ts'

/** What the world moving under a plan asks for is a new plan, at once; when somebody keeps moving it, it has to wait like everything else. */
const atOnce = 3
const firstMs = 5_000
const mostMs = 3_600_000

/** When to try again what failed and may pass by itself, after so many attempts, in milliseconds: 5 s, 15 s, 45 s, … and an hour at most. */
export function retryAfter(retry: 'now' | 'later', attempts: number): number {
  const before = retry === 'now' ? attempts - atOnce : attempts
  return before <= 0 ? 0 : Math.min(mostMs, firstMs * 3 ** (before - 1))
}

/** The modules of an environment whose last delivery failed for what may pass by itself, and when (ms since 1970) each is tried again. */
export async function retries(sql: Sql, environment: string): Promise<ReadonlyMap<string, number>> {
  const due = new Map<string, number>()
  for (const { module, delivery, failure, intent, updatedAt } of await statuses(sql, environment)) {
    if ((delivery !== 'failed' && delivery !== 'unknown') || failure === null || failure.retry === 'never') continue
    const runs = (await listRuns(sql, { environment, module, limit: 12 })).filter((run) => run.kind !== 'verify')
    const other = runs.findIndex((run) => run.modules[module]?.intent !== intent)
    due.set(module, updatedAt + retryAfter(failure.retry, other < 0 ? runs.length : other))
  }
  return due
}
