import { isGood } from '#model/judge-samples.ts'
import { environmentItself, hasCalmed, isFlapping } from '#model/probe-state.ts'
import { worst } from '#model/probe.ts'
import type { ProbeResult } from '#model/probe.ts'
import { newestBefore } from '#store/before.ts'
import { probeStates } from '#store/probe-states.ts'
import { lockRuns, openRuns } from '#store/runs.ts'
import type { LookLog } from '#store/samples.ts'
import type { Sql } from '#store/sql.ts'
import { saveVerification, statuses } from '#store/statuses.ts'
import { askProbe, turnsOf } from './ask-probe.ts'
import { touchedBy } from './causes.ts'
import type { Claim } from './claim.ts'
import { dueAt, lookingAt, nextAfter, standingOfItself } from './looking-at.ts'
import type { Looking, Standing } from './looking-at.ts'
import type { Parts } from './parts.ts'
import { wakeWaiting } from './record-run.ts'
import { samplesOf, settleProbes } from './settle-probes.ts'
import { recordVerdict, tellAtRest } from './tell-verdict.ts'

/** What looks share, beside the parts: the log that many of them write at once. */
export type Looks = { readonly log: LookLog }

/**
 * Looks whether a module that was delivered still works, by the probes that it was delivered with: when its time has come, or at once when something
 * changed underneath it; never while a run is at work on it. Tells when to come again; nothing where there is nothing to ask.
 */
export async function verifyModule(parts: Parts, looks: Looks, environment: string, module: string, claim: Claim): Promise<{ again: number } | undefined> {
  const looking = await lookingAt(parts, environment, module)
  if (looking === undefined) return undefined
  const now = parts.clock.now()
  const due = dueAt(looking)
  if (due > now) return { again: due }
  // The end of the run wakes this look again.
  if (await isAtWork(parts.sql, environment, module)) return { again: now + looking.every }
  if (parts.turns.isCrowded(looking.probes.flatMap(({ config }) => turnsOf(environment, config)))) return { again: now + crowdedMs }
  const before = looking.probes.some(({ config }) => config.compare !== undefined) ? await newestBefore(parts.sql, environment, module) : new Map<string, never>()
  const place = { parts, environment: looking.environment, claim }
  const results = await Promise.all(looking.probes.map((probe) => askProbe(place, probe, 'now', before.get(probe.config.name))))
  return { again: await settle(parts, looks, looking, results, now, claim) }
}

/** So many wait for the same target already: it is asked again soon. */
const crowdedMs = 1_000

async function isAtWork(sql: Sql, environment: string, module: string): Promise<boolean> {
  return (await openRuns(sql, environment)).some((run) => (run.state === 'delivering' || run.state === 'verifying') && module in run.modules)
}

/** Keeps what was found: what changed no verdict with many others in one commit; what did in a transaction of its own, with its record. Tells when to look again. */
async function settle(parts: Parts, looks: Looks, looking: Looking, results: readonly ProbeResult[], began: number, claim: Claim): Promise<number> {
  const { row, all, every, states } = looking
  const { environment, module } = row
  const now = parts.clock.now()
  const fresh = looking.environment.spec.freshFor ?? 2 * every
  // A look at what hangs takes as long as its timeouts: the next one may, too.
  const staleAt = now + fresh + (looking.environment.spec.freshFor === undefined ? now - began : 0)
  const known = new Map(states.map((state) => [state.probe, state]))
  const verdicts = new Map([...states, ...results].flatMap(({ probe, verdict }) => (all.includes(probe) ? [[probe, verdict]] : [])))
  const verification = worst([...verdicts.values()])
  const hasComeToRest = states.some((state) => hasCalmed(state, now)) && !states.some((state) => isFlapping(state, now))
  const isQuiet = !hasComeToRest && verification === row.verification && states.every(({ probe }) => all.includes(probe)) && results.every(({ probe, verdict }) => known.get(probe)?.verdict === verdict)
  if (isQuiet) {
    const probes = results.map(({ probe, verdict, samples }) => ({ probe, verdict, askedAt: samples.at(-1)?.collectedAt ?? now, sample: samples.at(-1) ?? null }))
    await looks.log.keep({ environment, module, delivered: row.delivered, verification, began, verifiedAt: now, staleAt, samples: samplesOf(environment, module, results, null), probes })
    // What was stale counts again: other environments may wait for that.
    if (row.movedAt !== null || (row.verifiedAt !== null && row.verifiedAt + fresh < began)) await wakeWaiting(parts)
    return nextAfter(row, every, states, now)
  }
  const settled = await parts.sql.transaction(async (tx) => {
    await claim.fence(tx)
    await lockRuns(tx, environment)
    const current = await standing(tx, row)
    // A run that began meanwhile finds out for itself.
    if (current === undefined || current.delivered !== row.delivered || (await isAtWork(tx, environment, module))) return undefined
    const changes = await settleProbes(tx, { environment, module, results, all, run: null, touchedBy: touchedBy(looking.configuration, environment, module), now })
    await saveVerification(tx, { environment, module, verification, verifiedSince: isGood({ verdict: verification }) ? (current.verifiedSince ?? now) : null, verifiedAt: now, staleAt, began }, now)
    if (changes.length > 0 || verification !== current.verification)
      await recordVerdict(tx, parts, { environment, module, from: current.verification, to: verification, changes, results, snapshot: row.snapshot, now })
    if (hasComeToRest) await tellAtRest(tx, environment, module, verification, now)
    return { next: nextAfter(row, every, await probeStates(tx, environment, module), now), changed: verification !== current.verification }
  })
  // Other environments may wait for just this.
  if (settled?.changed === true) await wakeWaiting(parts)
  return settled?.next ?? now + every
}

async function standing(tx: Sql, { environment, module }: Standing): Promise<Standing | undefined> {
  if (module === environmentItself) return standingOfItself(environment, await probeStates(tx, environment, module))
  return (await statuses(tx, environment, module))[0]
}
