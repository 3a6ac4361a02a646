import type { ProbeResult } from '#model/probe.ts'
import type { ModuleOutcome } from '#model/run.ts'
import { saveModuleOutcome } from '#store/runs.ts'
import type { Sql } from '#store/sql.ts'
import type { Work } from './work.ts'

/** Bookkeeping in one transaction that only the holder of the lease can make: who slept past it changes nothing any more. */
export async function guarded(work: Work, write: (tx: Sql) => Promise<unknown>): Promise<void> {
  await work.parts.sql.transaction(async (tx) => {
    await work.claim.fence(tx)
    await write(tx)
  })
}

/** What became of a module so far. */
export async function saveOutcome(work: Work, outcome: ModuleOutcome, probes: readonly ProbeResult[] = []): Promise<void> {
  await guarded(work, (tx) => saveModuleOutcome(tx, work.run.id, outcome, probes, work.parts.clock.now()))
}
