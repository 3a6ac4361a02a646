import type { StatusRow } from '#store/statuses.ts'
import type { ModuleIntent } from './render-run.ts'

/** The status of a module that was never delivered: nothing is known of it yet. */
export function statusOf(environment: string, module: string, intent: ModuleIntent | undefined, now: number): StatusRow | undefined {
  if (intent === undefined) return undefined
  const { track, driver, target } = intent.config.spec
  return {
    environment,
    module,
    repository: intent.repository,
    track,
    driver,
    target,
    delivery: 'behind',
    verification: 'unknown',
    readinessOnly: false,
    intent: null,
    delivered: null,
    snapshot: null,
    snapshotSeq: null,
    run: null,
    verifiedSince: null,
    failure: null,
    verifiedAt: null,
    staleAt: null,
    movedAt: null,
    movedWhy: null,
    updatedAt: now,
  }
}
