import { environmentItself, isFlapping } from '#model/probe-state.ts'
import type { Cause } from '#model/probe-state.ts'
import type { ProbeResult } from '#model/probe.ts'
import type { Delivery, Verification } from '#model/run.ts'
import { isGood } from '#model/judge-samples.ts'
import { verdictStatement } from '#record/statement.ts'
import { announce } from '#store/events.ts'
import { lastTold, notify } from '#store/notifications.ts'
import type { Sql } from '#store/sql.ts'
import { statuses } from '#store/statuses.ts'
import { appendToChain } from './chain.ts'
import { notFoundOut } from './not-known.ts'
import type { Parts } from './parts.ts'
import type { ProbeChange } from './settle-probes.ts'

/** That a module's verification is another one than before, or one of its probes says something else. */
export type VerdictChange = {
  readonly environment: string
  readonly module: string
  readonly from: Verification
  readonly to: Verification
  readonly changes: readonly ProbeChange[]
  readonly results: readonly ProbeResult[]
  readonly snapshot: string | null
  /** The run whose probes found it; none where time asked. */
  readonly run?: string
  readonly now: number
}

/** A change that nobody made by a run: a record of its own on the environment's chain, one event, and a word to people. */
export async function recordVerdict(tx: Sql, parts: Parts, change: VerdictChange): Promise<void> {
  const { environment, module, from, to, changes, results, snapshot, now } = change
  const states = changes.map(({ state }) => state)
  const befores = states.flatMap(({ lastBefore }) => lastBefore ?? [])
  const delivery = await deliveryOf(tx, environment, module)
  await appendToChain(
    tx,
    parts,
    environment,
    (chain) =>
      verdictStatement({
        chain, module, ...(delivery === undefined ? {} : { delivery }), from, to, snapshot, decidedAt: now,
        onset: Math.min(now, ...states.map(({ onset }) => onset)),
        lastBefore: befores.length === 0 ? null : Math.max(...befores),
        flapping: states.some((state) => isFlapping(state, now)),
        before: distinct(states.flatMap(({ causes }) => causes)),
        message: messageOf(change, delivery),
        probes: results,
        unknown: notFoundOut(module, results),
      }),
    now,
  )
  await tellVerdict(tx, parts, change)
}

/** One event, and one message: none for what passes as it was meant to from the start, and none for each turn of what flaps. */
export async function tellVerdict(tx: Sql, parts: Pick<Parts, 'redactor'>, change: VerdictChange): Promise<void> {
  const { environment, module, from, to, changes, run, now } = change
  const delivery = await deliveryOf(tx, environment, module)
  const message = parts.redactor.redact(messageOf(change, delivery))
  const probes = changes.map(({ state }) => state.probe)
  await announce(tx, now, 'verdict', { environment, module, from, to, probes, message })
  const flapping = changes.filter(({ startsToFlap }) => startsToFlap).map(({ state }) => state.probe)
  if (flapping.length > 0) await notify(tx, now, { kind: 'flapping', environment, module, body: { message: `${flapping.join(', ')} changes its verdict again and again: ${message}`, probes: flapping } })
  const isFirst = from === 'unknown' && isGood({ verdict: to })
  const flaps = changes.length > 0 && changes.every(({ state }) => isFlapping(state, now))
  if (from !== to && !isFirst && !flaps) await notify(tx, now, { kind: 'verdict', environment, module, body: { message, ...(delivery === undefined ? {} : { delivery }), from, to, probes, ...(run === undefined ? {} : { run }) } })
}

/** What flapped, and was not told of at each turn, has come to rest: what it says now is told once, if it is another verdict than the one told last. */
export async function tellAtRest(tx: Sql, environment: string, module: string, to: Verification, now: number): Promise<void> {
  const from = await lastTold(tx, environment, module)
  if (from === undefined || from === to) return
  const delivery = await deliveryOf(tx, environment, module)
  const message = `${calledWith(environment, module)} no longer changes its verdict again and again: ${factsOf(delivery, `${to}, and was last told as ${from}`)}`
  await notify(tx, now, { kind: 'verdict', environment, module, body: { message, ...(delivery === undefined ? {} : { delivery }), from, to, probes: [] } })
}

function messageOf({ environment, module, from, to, changes }: VerdictChange, delivery: Delivery | undefined): string {
  const verdict = `${calledWith(environment, module)}: ${factsOf(delivery, from === to ? `still ${to}` : `${to}, and was ${from}`)}`
  const told = changes.map(({ state }) => `${state.probe} ${state.verdict}: ${state.sample?.message ?? 'was not asked'}`)
  return told.length === 0 ? verdict : `${verdict} (${told.join('; ')})`
}

function calledWith(environment: string, module: string): string {
  return module === environmentItself ? `${environment} itself` : `${module} in ${environment}`
}

/** Whoever hears that something does not work hears beside it whether it is what Git says. */
function factsOf(delivery: Delivery | undefined, verification: string): string {
  return `${delivery === undefined ? '' : `delivery ${delivery}, `}verification ${verification}`
}

/** The environment itself is not delivered. */
async function deliveryOf(tx: Sql, environment: string, module: string): Promise<Delivery | undefined> {
  return module === environmentItself ? undefined : (await statuses(tx, environment, module))[0]?.delivery
}

function distinct(causes: readonly Cause[]): Cause[] {
  return [...new Map(causes.map((cause) => [`${cause.kind} ${cause.id}`, cause])).values()]
}
