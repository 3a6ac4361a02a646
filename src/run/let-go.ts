import { Failure } from '#lib/failure.ts'
import { newId } from '#lib/ids.ts'
import { holdsState } from '#model/holds-state.ts'
import type { Effect, Held, Plan, Step } from '#model/plan.ts'
import { planDigest } from '#plan/plan.ts'
import { begunIn, forgetBegun } from '#store/begun.ts'
import { heldBy, heldIn, release } from '#store/inventory.ts'
import { enqueue } from '#store/queue.ts'
import { createRun, lockRuns, openRuns, updateRun } from '#store/runs.ts'
import type { NewRun, RunKind } from '#store/runs.ts'
import { newestSnapshot, policyOf } from '#store/snapshots.ts'
import type { SnapshotRow } from '#store/snapshots.ts'
import type { Sql } from '#store/sql.ts'
import { forgetStatus, statuses } from '#store/statuses.ts'
import type { StatusRow } from '#store/statuses.ts'
import { catchUp } from './catch-up.ts'
import type { Configuration } from './configuration.ts'
import { goneModules, removed } from './environment.ts'
import type { Parts } from './parts.ts'
import { record, wakeAfter } from './record-run.ts'

/** A person's word on what Git no longer has. */
export type LetGo = { readonly by: string; readonly reason: string; readonly ticket: string | null; readonly modules?: readonly string[] }

/**
 * Deletes what an environment holds that is gone from Git, by a run of its own that its last policy gates. Undefined where it holds nothing.
 * Failures `environment-unknown`, `not-gone`.
 */
export async function pruneEnvironment(parts: Parts, name: string, asked: LetGo): Promise<string | undefined> {
  const { snapshot, configuration } = await newest(parts, name)
  if (configuration.environments.has(name)) throw notGone(`environment ${name}`, 'Git still has it: what it holds follows Git', 'Remove its document first; or remove the module that is to go.')
  return parts.sql.transaction(async (tx) => {
    await lockRuns(tx, name)
    const open = (await openRuns(tx, name)).find((run) => run.kind === 'prune')
    if (open !== undefined) return open.id
    const modules = await holders(tx, name)
    if (modules.length === 0) return undefined
    const run = newRun(parts, 'prune', name, snapshot, modules, asked)
    await createRun(tx, run)
    await enqueue(tx, parts.clock, `run/${run.id}`)
    return run.id
  })
}

/**
 * Holds no more what Git no longer has, and leaves it where it is: of an environment that is gone, or modules that are. What was let go is in the record of
 * a run. Undefined where nothing is held. Failures `environment-unknown`, `not-gone`, `run-under-way`.
 */
export async function forget(parts: Parts, name: string, asked: LetGo): Promise<string | undefined> {
  const { snapshot, configuration } = await newest(parts, name)
  const id = await parts.sql.transaction(async (tx) => {
    await lockRuns(tx, name)
    const rows = new Map((await statuses(tx, name)).map((row) => [row.module, row]))
    const holding = await holders(tx, name)
    const gone = configuration.environments.has(name) ? goneModules(configuration, name, rows) : [...new Set([...holding, ...rows.keys()])]
    const still = asked.modules?.find((module) => !gone.includes(module) && (rows.has(module) || configuration.modules.has(module)))
    if (still !== undefined) throw notGone(`module ${still}`, `Git still has it in ${name}, or cannot be read: what it holds follows Git`, 'Remove it from Git first.')
    const modules = gone.filter((module) => asked.modules?.includes(module) ?? true)
    if (modules.length === 0) return undefined
    const busy = (await openRuns(tx, name)).find((run) => (run.state === 'delivering' || run.state === 'verifying') && modules.some((module) => module in run.modules))
    if (busy !== undefined) throw new Failure({ code: 'run-under-way', subject: `run ${busy.id}`, message: 'it is at work on what is to be forgotten', hint: `Let it end: plumb show ${busy.id}`, retry: 'later' })
    const run = newRun(parts, 'forget', name, snapshot, modules, asked)
    await createRun(tx, run)
    await letGo(tx, parts, run, await Promise.all(modules.map(async (module) => ({ module, row: rows.get(module), held: await heldBy(tx, name, module) }))))
    return run.id
  })
  if (id !== undefined) await wakeAfter(parts, name)
  return id
}

type Left = { readonly module: string; readonly row: StatusRow | undefined; readonly held: readonly Held[] }

async function letGo(tx: Sql, parts: Parts, run: NewRun, all: readonly Left[]): Promise<void> {
  const now = parts.clock.now()
  const steps = all.map(({ module, row, held }): Step => ({ module, track: row?.track ?? 'declarative', driver: row?.driver ?? '', target: row?.target ?? '', dependsOn: [], waves: [held.map(forgotten)] }))
  const plan: Plan = { environment: run.environment, snapshot: run.snapshot, steps, unknown: [], digest: planDigest(steps) }
  await updateRun(tx, run.id, 'planning', now, { plan, planDigest: plan.digest })
  await record(tx, parts, run.id, 'succeeded', null, now)
  for (const { module, held } of all) {
    for (const { place, key, uid } of held) await release(tx, place, key, uid)
    await forgetBegun(tx, run.environment, module)
    await forgetStatus(tx, run.environment, module, now)
  }
}

function forgotten({ key, module, uid }: Held): Effect {
  return { key, module, action: 'skipped', changes: [], sealed: { uid, paths: [] }, omit: [], force: false, holdsState: holdsState(key), why: 'forgotten: it stays where it is, and is nobody’s' }
}

function newRun(parts: Parts, kind: RunKind, environment: string, snapshot: SnapshotRow, modules: readonly string[], { by, reason, ticket }: LetGo): NewRun {
  const now = parts.clock.now()
  return { id: newId('run', now), environment, kind, snapshot: snapshot.id, actor: by, reason, ticket, changes: [], startedBy: by, modules: Object.fromEntries(modules.map((module) => [module, { intent: removed, changed: true }])), createdAt: now }
}

async function holders(tx: Sql, environment: string): Promise<string[]> {
  return [...new Set([...(await heldIn(tx, environment)).map(({ module }) => module), ...(await begunIn(tx, environment))])].sort()
}

/** What Git says now, of an environment that is or was there. */
async function newest(parts: Parts, name: string): Promise<{ snapshot: SnapshotRow; configuration: Configuration }> {
  await catchUp(parts, AbortSignal.timeout(30_000))
  const snapshot = await newestSnapshot(parts.sql)
  if (snapshot === undefined) throw new Failure({ code: 'snapshot-unknown', subject: 'the workspace', message: 'no snapshot was taken yet', hint: 'Wait until the repositories were read.', retry: 'later' })
  const configuration = await parts.configurations.of(snapshot)
  if (!configuration.environments.has(name) && (await policyOf(parts.sql, name)) === undefined)
    throw new Failure({ code: 'environment-unknown', subject: `environment ${name}`, message: 'the workspace has no such environment, nor is anything known of one', hint: 'plumb status lists them.' })
  return { snapshot, configuration }
}

function notGone(subject: string, message: string, hint: string): Failure {
  return new Failure({ code: 'not-gone', subject, message, hint })
}
