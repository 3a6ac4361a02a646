import type { FailureJson } from '#lib/failure.ts'
import { saveOutcome } from './guarded.ts'
import type { Work } from './work.ts'

/** How long to wait before a system that is in trouble is asked again, in milliseconds: half a second, 1, 2, … and 15 s at most. */
export function patience(attempt: number): number {
  return Math.min(15_000, 500 * 2 ** Math.min(attempt - 1, 10))
}

/** Says, while a module is being delivered, what it waits for. */
export async function tell(work: Work, module: string, failure: FailureJson): Promise<void> {
  work.parts.log(`run ${work.run.id}: ${module}: ${failure.code}: ${failure.message}: it is tried again`)
  await saveOutcome(work, { module, delivery: 'delivering', verification: 'pending', readinessOnly: false, failure })
}
