import { newId } from '#lib/ids.ts'
import { environmentItself } from '#model/probe-state.ts'
import type { Environment } from '#model/config/environment.ts'
import { affected, needed } from '#plan/order.ts'
import { enqueue } from '#store/queue.ts'
import { createRun, findRun, inheritApprovals, lockRuns, openRuns } from '#store/runs.ts'
import type { NewRun, RunRow } from '#store/runs.ts'
import { findSnapshot, newestSnapshot, policyOf } from '#store/snapshots.ts'
import type { SnapshotRow } from '#store/snapshots.ts'
import type { Sql } from '#store/sql.ts'
import { saveStatus, statuses } from '#store/statuses.ts'
import type { KnownStatus, StatusRow } from '#store/statuses.ts'
import type { Asked } from './asked.ts'
import { changedBy } from './causes.ts'
import { changesBetween, storyOf } from './changes.ts'
import { brokenModule, modulesIn } from './configuration.ts'
import type { Configuration } from './configuration.ts'
import { wakeLooks } from './look-again.ts'
import { at, pinnedAt, withHeld } from './held.ts'
import type { HeldAt } from './held.ts'
import type { Parts } from './parts.ts'
import { considerPins } from './pins.ts'
import { settleEnvironment } from './gone-environment.ts'
import { considerPolicy } from './policy.ts'
import { record, replacedBy, wakeWaiting } from './record-run.ts'
import { renderAll } from './render-run.ts'
import type { Intents } from './render-run.ts'
import { retries } from './retries.ts'
import { statusOf } from './status-of.ts'

/** What is to be done about the modules of an environment: new intents, and those whose module is gone. */
type Difference = { readonly changed: ReadonlyMap<string, string>; readonly unchanged: readonly string[] }

/** The intent of a module that is gone from Git. */
export const removed = 'removed'

/**
 * Decides what the newest snapshot means for one environment: nothing (and the snapshot counts as delivered), or a run for the modules that it changes
 * and those that depend on them. It replaces the waiting runs whose plan it changes, and no others.
 */
export async function considerEnvironment(parts: Parts, name: string, signal: AbortSignal, asked?: Asked): Promise<string | undefined> {
  const { sql, clock } = parts
  const snapshot = await newestSnapshot(sql)
  if (snapshot === undefined) return undefined
  const written = await parts.configurations.of(snapshot)
  const environment = written.environments.get(name)
  await settleEnvironment(parts, name, written)
  if (environment === undefined) return undefined
  // By which policy something is delivered is known in a moment: its end looks here again, and so does its waiting.
  if ((await considerPolicy(parts, snapshot, environment, written, asked)) && asked === undefined) return undefined
  const before = new Map((await statuses(sql, name)).map((row) => [row.module, row]))
  const git = ownIntents(written, before, await renderAll(parts, snapshot, written, environment, signal))
  const all = goneModules(written, name, before)
  const known = (await considerPins(parts, name, before.values(), { intents: git, gone: all, removed })) ? new Map((await statuses(sql, name)).map((row) => [row.module, row])) : before
  const held = pinnedAt(known.values())
  const configuration = await withHeld(parts, written, name, held)
  const intents = await heldBack(parts, snapshot, configuration, environment, git, held, signal)
  // What is pinned stays, also when Git no longer has it.
  const gone = all.filter((module) => !held.has(module))
  const again = new Set([...(await overdue(parts, name)), ...(await reconfigured(parts, snapshot, name, known))])
  const difference = asked === undefined ? compare(intents, known, gone, again) : askedFor(intents, asked, gone, known)
  await advance(parts, name, snapshot, difference.unchanged, known)
  await wakeLooks(sql, parts, name, [environmentItself])
  if (difference.changed.size === 0) return undefined
  const dependencies = [...modulesIn(configuration, name)].map(([module, { config }]) => ({ name: module, dependsOn: config.spec.dependsOn }))

  // A look at what is there replaces nothing, and brings nothing along.
  const { replaced, changed } = asked?.kind === 'verify' ? { replaced: [], changed: difference.changed } : await withWhatGoesAlong(sql, name, difference.changed, { intents, gone, known, dependencies })
  const modules = asked?.kind === 'verify' ? [...changed.keys()] : [...new Set([...changed.keys(), ...affected([...changed.keys()], dependencies).filter((module) => isDelivered(known.get(module)))])].sort()
  // What is held back, or only looked at, brings none of the commits that Git is ahead by.
  const isCarriedOut = (module: string): boolean => changed.has(module) && asked?.kind !== 'verify'
  const changes = await changesBetween(parts, snapshot, modules.filter((module) => !held.has(module) && isCarriedOut(module)), intents, known)
  const run: NewRun = {
    id: newId('run', clock.now()),
    environment: name,
    kind: asked?.kind ?? 'change',
    snapshot: snapshot.id,
    ...storyOf(changes, asked),
    changes,
    startedBy: asked?.by ?? null,
    modules: Object.fromEntries(modules.map((module) => [module, { intent: (isCarriedOut(module) ? changed.get(module) : known.get(module)?.delivered) ?? removed, changed: isCarriedOut(module), ...at(held.get(module)) }])),
    createdAt: clock.now(),
  }
  // Somebody decided on other runs meanwhile: what they decided counts.
  return (await open(parts, run, replaced, intents)) ? run.id : considerEnvironment(parts, name, signal, asked)
}

type Around = { readonly intents: Intents; readonly gone: readonly string[]; readonly known: ReadonlyMap<string, StatusRow>; readonly dependencies: readonly { readonly name: string; readonly dependsOn: readonly string[] }[] }

/** The waiting runs that a change replaces, and what is to be changed with it. */
async function withWhatGoesAlong(sql: Sql, environment: string, wanted: ReadonlyMap<string, string>, { intents, gone, known, dependencies }: Around): Promise<{ replaced: RunRow[]; changed: ReadonlyMap<string, string> }> {
  const replaced = (await replaceable(sql, environment)).filter((run) => changedBy(run).some((module) => wanted.has(module)))
  // What a replaced run was to change is still to be changed.
  const changed = new Map(wanted)
  for (const module of replaced.flatMap(changedBy)) {
    const intent = intents.modules.get(module)?.intent ?? (gone.includes(module) ? removed : undefined)
    if (!changed.has(module) && intent !== undefined) changed.set(module, intent)
  }
  const pending = new Set((await openRuns(sql, environment)).filter((run) => !replaced.some((old) => old.id === run.id)).flatMap(changedBy))
  // What was never delivered because something before it failed (it was halted) is delivered now, unless a run of its own is about to.
  for (const module of affected([...changed.keys()], dependencies)) {
    const intent = intents.modules.get(module)?.intent
    if (intent !== undefined && known.get(module)?.delivered !== intent && !pending.has(module)) changed.set(module, intent)
  }
  // Nothing is delivered before what it depends on: what of that is not delivered yet comes along.
  for (const module of needed([...changed.keys()], dependencies)) {
    const intent = intents.modules.get(module)?.intent
    if (intent !== undefined && (known.get(module)?.delivered ?? null) === null && !pending.has(module)) changed.set(module, intent)
  }
  return { replaced, changed }
}

/** What failed under another policy, or another commit of the workspace's own repository: its limits, targets or gates may be others now. What was in doubt is clear perhaps in any other snapshot. */
async function reconfigured({ sql, repositories }: Parts, snapshot: SnapshotRow, environment: string, known: ReadonlyMap<string, StatusRow>): Promise<Set<string>> {
  const own = repositories.workspaceName()
  const modules = new Set<string>()
  const accepted = (await policyOf(sql, environment))?.at ?? 0
  for (const { module, delivery, failure, run: id } of known.values()) {
    if ((delivery !== 'failed' && delivery !== 'unknown') || failure === null || id === null) continue
    const run = await findRun(sql, id)
    const then = run === undefined ? undefined : await findSnapshot(sql, run.snapshot)
    // What went back did not fail for what Git says now.
    if (run?.kind === 'rollback') continue
    if (run !== undefined && run.createdAt < accepted) modules.add(module)
    const isUnsure = failure.code === 'prune-unsure' || failure.code === 'hand-over-unsure'
    if (then !== undefined && (then.commits[own] !== snapshot.commits[own] || (isUnsure && then.id !== snapshot.id))) modules.add(module)
  }
  return modules
}

/** What failed a while ago, and may have passed by itself. */
async function overdue({ sql, clock }: Parts, environment: string): Promise<Set<string>> {
  return new Set([...(await retries(sql, environment))].filter(([, due]) => due <= clock.now()).map(([module]) => module))
}

/** What Git says, but for the modules that are held at an older snapshot: those are as they were there. One that cannot be read is not touched. */
async function heldBack(parts: Parts, snapshot: SnapshotRow, configuration: Configuration, environment: Environment, git: Intents, held: HeldAt, signal: AbortSignal): Promise<Intents> {
  if (held.size === 0) return git
  const modules = new Map([...configuration.modules].filter(([module]) => held.has(module)))
  const older = await renderAll(parts, snapshot, { ...configuration, modules }, environment, signal)
  const readable = [...older.modules].filter(([, { failure }]) => failure === undefined)
  return { modules: new Map([...[...git.modules].filter(([module]) => !held.has(module)), ...readable]) }
}

/** A module that is delivered from a repository in which it is broken now (another declares its name too) is not delivered from elsewhere instead. */
function ownIntents(configuration: Configuration, known: ReadonlyMap<string, StatusRow>, intents: Intents): Intents {
  const isTaken = (module: string): boolean => {
    const repository = known.get(module)?.repository
    return repository !== undefined && brokenModule(configuration, module, repository) !== undefined
  }
  return { modules: new Map([...intents.modules].filter(([module]) => !isTaken(module))) }
}

/** The runs whose effects have not begun, and that a newer decision may replace. */
async function replaceable(sql: Sql, environment: string): Promise<RunRow[]> {
  return (await openRuns(sql, environment)).filter((run) => (run.kind === 'change' || run.kind === 'deploy') && (run.state === 'planning' || run.state === 'waiting'))
}

/** Modules that are known here and that the snapshot no longer has: a module is known as long as it holds anything. What is broken, or could not be read, is not gone. */
export function goneModules(configuration: Configuration, environment: string, known: ReadonlyMap<string, StatusRow>): string[] {
  const present = modulesIn(configuration, environment)
  return [...known.keys()].filter((module) => {
    const repository = known.get(module)?.repository
    const unreadable = repository !== undefined && configuration.broken.some((one) => one.repository === repository)
    return !present.has(module) && !unreadable
  })
}

function compare(intents: Intents, known: ReadonlyMap<string, StatusRow>, gone: readonly string[], again: ReadonlySet<string>): Difference {
  const changed = new Map<string, string>()
  const unchanged: string[] = []
  for (const [module, { intent }] of intents.modules) {
    if (known.get(module)?.intent === intent && !again.has(module)) unchanged.push(module)
    else changed.set(module, intent)
  }
  for (const module of gone) if (known.get(module)?.intent !== removed || again.has(module)) changed.set(module, removed)
  return { changed, unchanged }
}

/** What was never delivered is not looked at: neither it nor its probes passed a gate. */
function askedFor(intents: Intents, asked: Asked, gone: readonly string[], known: ReadonlyMap<string, StatusRow>): Difference {
  const wanted = [...intents.modules].filter(([module]) => (asked.modules?.includes(module) ?? true) && (asked.kind === 'deploy' || isDelivered(known.get(module))))
  const changed = new Map(wanted.map(([module, { intent }]) => [module, intent]))
  if (asked.kind === 'deploy') for (const module of gone) if (asked.modules?.includes(module) ?? true) changed.set(module, removed)
  return { changed, unchanged: [] }
}

function isDelivered(row: StatusRow | undefined): boolean {
  return row !== undefined && row.delivered !== null
}

/** A snapshot that changes nothing of a module is where that module is. */
async function advance(parts: Parts, environment: string, snapshot: SnapshotRow, unchanged: readonly string[], known: ReadonlyMap<string, KnownStatus>): Promise<void> {
  const isBehind = (row: KnownStatus): boolean => row.pinned === null && row.snapshotSeq !== snapshot.seq && row.delivered === row.intent
  const behind = new Map(unchanged.flatMap((module) => known.get(module) ?? []).filter(isBehind).map(({ module, intent }) => [module, intent]))
  // Only what moves wakes others: a run that waits has its environment looked at, and would be woken by that look for ever.
  if (behind.size === 0) return
  await parts.sql.transaction(async (tx) => {
    await lockRuns(tx, environment)
    // As it is by now: a run may have been decided on, or have ended, since this look began.
    const rows = (await statuses(tx, environment)).filter((row) => behind.get(row.module) === row.intent && isBehind(row))
    for (const row of rows) await saveStatus(tx, { ...row, snapshot: snapshot.id, snapshotSeq: snapshot.seq, updatedAt: parts.clock.now() })
    if (rows.length > 0) await wakeWaiting({ sql: tx, clock: parts.clock })
  })
}

/** Opens a run in place of others, each of which ends with its record. Tells whether it did: not when other runs could be replaced by now. */
async function open(parts: Parts, run: NewRun, replaced: readonly RunRow[], intents: Intents): Promise<boolean> {
  const now = parts.clock.now()
  return parts.sql.transaction(async (tx) => {
    await lockRuns(tx, run.environment)
    const standing = await replaceable(tx, run.environment)
    const inTheWay = run.kind === 'verify' ? [] : standing.filter((one) => changedBy(one).some((module) => run.modules[module]?.changed === true))
    if (inTheWay.some((one) => !replaced.some((old) => old.id === one.id)) || replaced.some((old) => !standing.some((one) => one.id === old.id))) return false
    await createRun(tx, run)
    for (const old of replaced) {
      await inheritApprovals(tx, old.id, run.id)
      await record(tx, parts, old.id, 'superseded', replacedBy(old, run), now)
    }
    // As they are by now: another run may have ended since this one was decided on.
    const known = new Map((await statuses(tx, run.environment)).map((row) => [row.module, row]))
    if (run.kind !== 'verify')
      for (const [module, { intent, changed }] of Object.entries(run.modules)) {
        const row = known.get(module) ?? statusOf(run.environment, module, intents.modules.get(module), now)
        if (row !== undefined && changed) await saveStatus(tx, { ...row, ...described(intents, module), intent, delivery: 'behind', run: run.id, updatedAt: now })
      }
    await enqueue(tx, parts.clock, `run/${run.id}`)
    return true
  })
}

function described(intents: Intents, module: string): Partial<StatusRow> {
  const intent = intents.modules.get(module)
  if (intent === undefined) return {}
  const { track, driver, target } = intent.config.spec
  return { repository: intent.repository, track, driver, target }
}
