import { Failure } from '#lib/failure.ts'
import { hasBegun } from '#model/run.ts'
import type { Delivered } from '#model/rollback.ts'
import { deliveries } from '#store/pins.ts'
import { lockRuns } from '#store/runs.ts'
import type { RunRow } from '#store/runs.ts'
import { newestSnapshot } from '#store/snapshots.ts'
import type { Sql } from '#store/sql.ts'
import { statuses } from '#store/statuses.ts'
import type { KnownStatus } from '#store/statuses.ts'
import { isVerified } from './act-on-verdict.ts'
import { expectModules } from './commands.ts'
import { modulesIn } from './configuration.ts'
import { openRollback } from './open-rollback.ts'
import type { GoingBack } from './open-rollback.ts'
import type { Parts } from './parts.ts'
import { liftPin } from './pins.ts'
import { renderAll, saidByGit } from './render-run.ts'
import type { Intents } from './render-run.ts'

/** A person's word on a module that is to go back, to be held, or to be held no more. */
export type Word = { readonly by: string; readonly reason: string; readonly ticket: string | null }

/**
 * Goes back, with a module or with all that a run changed, each to what was delivered here and verified last before what is there now; and holds it there
 * until Git says something else. Undefined where all of it is there already. Failures `environment-unknown`, `module-unknown`, `not-rolled-back`.
 */
export async function rollbackNow(parts: Parts, environment: string, what: { readonly module: string } | { readonly run: RunRow }, word: Word, signal: AbortSignal): Promise<string | undefined> {
  if ('run' in what && !hasBegun(what.run.state))
    throw new Failure({ code: 'not-rolled-back', subject: `run ${what.run.id}`, message: `it is ${what.run.state}, and has changed nothing that could go back`, hint: `Roll back the run that did: plumb runs -e ${environment}` })
  const names = 'module' in what ? [what.module] : Object.entries(what.run.modules).flatMap(([module, { changed }]) => (changed ? [module] : []))
  await expectModules(parts, environment, 'module' in what ? names : undefined)
  const place = await placeNow(parts, environment, signal)
  return parts.sql.transaction(async (tx) => {
    await lockRuns(tx, environment)
    const rows = new Map((await statuses(tx, environment)).map((row) => [row.module, row]))
    const to = new Map<string, Delivered>()
    for (const module of names) to.set(module, await lastGood(tx, environment, module, rows.get(module)))
    const bad = Object.fromEntries([...place.said].filter(([module]) => to.has(module)))
    return openRollback(tx, parts, { ...goingBack(environment, place, word), to, rollback: { of: 'run' in what ? what.run.id : null, by: 'person', bad }, pin: 'rollback' })
  })
}

/**
 * Holds a module at what was delivered here once: by the snapshot, or by the run that delivered it; where it is now, without either. A run goes there where it
 * is not there. Failures `environment-unknown`, `module-unknown`, `not-delivered`.
 */
export async function pinNow(parts: Parts, environment: string, module: string, to: string | null, word: Word, signal: AbortSignal): Promise<string | undefined> {
  await expectModules(parts, environment, [module])
  const place = await placeNow(parts, environment, signal)
  return parts.sql.transaction(async (tx) => {
    await lockRuns(tx, environment)
    const [row] = await statuses(tx, environment, module)
    const known = await deliveries(tx, environment, module)
    const found = known.find((one) => (to === null ? one.intent === row?.delivered : one.run === to || one.snapshot === to || (to.length >= 4 && (one.run.endsWith(to) || one.snapshot.endsWith(to)))))
    if (row === undefined || found === undefined) throw notDelivered(module, environment, to)
    refuseTrack(row, environment)
    return openRollback(tx, parts, { ...goingBack(environment, place, word), to: new Map([[module, found]]), rollback: { of: null, by: 'person', bad: {} }, pin: 'person' })
  })
}

/** Holds a module no longer: Git decides again. Tells whether it was held. */
export async function unpin(parts: Parts, environment: string, module: string, { by, reason, ticket }: Word): Promise<boolean> {
  await expectModules(parts, environment, undefined)
  return liftPin(parts, environment, module, { actor: by, reason, ticket })
}

type Place = { readonly intents: Intents; readonly said: ReadonlyMap<string, string>; readonly dependencies: GoingBack['dependencies'] }

/** What Git says now, so that it can be told from what it says later. */
async function placeNow(parts: Parts, name: string, signal: AbortSignal): Promise<Place> {
  const snapshot = await newestSnapshot(parts.sql)
  const configuration = snapshot === undefined ? undefined : await parts.configurations.of(snapshot)
  const environment = configuration?.environments.get(name)
  if (snapshot === undefined || configuration === undefined || environment === undefined) throw new Failure({ code: 'environment-unknown', subject: `environment ${name}`, message: 'the workspace has no such environment', hint: 'plumb status lists them.' })
  const intents = await renderAll(parts, snapshot, configuration, environment, signal)
  const said = new Map([...intents.modules].flatMap(([module, intent]) => (intent.failure === undefined ? [[module, saidByGit(intent)] as const] : [])))
  return { intents, said, dependencies: [...modulesIn(configuration, name)].map(([module, { config }]) => ({ name: module, dependsOn: config.spec.dependsOn })) }
}

function goingBack(environment: string, { intents, dependencies }: Place, { by, reason, ticket }: Word): Omit<GoingBack, 'to' | 'rollback' | 'pin'> {
  return { environment, dependencies, git: new Map([...intents.modules].map(([module, { intent }]) => [module, intent])), actor: by, startedBy: by, reason, ticket }
}

/** The last that was delivered and verified, and is something else than what is there, or was half brought there. */
async function lastGood(tx: Sql, environment: string, module: string, row: KnownStatus | undefined): Promise<Delivered> {
  const there = row?.delivery === 'failed' || row?.delivery === 'unknown' ? row.intent : row?.delivered
  const good = (await deliveries(tx, environment, module)).find((one) => isVerified(one) && one.intent !== there)
  if (row === undefined || good === undefined)
    throw new Failure({
      code: 'not-rolled-back',
      subject: `module ${module}`,
      message: `nothing else of it was ever delivered to ${environment} and verified`,
      hint: `Deliver a revert; or hold it at what was delivered and not verified: plumb pin ${module} -e ${environment} --to RUN --reason WHY`,
    })
  refuseTrack(row, environment)
  return good
}

function refuseTrack({ module, track }: KnownStatus, environment: string): void {
  if (track === 'declarative') return
  throw new Failure({ code: 'not-rolled-back', subject: `module ${module}`, message: `its track is ${track}: what its steps did to ${environment} is not undone by an older snapshot`, hint: 'Deliver a change that undoes it.' })
}

function notDelivered(module: string, environment: string, to: string | null): Failure {
  return new Failure({
    code: 'not-delivered',
    subject: `module ${module}`,
    message: to === null ? `it was never delivered to ${environment}` : `${to} is no run that delivered it to ${environment}, nor the snapshot of one`,
    hint: `See what was delivered: plumb runs -e ${environment} -m ${module}`,
  })
}
