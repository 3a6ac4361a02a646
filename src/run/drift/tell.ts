import { fighters } from '#drift/contested.ts'
import { quietUntil } from '#drift/quiet.ts'
import type { Finding } from '#model/finding.ts'
import type { FindingPredicate } from '#record/predicates.ts'
import { findingType, statementOf } from '#record/statement.ts'
import { announce } from '#store/events.ts'
import { notify } from '#store/notifications.ts'
import { addFindingChanges, changesAfter, driftTold, hasChanged, listFindings, lockFinding, saveDriftTold, saveFindings, setRecorded, unrecordedChanges, type FindingChange } from '#store/findings.ts'
import type { Sql } from '#store/sql.ts'
import { appendAllToChain, type BuildRecord } from '../chain.ts'
import type { Parts } from '../parts.ts'
import { policyInForce } from '../policy.ts'
import { revertByPolicy } from './revert.ts'
import { newestConfiguration } from './targets.ts'

/** So many changes are put on the chain in one transaction. */
const lot = 50
/** What is held or contested is told again after so long. */
const remindAfter = 86_400_000

/**
 * What follows from findings, and may wait a moment: they are put on the environment’s chain, people are told of them (once a digest, and not in quiet times), and
 * what was accepted for a time comes back. Tells when to come again.
 */
export async function tellDrift(parts: Parts, environment: string): Promise<{ again: number } | undefined> {
  await recordChanges(parts, environment)
  const ends = await endAcceptances(parts, environment)
  const told = await tellDigest(parts, environment)
  const next = Math.min(ends ?? Infinity, told ?? Infinity)
  return next === Infinity ? undefined : { again: next }
}

async function recordChanges(parts: Parts, environment: string): Promise<void> {
  for (;;) {
    const count = await parts.sql.transaction(async (tx) => {
      const changes = await unrecordedChanges(tx, environment, lot)
      if (changes.length === 0) return 0
      const builds = changes.map((change): BuildRecord => (chain) => statementOf(findingType, { chain, ...predicateOf(change) }, { name: `finding:${change.finding}` }))
      await appendAllToChain(tx, parts, environment, builds, parts.clock.now())
      await setRecorded(tx, changes.map(({ seq }) => seq))
      return changes.length
    })
    if (count < lot) return
  }
}

function predicateOf({ finding, at, what, actor, reason, body }: FindingChange): Omit<FindingPredicate, 'chain'> {
  return {
    finding,
    module: body.module,
    object: body.object,
    decision: what,
    cause: body.cause,
    by: body.person ?? body.manager ?? 'unknown',
    onset: body.onset,
    fields: body.fields.map(({ path, declared, live, secret }) => ({ path, ...(secret === true ? {} : { declared, live }), ...(body.manager === null ? {} : { owner: body.manager }) })),
    actor,
    reason,
    ticket: null,
    run: body.run,
    at,
  }
}

/** What was accepted until now is open again. When the next one ends. */
async function endAcceptances(parts: Parts, environment: string): Promise<number | undefined> {
  const { sql, clock } = parts
  const now = clock.now()
  const ended: Finding[] = []
  const accepted = await listFindings(sql, { environment, states: ['accepted'], limit: 10_000 })
  for (const { id, accepted: acceptance } of accepted) {
    if (acceptance === null || acceptance.until > now) continue
    await sql.transaction(async (tx) => {
      const finding = await lockFinding(tx, id)
      if (finding?.state !== 'accepted' || (finding.accepted?.until ?? Infinity) > now) return
      const back: Finding = { ...finding, state: fighters(finding.turns) !== undefined ? 'contested' : finding.decision === 'hold' ? 'held' : 'open', accepted: null, updatedAt: now }
      ended.push(back)
      await saveFindings(tx, [back], now)
      await addFindingChanges(tx, [{ finding: id, environment, at: now, what: 'changed', actor: 'plumbline', reason: `it was accepted by ${finding.accepted?.by ?? 'somebody'} until now`, body: back }])
    })
  }
  // Nothing else looks at it now: nothing was heard of the object.
  await revertByPolicy(parts, ended)
  const ends = accepted.flatMap(({ accepted: acceptance }) => (acceptance !== null && acceptance.until > now ? [acceptance.until] : []))
  return ends.length === 0 ? undefined : Math.min(...ends)
}

/** One word on everything that was found since the last one. When the next one is due, where there is something to say. */
async function tellDigest(parts: Parts, environment: string): Promise<number | undefined> {
  const { sql, clock } = parts
  const now = clock.now()
  const configuration = await newestConfiguration(parts).catch(() => undefined)
  const spec = configuration?.environments.get(environment)
  if (configuration === undefined || spec === undefined) return undefined
  const { drift } = await policyInForce(sql, spec, configuration)
  return sql.transaction(async (tx) => {
    const told = await driftTold(tx, environment)
    const due = told === undefined ? now : told.at + drift.digest
    if (due > now && (await hasChanged(tx, environment, told?.seq ?? 0))) return due
    const changes = await changesAfter(tx, environment, told?.seq ?? 0)
    const standing = await listFindings(tx, { environment, states: ['open', 'held', 'contested', 'reverting', 'adopting'], limit: 10_000 })
    const isReminder = changes.length === 0 && standing.some(({ state }) => state === 'held' || state === 'contested')
    if (changes.length === 0 && !isReminder) return undefined
    if (isReminder && told !== undefined && told.at + remindAfter > now) return told.at + remindAfter
    // A policy that was accepted before there were quiet times has none.
    const quiet = quietUntil(drift.quiet ?? [], now)
    if (quiet !== undefined) return quiet
    await say(tx, parts, environment, changes, standing, now)
    await saveDriftTold(tx, environment, now, Math.max(told?.seq ?? 0, ...changes.map(({ seq }) => seq)))
    return standing.some(({ state }) => state === 'held' || state === 'contested') ? now + remindAfter : undefined
  })
}

async function say(tx: Sql, parts: Parts, environment: string, changes: readonly FindingChange[], standing: readonly Finding[], now: number): Promise<void> {
  const count = (what: string): number => new Set(changes.filter((change) => change.what === what).map(({ finding }) => finding)).size
  const data = { environment, opened: count('opened'), changed: count('changed'), contested: count('contested'), resolved: count('resolved'), standing: standing.length, held: standing.filter(({ state }) => state === 'held').length }
  await announce(tx, now, 'drift', data)
  const message = `drift in ${environment}: ${data.opened} opened, ${data.resolved} resolved, ${data.standing} standing${data.contested === 0 ? '' : `, ${data.contested} contested`}`
  await notify(tx, now, { kind: 'drift', environment, module: null, body: { message, ...data } })
  parts.log(message)
}
