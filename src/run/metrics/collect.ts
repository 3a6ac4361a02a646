import type { Family, Series } from '#lib/exposition.ts'
import { standingVerification } from '#model/probe-state.ts'
import { messageCounts } from '#store/notifications.ts'
import { probeStates } from '#store/probe-states.ts'
import { newestSnapshot } from '#store/snapshots.ts'
import { statuses } from '#store/statuses.ts'
import { deliveryTallies, findingCounts, openRunCounts, queueCounts, runBounds, runTallies } from '#store/tallies.ts'
import type { RunTally } from '#store/tallies.ts'
import { watches } from '#store/watches.ts'
import { brokenModule } from '../configuration.ts'
import type { Configuration } from '../configuration.ts'
import type { Parts } from '../parts.ts'
import { metrics } from './catalogue.ts'
import type { MetricName } from './catalogue.ts'

/**
 * All metrics, as they are now. All but how long probes took are read from the store, so that they survive a restart and every replica says the same: where
 * several are scraped, take one (`max`), and no sum. Costs the store the same whatever happened before.
 */
export async function collectMetrics(parts: Parts): Promise<Family[]> {
  const { sql } = parts
  const now = parts.clock.now()
  const runs = await runTallies(sql)
  const queue = await queueCounts(sql, now)
  const series: Readonly<Record<MetricName, readonly Series[]>> = {
    plumbline_deliveries_total: (await deliveryTallies(sql)).map(counted),
    plumbline_runs_total: runs.map(({ environment, kind, outcome, count }) => ({ labels: { environment, kind, outcome }, value: count })),
    plumbline_run_duration_seconds: [...Map.groupBy(runs, ({ environment, outcome }) => `${environment} ${outcome}`).values()].flatMap(durations),
    plumbline_runs_open: (await openRunCounts(sql)).map(counted),
    ...(await moduleSeries(parts, now)),
    plumbline_probe_verdict: (await probeStates(sql)).map(({ environment, module, probe, kind, verdict }) => ({ labels: { environment, module, probe, kind, verdict }, value: 1 })),
    plumbline_probe_duration_seconds: parts.probeTimes.series(),
    plumbline_findings: (await findingCounts(sql)).map(counted),
    plumbline_work_waiting: queue.map(({ kind, waiting }) => ({ labels: { kind }, value: waiting })),
    plumbline_work_running: queue.map(({ kind, running }) => ({ labels: { kind }, value: running })),
    plumbline_work_oldest_seconds: queue.map(({ kind, oldest }) => ({ labels: { kind }, value: oldest === null ? 0 : (now - oldest) / 1_000 })),
    plumbline_messages: (await messageCounts(sql)).map(counted),
    plumbline_watch_up: (await watches(sql, now)).map(({ environment, target, driver, state, isHeld }) => ({ labels: { environment, target, driver }, value: state === 'watching' && isHeld ? 1 : 0 })),
  }
  return Object.entries(metrics).map(([name, { type, help }]) => ({ name, type, help, series: series[name as MetricName] }))
}

function counted({ count, ...labels }: { readonly count: number } & Readonly<Record<string, string | number>>): Series {
  return { labels: labels as Record<string, string>, value: count }
}

function durations(tallies: readonly RunTally[]): Series[] {
  const [first] = tallies
  if (first === undefined) return []
  const sum = (of: (tally: RunTally) => number): number => tallies.reduce((all, tally) => all + of(tally), 0)
  const counts = runBounds.map((_, at) => sum(({ buckets }) => buckets[at] ?? 0))
  return [{ labels: { environment: first.environment, outcome: first.outcome }, distribution: { bounds: runBounds, counts, count: sum(({ count }) => count), sum: sum(({ seconds }) => seconds) } }]
}

/** The two facts of each module, as `plumb status` tells them. */
async function moduleSeries(parts: Parts, now: number): Promise<Record<'plumbline_module_delivery' | 'plumbline_module_verification' | 'plumbline_module_verified_timestamp_seconds', Series[]>> {
  const rows = await statuses(parts.sql)
  const configuration = await newest(parts)
  const delivery = rows.map(({ environment, module, repository, delivery: known }) => {
    // Git wants something else that nobody can read: what is there is not its head.
    const isBroken = configuration !== undefined && known === 'synced' && brokenModule(configuration, module, repository) !== undefined
    return { labels: { environment, module, status: isBroken ? 'behind' : known }, value: 1 }
  })
  const verification = rows.map((row) => ({ labels: { environment: row.environment, module: row.module, status: standingVerification(row, now) }, value: 1 }))
  const verified = rows.flatMap(({ environment, module, verifiedAt }) => (verifiedAt === null ? [] : [{ labels: { environment, module }, value: verifiedAt / 1_000 }]))
  return { plumbline_module_delivery: delivery, plumbline_module_verification: verification, plumbline_module_verified_timestamp_seconds: verified }
}

async function newest(parts: Parts): Promise<Configuration | undefined> {
  const snapshot = await newestSnapshot(parts.sql)
  return snapshot === undefined ? undefined : parts.configurations.of(snapshot).catch(() => undefined)
}
