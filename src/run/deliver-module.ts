import type { Readiness } from '#drivers/driver.ts'
import { startDeadline } from '#lib/clock.ts'
import { Failure, asFailure } from '#lib/failure.ts'
import type { FailureJson } from '#lib/failure.ts'
import type { Held, Step } from '#model/plan.ts'
import type { ProbeResult } from '#model/probe.ts'
import { worst } from '#model/probe.ts'
import type { ModuleOutcome } from '#model/run.ts'
import { heldAt, heldBy } from '#store/inventory.ts'
import { journal, moduleOutcomes, updateRun } from '#store/runs.ts'
import { awaitReady, followed, tooLate } from './await-ready.ts'
import type { Trouble } from './await-ready.ts'
import { applyEffect, confirmGone } from './apply-effect.ts'
import { concludeModule } from './conclude-module.ts'
import { removed } from './environment.ts'
import { guarded, saveOutcome } from './guarded.ts'
import { lookAtReadiness } from './look-at-readiness.ts'
import type { ReadinessLook } from './look-at-readiness.ts'
import type { Intents, ModuleIntent } from './render-run.ts'
import { verify } from './verify.ts'
import { inSpan } from './telemetry/in-span.ts'
import { bind } from './work.ts'
import type { Bound, Work } from './work.ts'

export type ModuleResult = { readonly outcome: ModuleOutcome; readonly probes: readonly ProbeResult[] }

/** One module's part of a run: applied wave by wave, ready, then verified. A module that had finished before a crash is not touched again. */
export async function deliverModule(work: Work, intents: Intents, step: Step): Promise<ModuleResult> {
  const { parts, run } = work
  const earlier = (await moduleOutcomes(parts.sql, run.id)).find((row) => row.module === step.module)
  if (earlier !== undefined && isFinal(earlier.outcome)) return earlier
  const intent = intents.modules.get(step.module)
  const save = async (outcome: ModuleOutcome, probes: readonly ProbeResult[] = []): Promise<ModuleResult> => {
    await saveOutcome(work, outcome, probes)
    return { outcome, probes }
  }
  const base: ModuleOutcome = { module: step.module, delivery: 'delivering', verification: 'pending', readinessOnly: false }

  const deadline = startDeadline(parts.clock, intent?.config.spec.deadline ?? defaultDeadline)
  const signals = { signal: AbortSignal.any([work.claim.signal, deadline.signal]), deadline: deadline.signal }
  try {
    await save(base)
    const failure = step.failure ?? unreadHere(work, step.module, intent) ?? (await applyAndAwait(work, step, intent, signals.signal, signals.deadline))
    work.claim.signal.throwIfAborted()
    if (failure !== undefined) return await save({ ...base, delivery: 'failed', verification: 'unknown', failure })

    await save({ ...base, delivery: 'delivered' })
    if (await nothingLeftToDeliver(work)) await guarded(work, (tx) => updateRun(tx, run.id, 'verifying', parts.clock.now()))
    const probes = intent === undefined ? [] : await verify(work, intent)
    const { verdict, failure: why } = intent === undefined || probes.length > 0 ? { verdict: worst(probes.map((probe) => probe.verdict)) } : await readinessAlone(work, step, intent, signals)
    return { outcome: await concludeModule(work, step.module, intent, { verdict, ...(why === undefined ? {} : { failure: why }) }, probes), probes }
  } finally {
    deadline.end()
  }
}

/** Without probes readiness is all there is: as it was just awaited, or, where this run did nothing to the module, as it is seen now. */
async function readinessAlone(work: Work, step: Step, intent: ModuleIntent, signals: { signal: AbortSignal; deadline: AbortSignal }): Promise<ReadinessLook> {
  const { module, driver, target } = step
  if (isIdle(step)) return lookAtReadiness(work, intent, await heldBy(work.parts.sql, work.run.environment, module), () => bind(work, module, driver, target, signals.signal), signals)
  // Where nothing tells of it either, nobody knows.
  return { verdict: [...work.untold].some((one) => one.startsWith(`${module}\n`)) ? 'unknown' : 'passed' }
}

function isIdle({ waves }: Step): boolean {
  return waves.every((wave) => wave.length === 0)
}

/** A module that Git still has, and that could not be read this time: nobody can say what it wants, nor ask its probes. */
function unreadHere(work: Work, module: string, intent: ModuleIntent | undefined): FailureJson | undefined {
  if (intent !== undefined || work.run.modules[module]?.intent === removed) return undefined
  return new Failure({ code: 'module-unread', subject: `module ${module}`, message: 'its repository is not at hand', hint: 'It is tried again when the repository can be read.', retry: 'later' }).toJSON()
}

const defaultDeadline = 300_000

function isFinal(outcome: ModuleOutcome): boolean {
  return outcome.delivery === 'failed' || outcome.delivery === 'halted' || (outcome.delivery === 'delivered' && outcome.verification !== 'pending')
}

async function nothingLeftToDeliver(work: Work): Promise<boolean> {
  const outcomes = await moduleOutcomes(work.parts.sql, work.run.id)
  return outcomes.length === Object.keys(work.run.modules).length && outcomes.every(({ outcome }) => outcome.delivery !== 'delivering' && outcome.delivery !== 'pending')
}

/** Why the module is not delivered; `undefined` when it is. */
async function applyAndAwait(work: Work, step: Step, intent: ModuleIntent | undefined, signal: AbortSignal, deadline: AbortSignal): Promise<FailureJson | undefined> {
  if (isIdle(step)) return undefined
  try {
    const bound = await bind(work, step.module, step.driver, step.target, signal)
    if (step.place !== undefined && (await bound.place()) !== step.place) return elsewhere(step)
    const keys = step.waves.flat().map((effect) => effect.key)
    const held = new Map((await heldAt(work.parts.sql, await bound.place(), keys)).map((row) => [row.key, row]))
    const written = new Map((await journal(work.parts.sql, work.run.id)).filter((row) => row.module === step.module).map((row) => [row.key, row]))
    const desired = new Map((intent?.desired ?? []).map((one) => [one.key, one]))
    for (const wave of step.waves) {
      const failures = await Promise.all(wave.map((effect) =>
          inSpan(
            work.parts,
            'apply',
            { environment: work.run.environment, module: step.module, object: effect.key, action: effect.action },
            () => applyEffect(work, bound, effect, desired.get(effect.key), held.get(effect.key), written.get(effect.key), intent),
            (failure) => (failure === undefined ? {} : { failure: `${failure.code}: ${failure.message}` }),
          ),
        ))
      const first = failures.find((failure) => failure !== undefined)
      if (first !== undefined) return first
      // Between kinds only namespaces and definitions are waited for: what follows lives in them.
      const grounds = wave.filter((effect) => effect.action !== 'unchanged').map((effect) => effect.key).filter((key) => /^(core\/Namespace|apiextensions\.k8s\.io\/CustomResourceDefinition)\//.test(key))
      const notYet = await readyAfterEffects(work, bound, step, signal, deadline, grounds)
      if (notYet !== undefined) return notYet
    }
    return (await awaitGone(work, bound, step, signal, deadline, held)) ?? (await readyAfterEffects(work, bound, step, signal, deadline))
  } catch (error) {
    work.claim.signal.throwIfAborted()
    if (deadline.aborted) return tooLate(step.module, [])
    const failure = asFailure(error, `module ${step.module}`)
    if (failure.code === 'lease-lost' || failure.code === 'store-unavailable') throw failure
    return failure.toJSON()
  }
}

/** What was approved for one place is not carried out at another: the target was changed, or its cluster replaced, since this was planned. */
function elsewhere({ module, target }: Step): FailureJson {
  return new Failure({ code: 'plan-moved', subject: `module ${module}`, message: `the target ${target} leads to another place than when this was planned`, hint: 'A new run plans against the world as it is now.', retry: 'now' }).toJSON()
}

/** What is being deleted counts as deleted when it is gone: until then it stays in the inventory. */
async function awaitGone(work: Work, bound: Bound, step: Step, signal: AbortSignal, deadline: AbortSignal, held: ReadonlyMap<string, Held>): Promise<FailureJson | undefined> {
  const rows = (await journal(work.parts.sql, work.run.id)).filter((row) => row.module === step.module && row.outcome?.state === 'terminating')
  const left = new Map(rows.map((row) => [row.key, row]))
  if (left.size === 0) return undefined
  const last = new Map<string, Readiness>()
  const objects = rows.map((row) => ({ key: row.key, uid: row.outcome?.uid ?? '' }))
  const trouble: Trouble = {}
  for await (const readiness of followed(work, bound, { module: step.module, objects, signal, deadline }, trouble)) {
    last.set(readiness.key, readiness)
    const row = left.get(readiness.key)
    if (readiness.state !== 'gone' || row === undefined) continue
    await confirmGone(work, row, held.get(readiness.key))
    left.delete(readiness.key)
    if (left.size === 0) return undefined
  }
  work.claim.signal.throwIfAborted()
  const waiting = [...left.keys()].map((key) => last.get(key) ?? ({ key, state: 'terminating', message: 'it is still being deleted' } satisfies Readiness))
  return deadline.aborted ? (trouble.last ?? tooLate(step.module, waiting)) : undefined
}

async function readyAfterEffects(work: Work, bound: Bound, { module }: Step, signal: AbortSignal, deadline: AbortSignal, only?: readonly string[]): Promise<FailureJson | undefined> {
  if (only?.length === 0) return undefined
  const done = await journal(work.parts.sql, work.run.id)
  const objects = done.flatMap((row) =>
    row.module === module && (only?.includes(row.key) ?? true) && row.effect.action !== 'deleted' && row.outcome?.uid !== undefined
      ? [{ key: row.key, uid: row.outcome.uid, ...(row.outcome.generation === undefined ? {} : { generation: row.outcome.generation }) }]
      : [],
  )
  return awaitReady(work, bound, { module, objects, signal, deadline })
}
