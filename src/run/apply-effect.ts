import type { Outcome } from '#drivers/driver.ts'
import { digestOf } from '#lib/digest.ts'
import { Failure, asFailure } from '#lib/failure.ts'
import type { FailureJson } from '#lib/failure.ts'
import { declaredFields } from '#model/declared.ts'
import { isWithin } from '#model/field-path.ts'
import { listKeysOf } from '#model/list-keys.ts'
import type { Effect, FieldPath, Held } from '#model/plan.ts'
import { showKey } from '#model/resource.ts'
import type { Desired } from '#model/resource.ts'
import { forgets } from '#plan/prune.ts'
import { beginCreation, begunAt, endCreation } from '#store/begun.ts'
import { hold, release } from '#store/inventory.ts'
import { endEffect, startEffect } from '#store/runs.ts'
import type { EffectRow } from '#store/runs.ts'
import type { Sql } from '#store/sql.ts'
import { guarded } from './guarded.ts'
import type { ModuleIntent } from './render-run.ts'
import { sealDeferred } from './seal-deferred.ts'
import { patience, tell } from './trouble.ts'
import type { Bound, Work } from './work.ts'

/**
 * One effect: written down as started, carried out by the driver, written down with what became of it, together with the inventory.
 * One that was under way when a process died is asked for first, so that it is not done twice. Returns why it failed; `undefined` when it did not.
 */
export async function applyEffect(
  work: Work,
  bound: Bound,
  planned: Effect,
  desired: Desired | undefined,
  held: Held | undefined,
  written: EffectRow | undefined,
  intent: ModuleIntent | undefined,
): Promise<FailureJson | undefined> {
  if (written?.state === 'done') return failureOf(planned, written.outcome)
  if (planned.action === 'unchanged' || planned.action === 'skipped') return settle(work, planned, intent?.shown.find((one) => one.key === planned.key), held)

  // What had begun is taken up as it was sealed then: sealed anew, it would meet its own work.
  const begun = written?.state === 'started'
  const effect = begun ? written.effect : planned.deferred === undefined ? planned : await sealDeferred(work, bound, intent, planned)
  if (!begun) await start(work, bound, effect, intent)
  const kept = isAsSealed(effect, intent) ? await carriedOut(work, bound, effect, desired, held, begun ? 'begun' : 'new') : begun ? await carriedOutThen(work, bound, effect) : otherBody
  await guarded(work, async (tx) => {
    await endEffect(tx, work.run.id, effect, keep(kept), work.parts.clock.now())
    await account(tx, work, bound, effect, kept, held, desired?.body['apiVersion'])
  })
  return failureOf(effect, keep(kept))
}

/** Written down before the driver is called; of a creation also where it is made and what was declared, to recognise it by where no answer comes. */
async function start(work: Work, bound: Bound, effect: Effect, intent: ModuleIntent | undefined): Promise<void> {
  const { run, parts } = work
  const { key, module } = effect
  const place = await bound.place()
  const declared = intent?.shown.find((one) => one.key === key)
  const at = parts.clock.now()
  await guarded(work, async (tx) => {
    await startEffect(tx, run.id, effect, at)
    if (effect.action === 'created' && declared !== undefined) await beginCreation(tx, { place, key, run: run.id, environment: run.environment, module, effect, declared, at })
  })
}

/** What is sent must be what was sealed: rendered anew after a crash, a secret or a renderer may be another by now. */
function isAsSealed(effect: Effect, intent: ModuleIntent | undefined): boolean {
  if (effect.desired === undefined) return true
  const shown = intent?.shown.find((one) => one.key === effect.key)
  return shown !== undefined && digestOf(shown.body) === effect.desired
}

const otherBody: Outcome = { state: 'moved', what: 'what it renders to now is not what was planned' }

/**
 * What became of an effect that had begun, where its module renders to something else by now. A creation is told by what was declared then. Of any other
 * nobody can say that nothing was written: it is `unknown`, and the next plan sends those fields again.
 */
async function carriedOutThen(work: Work, bound: Bound, effect: Effect): Promise<Outcome> {
  const [then] = (await begunAt(work.parts.sql, await bound.place(), [effect.key], work.run.environment, effect.module)).filter(({ key, run }) => key === effect.key && run === work.run.id)
  if (then === undefined) return interrupted(effect)
  const outcome = await bound.driver.recognise(bound.call, effect, then.declared)
  return outcome.state === 'not-applied' ? otherBody : outcome
}

/** A deletion that was accepted some time ago is confirmed: the object is gone. */
export async function confirmGone(work: Work, row: EffectRow, held: Held | undefined): Promise<void> {
  await guarded(work, async (tx) => {
    await endEffect(tx, work.run.id, row.effect, { state: 'applied', action: 'deleted' }, work.parts.clock.now())
    if (held !== undefined) await release(tx, held.place, held.key, held.uid)
  })
}

/**
 * Carries an effect out. Where the answer is lost, or the system is in trouble, it is asked what became of it, and asked again, until the module's
 * deadline: what nobody knows by then stays unknown.
 */
async function carriedOut(work: Work, bound: Bound, effect: Effect, desired: Desired | undefined, held: Held | undefined, since: 'new' | 'begun'): Promise<Outcome> {
  const { signal, clock } = bound.call
  let last: Outcome = interrupted(effect)
  for (let attempt = 1; ; attempt += 1) {
    try {
      const found = since === 'begun' || attempt > 1 ? await recovered(bound, effect, desired, held) : undefined
      last = found ?? (await bound.driver.apply(bound.call, effect, desired, held))
    } catch (error) {
      work.claim.signal.throwIfAborted()
      const failure = asFailure(error, showKey(effect.key))
      if (failure.code === 'lease-lost' || failure.code === 'store-unavailable') throw failure
      if (!signal.aborted) last = { state: 'unknown', failure: failure.toJSON() }
    }
    if (signal.aborted || last.state !== 'unknown' || (last.failure.retry === 'never' && attempt > 1)) return last
    await tell(work, effect.module, last.failure)
    await clock.sleep(patience(attempt), signal).catch(() => {})
  }
}

function interrupted(effect: Effect): Outcome {
  const failure = new Failure({ code: 'effect-interrupted', subject: showKey(effect.key), message: 'its time was over before the system had answered', hint: 'The next run looks at the object, and tells.', retry: 'later' })
  return { state: 'unknown', failure: failure.toJSON() }
}

/** What became of an effect that had begun; `undefined` when it did not happen, so that it may be done. */
async function recovered(bound: Bound, effect: Effect, desired: Desired | undefined, held: Held | undefined): Promise<Outcome | undefined> {
  const outcome = await bound.driver.recover(bound.call, effect, desired, held)
  return outcome.state === 'not-applied' ? undefined : outcome
}

/** What changes nothing is not sent. What is only handed over, or is gone already, changes hands in the inventory. */
async function settle(work: Work, effect: Effect, shown: Desired | undefined, held: Held | undefined): Promise<FailureJson | undefined> {
  const { parts, run } = work
  const uid = effect.sealed?.uid ?? undefined
  await guarded(work, async (tx) => {
    await endEffect(tx, run.id, effect, { state: 'applied', action: effect.action, ...(uid === undefined ? {} : { uid }) }, parts.clock.now())
    if (held === undefined) return
    if (forgets(effect)) await release(tx, held.place, held.key, held.uid)
    else if (effect.desired !== undefined && shown !== undefined && uid === held.uid) {
      const listKeys = listKeysOf(effect.key, { body: shown.body, owners: [], declared: held.fields.map((field) => field.path) })
      const fields = declaredFields({ desired: shown.body, listKeys, effect, held: held.fields })
      await hold(tx, { ...held, module: effect.module, desired: effect.desired, fields, run: run.id })
    }
  })
  return undefined
}

async function account(tx: Sql, work: Work, bound: Bound, effect: Effect, outcome: Outcome, held: Held | undefined, apiVersion: unknown): Promise<void> {
  if (outcome.state === 'unknown' && effect.action === 'configured' && held !== undefined) return hold(tx, { ...held, fields: held.fields.filter((field) => !mayBeWritten(effect, field.path)) })
  if (outcome.state !== 'applied') return // what is not confirmed stays as it was
  if (effect.action === 'deleted') {
    if (held !== undefined) await release(tx, held.place, held.key, held.uid)
    return
  }
  if (outcome.uid === undefined || effect.desired === undefined) return
  await hold(tx, {
    place: await bound.place(),
    key: effect.key,
    uid: outcome.uid,
    environment: work.run.environment,
    module: effect.module,
    desired: effect.desired,
    fields: outcome.fields,
    run: work.run.id,
    ...(typeof apiVersion === 'string' ? { apiVersion } : {}),
  })
  await endCreation(tx, await bound.place(), effect.key)
}

/** What was sent without an answer is declared for sure no more: the next plan sends what Git says then, also where that is what it said before. */
function mayBeWritten({ changes }: Effect, path: FieldPath): boolean {
  return changes.some((change) => change.state !== 'yielded' && change.state !== 'held' && (isWithin(change.path, path) || isWithin(path, change.path)))
}

type Kept = NonNullable<EffectRow['outcome']>

function keep(outcome: Outcome): Kept {
  switch (outcome.state) {
    case 'applied':
      return {
        state: 'applied',
        action: outcome.action,
        ...(outcome.uid === undefined ? {} : { uid: outcome.uid }),
        ...(outcome.generation === undefined ? {} : { generation: outcome.generation }),
        ...(outcome.warnings.length === 0 ? {} : { warnings: outcome.warnings }),
      }
    case 'terminating':
      return { state: 'terminating', uid: outcome.uid }
    case 'moved':
      return {
        state: 'moved',
        failure: new Failure({ code: 'plan-moved', subject: 'the plan', message: outcome.what, hint: 'A new run plans against the world as it is now.', retry: 'now' }).toJSON(),
      }
    default:
      return { state: outcome.state, failure: outcome.failure }
  }
}

function failureOf(effect: Effect, outcome: Kept | null): FailureJson | undefined {
  if (outcome?.failure !== undefined) return { ...outcome.failure, subject: `${showKey(effect.key)} (${outcome.failure.subject})` }
  return undefined
}
