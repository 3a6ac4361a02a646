import { isEnded } from '#model/run.ts'
import { deliveredAsPinned, liftsItself } from '#model/pin.ts'
import type { GitSays, Pin } from '#model/pin.ts'
import { savePin } from '#store/pins.ts'
import { enqueue } from '#store/queue.ts'
import { findRun, lockRuns } from '#store/runs.ts'
import type { Sql } from '#store/sql.ts'
import { saveStatus, statuses } from '#store/statuses.ts'
import type { KnownStatus } from '#store/statuses.ts'
import { recordPin } from './end-rollback.ts'
import { takeOut } from './open-rollback.ts'
import type { Parts } from './parts.ts'
import { saidByGit } from './render-run.ts'
import type { Intents } from './render-run.ts'

/** What Git says of an environment: what it renders to, and which of its modules are gone for sure. */
export type Said = { readonly intents: Intents; readonly gone: readonly string[]; readonly removed: string }

/** Holds every pin against what Git says now: one that was to last until Git says something else is lifted; of the others it is kept how far Git is ahead. Tells whether any was lifted. */
export async function considerPins(parts: Parts, environment: string, known: Iterable<KnownStatus>, said: Said): Promise<boolean> {
  let lifted = false
  for (const { module, pinned } of known) {
    if (pinned === null) continue
    const [says, git] = saysOf(module, said)
    if (liftsItself(pinned, says)) lifted = (await liftPin(parts, environment, module, { actor: 'plumbline', reason: 'Git no longer says what was rolled back', ticket: null, only: pinned.at })) || lifted
    else if (git !== undefined && git !== pinned.git) await keepGit(parts, environment, module, pinned, git)
  }
  return lifted
}

function saysOf(module: string, { intents, gone, removed }: Said): [GitSays, string | undefined] {
  const intent = intents.modules.get(module)
  if (intent !== undefined) return intent.failure === undefined ? [{ digest: saidByGit(intent) }, intent.intent] : ['unknown', undefined]
  return gone.includes(module) ? ['gone', removed] : ['unknown', undefined]
}

async function keepGit(parts: Parts, environment: string, module: string, { at }: Pin, git: string): Promise<void> {
  await parts.sql.transaction(async (tx) => {
    await lockRuns(tx, environment)
    const row = await pinnedRow(tx, environment, module, at)
    if (row === undefined) return
    const pin = { ...row.pinned, git }
    await savePin(tx, environment, module, pin, parts.clock.now())
    await settleDelivery(tx, row, deliveredAsPinned(pin, row.delivered), parts.clock.now())
  })
}

/** How a module stands that is where it was decided to be: what is under way, or failed, its run tells. */
async function settleDelivery(tx: Sql, row: KnownStatus, delivery: KnownStatus['delivery'], now: number): Promise<void> {
  if (row.delivered === row.intent && row.delivery !== delivery && (row.delivery === 'synced' || row.delivery === 'behind')) await saveStatus(tx, { ...row, delivery, updatedAt: now })
}

type Lifting = { readonly actor: string; readonly reason: string; readonly ticket: string | null; readonly only?: number }

/**
 * Lifts a pin: Git decides again. A run that goes to where it holds, and has not begun, does without the module. Tells whether there was one
 * (`only`: the one of that time).
 */
export async function liftPin(parts: Parts, environment: string, module: string, { only, ...said }: Lifting): Promise<boolean> {
  const { sql, clock } = parts
  return sql.transaction(async (tx) => {
    await lockRuns(tx, environment)
    const now = clock.now()
    const row = await pinnedRow(tx, environment, module, only)
    if (row === undefined) return false
    await recordPin(tx, parts, row, row.pinned, { decision: 'lifted', ...said }, now)
    await savePin(tx, environment, module, null, now)
    const run = row.pinned.run === null ? undefined : await findRun(tx, row.pinned.run)
    if (run !== undefined && !isEnded(run.state) && (run.state === 'planning' || run.state === 'waiting')) {
      const { intent, delivery, failure } = row.pinned.before
      await saveStatus(tx, { ...row, intent, delivery, failure, updatedAt: now })
      await takeOut(tx, parts, run, module, undefined)
    } else await settleDelivery(tx, row, 'synced', now)
    await enqueue(tx, clock, `environment/${environment}`)
    return true
  })
}

async function pinnedRow(tx: Sql, environment: string, module: string, at: number | undefined): Promise<(KnownStatus & { readonly pinned: Pin }) | undefined> {
  const [row] = await statuses(tx, environment, module)
  return row === undefined || row.pinned === null || (at !== undefined && row.pinned.at !== at) ? undefined : { ...row, pinned: row.pinned }
}
