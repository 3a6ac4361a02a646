import type { Readiness } from '#drivers/driver.ts'
import { Failure, asFailure } from '#lib/failure.ts'
import type { FailureJson } from '#lib/failure.ts'
import type { Held, Step } from '#model/plan.ts'
import type { ProbeResult, Verdict } from '#model/probe.ts'
import { worst } from '#model/probe.ts'
import { showKey } from '#model/resource.ts'
import type { ModuleOutcome } from '#model/run.ts'
import { heldAt } from '#store/inventory.ts'
import { journal, moduleOutcomes, updateRun } from '#store/runs.ts'
import { applyEffect, confirmGone } from './apply-effect.ts'
import { concludeModule } from './conclude-module.ts'
import { removed } from './environment.ts'
import { guarded, saveOutcome } from './guarded.ts'
import type { Intents, ModuleIntent } from './render-run.ts'
import { patience, tell } from './trouble.ts'
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

  const deadline = AbortSignal.timeout(intent?.config.spec.deadline ?? defaultDeadline)
  const signal = AbortSignal.any([work.claim.signal, deadline])
  await save(base)
  const failure = step.failure ?? unreadHere(work, step.module, intent) ?? (await applyAndAwait(work, step, intent, signal, deadline))
  work.claim.signal.throwIfAborted()
  if (failure !== undefined) return save({ ...base, delivery: 'failed', verification: 'unknown', failure })

  await save({ ...base, delivery: 'delivered' })
  if (await nothingLeftToDeliver(work)) await guarded(work, (tx) => updateRun(tx, run.id, 'verifying', parts.clock.now()))
  const probes = intent === undefined ? [] : await verify(work, intent)
  // Without probes readiness is all there is: where nothing tells of it either, nobody knows.
  const untold = [...work.untold].some((one) => one.startsWith(`${step.module}\n`))
  const verdict: Verdict = probes.length === 0 && untold ? 'unknown' : worst(probes.map((probe) => probe.verdict))
  return { outcome: await concludeModule(work, step.module, intent, verdict, probes), probes }
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
  if (step.waves.every((wave) => wave.length === 0)) return undefined
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
      const notYet = await awaitReady(work, bound, step, signal, deadline, grounds)
      if (notYet !== undefined) return notYet
    }
    return (await awaitGone(work, bound, step, signal, deadline, held)) ?? (await awaitReady(work, bound, step, signal, deadline))
  } catch (error) {
    work.claim.signal.throwIfAborted()
    if (deadline.aborted) return tooLate(step, [])
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
  for await (const readiness of followed(work, bound, step, signal, objects, trouble)) {
    last.set(readiness.key, readiness)
    const row = left.get(readiness.key)
    if (readiness.state !== 'gone' || row === undefined) continue
    await confirmGone(work, row, held.get(readiness.key))
    left.delete(readiness.key)
    if (left.size === 0) return undefined
  }
  work.claim.signal.throwIfAborted()
  const waiting = [...left.keys()].map((key) => last.get(key) ?? ({ key, state: 'terminating', message: 'it is still being deleted' } satisfies Readiness))
  return deadline.aborted ? (trouble.last ?? tooLate(step, waiting)) : undefined
}

async function awaitReady(work: Work, bound: Bound, step: Step, signal: AbortSignal, deadline: AbortSignal, only?: readonly string[]): Promise<FailureJson | undefined> {
  if (only?.length === 0) return undefined
  const done = await journal(work.parts.sql, work.run.id)
  const objects = done.flatMap((row) =>
    row.module === step.module && (only?.includes(row.key) ?? true) && row.effect.action !== 'deleted' && row.outcome?.uid !== undefined
      ? [{ key: row.key, uid: row.outcome.uid, ...(row.outcome.generation === undefined ? {} : { generation: row.outcome.generation }) }]
      : [],
  )
  if (objects.length === 0) return undefined
  const last = new Map<string, Readiness>()
  const quiet = new AbortController()
  const trouble: Trouble = {}
  for await (const readiness of followed(work, bound, step, AbortSignal.any([signal, quiet.signal]), objects, trouble)) {
    last.set(readiness.key, readiness)
    // What nothing tells of gets some time to be told of; after that its probes must show that it works.
    const untold = [...last.values()].filter((one) => one.state === 'untold')
    if (untold.length > 0 && objects.every((object) => isSettled(last.get(object.key)))) void work.parts.clock.sleep(untoldGrace, signal).then(() => quiet.abort(), () => {})
  }
  work.claim.signal.throwIfAborted()
  for (const readiness of last.values()) if (readiness.state === 'untold') work.untold.add(`${step.module}\n${readiness.key}`)
  const missing = objects.map((object) => last.get(object.key) ?? ({ key: object.key, state: 'unknown', message: 'nothing was seen of it' } satisfies Readiness))
  const notReady = missing.filter((readiness) => !isSettled(readiness))
  if (notReady.length === 0) return undefined
  const failed = notReady.filter((readiness) => readiness.state === 'failed' || readiness.state === 'gone')
  if (deadline.aborted && failed.length === 0) return trouble.last ?? tooLate(step, notReady)
  const [worstOne = { key: '', message: '', state: 'unknown' }] = failed.length > 0 ? failed : notReady
  return new Failure({
    code: 'not-ready',
    subject: showKey(worstOne.key),
    message: worstOne.message,
    hint: `Look at it: kubectl describe ${showKey(worstOne.key).replace(' ', '/').toLowerCase()}`,
    retry: 'later',
  }).toJSON()
}

/** What a system is in trouble with, while nothing else is heard of it. */
type Trouble = { last?: FailureJson }

/** What a driver tells of objects, and goes on telling when the system was in trouble for a while: until each is settled, or the signal ends it. */
async function* followed(work: Work, bound: Bound, step: Step, signal: AbortSignal, objects: Parameters<Bound['driver']['ready']>[1], trouble: Trouble): AsyncGenerator<Readiness> {
  for (let attempt = 1; ; attempt += 1) {
    let unknown: Readiness | undefined
    try {
      for await (const readiness of bound.driver.ready({ ...bound.call, signal }, objects)) {
        if (readiness.state === 'unknown') unknown = readiness
        else delete trouble.last
        yield readiness
      }
      if (unknown === undefined || signal.aborted) return
      trouble.last = new Failure({ code: 'readiness-unknown', subject: showKey(unknown.key), message: unknown.message, hint: 'It is not known whether it is ready: find out why it cannot be read.', retry: 'later' }).toJSON()
    } catch (error) {
      work.claim.signal.throwIfAborted()
      if (signal.aborted) return
      const failure = asFailure(error, `module ${step.module}`)
      if (failure.retry === 'never') throw failure
      trouble.last = failure.toJSON()
    }
    await tell(work, step.module, trouble.last)
    await work.parts.clock.sleep(patience(attempt), signal).catch(() => {})
    if (signal.aborted) return
  }
}

/** How long to wait for a custom resource's conditions before its probes have to speak for it. */
const untoldGrace = 10_000

function isSettled(readiness: Readiness | undefined): boolean {
  return readiness?.state === 'ready' || readiness?.state === 'untold'
}

function tooLate(step: Step, notReady: readonly Readiness[]): FailureJson {
  return new Failure({
    // What was never seen is not known to have failed.
    code: notReady.some((one) => one.state === 'unknown') ? 'readiness-unknown' : 'deadline-exceeded',
    subject: `module ${step.module}`,
    message:
      notReady.length === 0
        ? 'it was not delivered within its deadline'
        : `not ready within its deadline: ${notReady.map((one) => `${showKey(one.key)}: ${one.message}`).join('; ')}`,
    hint: 'Mend what keeps it from becoming ready, or raise `spec.deadline` of the module.',
    retry: 'later',
  }).toJSON()
}
