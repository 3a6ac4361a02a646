import { newId } from '#lib/ids.ts'
import type { Pin } from '#model/pin.ts'
import type { Delivered, RollbackOf } from '#model/rollback.ts'
import { affected } from '#plan/order.ts'
import type { Dependent } from '#plan/order.ts'
import { savePin } from '#store/pins.ts'
import { enqueue } from '#store/queue.ts'
import { createRun, leaveOut, openRuns } from '#store/runs.ts'
import type { NewRun, RunRow } from '#store/runs.ts'
import { findSnapshot } from '#store/snapshots.ts'
import type { Sql } from '#store/sql.ts'
import { saveStatus, statuses } from '#store/statuses.ts'
import type { KnownStatus } from '#store/statuses.ts'
import { recordPin } from './end-rollback.ts'
import type { Parts } from './parts.ts'
import { record, replacedBy } from './record-run.ts'

/** Modules that go back, each to what was delivered before, and are held there. */
export type GoingBack = {
  readonly environment: string
  readonly to: ReadonlyMap<string, Delivered>
  /** What Git says of each by now, as intents; null where that is not known. */
  readonly git: ReadonlyMap<string, string | null>
  readonly rollback: RollbackOf
  readonly pin: Pin['by']
  /** What depends on what, to verify again what stands on what goes back. */
  readonly dependencies: readonly Dependent[]
  readonly actor: string
  readonly startedBy: string | null
  readonly reason: string
  readonly ticket: string | null
}

/**
 * Opens the run that goes back, and pins what it goes back with: from this moment no push brings it forward again. In the caller's transaction, which has
 * the lock on the environment's runs. What is there already is pinned alone; undefined where that is all.
 */
export async function openRollback(tx: Sql, parts: Parts, back: GoingBack): Promise<string | undefined> {
  const { environment, actor, startedBy, reason, ticket, rollback } = back
  const now = parts.clock.now()
  const rows = new Map((await statuses(tx, environment)).map((row) => [row.module, row]))
  const goes = [...back.to].filter(([module, { intent }]) => !isThere(rows.get(module), intent))
  const id = goes.length === 0 ? undefined : newId('run', now)
  if (id !== undefined) {
    const run: NewRun = { id, environment, kind: 'rollback', snapshot: await newestOf(tx, goes), actor, reason, ticket, startedBy, changes: [], modules: modulesOf(goes, rows, back.dependencies), createdAt: now, rollback }
    await createRun(tx, run)
    for (const [module] of goes) await takeOutOfWaiting(tx, parts, module, run)
    await enqueue(tx, parts.clock, `run/${id}`)
  }
  for (const [module, { snapshot, intent }] of back.to) {
    const row = rows.get(module)
    if (row === undefined) continue
    const own = goes.some(([name]) => name === module)
    const before = { intent: row.intent, delivery: row.delivery, failure: row.failure }
    const pin: Pin = { snapshot, intent, by: back.pin, actor, reason, ticket, at: now, run: own ? (id ?? null) : null, bad: back.pin === 'rollback' ? (rollback.bad[module] ?? null) : null, git: back.git.get(module) ?? null, before }
    if (own) await saveStatus(tx, { ...row, intent, delivery: 'behind', failure: null, run: id ?? null, updatedAt: now })
    await savePin(tx, environment, module, pin, now)
    await recordPin(tx, parts, row, pin, { decision: 'pinned', actor, reason, ticket }, now)
  }
  await enqueue(tx, parts.clock, `environment/${environment}`)
  return id
}

function isThere(row: KnownStatus | undefined, intent: string): boolean {
  return row?.delivered === intent && row.intent === intent && (row.delivery === 'synced' || row.delivery === 'behind')
}

/** The newest of the snapshots is the run's own; each module bears its own where that is another. */
async function newestOf(tx: Sql, goes: readonly (readonly [string, Delivered])[]): Promise<string> {
  const found = await Promise.all(goes.map(([, { snapshot }]) => findSnapshot(tx, snapshot)))
  const [newest] = found.flatMap((one) => one ?? []).sort((a, b) => b.seq - a.seq)
  return newest?.id ?? goes[0]?.[1].snapshot ?? ''
}

/** What goes back, and what depends on it and is where it was decided to be: that has to prove itself again. */
function modulesOf(goes: readonly (readonly [string, Delivered])[], rows: ReadonlyMap<string, KnownStatus>, dependencies: readonly Dependent[]): RunRow['modules'] {
  const modules: RunRow['modules'] = Object.fromEntries(goes.map(([module, { intent, snapshot }]) => [module, { intent, changed: true, snapshot }]))
  for (const module of affected(Object.keys(modules), dependencies)) {
    const row = rows.get(module)
    if (row === undefined || module in modules || row.intent === null || row.delivered !== row.intent) continue
    modules[module] = { intent: row.intent, changed: false, ...(row.pinned === null ? {} : { snapshot: row.pinned.snapshot }) }
  }
  return modules
}

/** A run that waits to bring a module forward does without it; one that has nothing else to do ends. */
async function takeOutOfWaiting(tx: Sql, parts: Parts, module: string, by: NewRun): Promise<void> {
  for (const run of await openRuns(tx, by.environment)) {
    if (run.id === by.id || (run.state !== 'planning' && run.state !== 'waiting') || run.modules[module]?.changed !== true) continue
    await takeOut(tx, parts, run, module, by)
  }
}

/** Leaves a module out of a run whose effects have not begun, or ends the run. */
export async function takeOut(tx: Sql, parts: Parts, run: RunRow, module: string, by: NewRun | undefined): Promise<void> {
  const { [module]: _out, ...rest } = run.modules
  if (!Object.values(rest).some(({ changed }) => changed)) return record(tx, parts, run.id, 'superseded', replacedBy(run, by), parts.clock.now())
  await leaveOut(tx, run.id, rest, parts.clock.now())
  await enqueue(tx, parts.clock, `run/${run.id}`)
}
