import { systemClock as clock } from '#lib/clock.ts'
import type { Sample } from '#model/probe.ts'
import { openStore } from '#store/open.ts'
import { saveProbeStates } from '#store/probe-states.ts'
import { LookLog } from '#store/samples.ts'
import type { Look } from '#store/samples.ts'
import type { Store } from '#store/sql.ts'
import { postgresMissing } from '../test/postgres.ts'
import { emptyPlace } from '../test/stores.ts'

// What it costs to keep samples, each acknowledged when it is on the disk: `node bench/samples.ts`. 3,000 a second on the embedded store is the least: below that it exits with 1.

const modules = 500
const probesEach = 4
const rounds = 6
/** Samples a second, on the disk, of many looks at a time. */
const leastEmbedded = 3_000

function look(module: number, round: number): Look {
  const at = 1_800_000_000_000 + round * 60_000 + module
  const sample: Sample = {
    signal: 'latency', target: 'GET http://10.0.0.10/healthz (Host: orders.production.example)', value: 200, threshold: 'status = 200, <= 2000 ms, warns above 500 ms', verdict: 'passed',
    message: 'answered 200 in 12 ms', collectedAt: at, durationMs: 12,
  }
  const names = Array.from({ length: probesEach }, (_, index) => `probe-${index}`)
  return {
    environment: 'production', module: `module-${module}`, delivered: null, verification: 'passed', began: at, verifiedAt: at, staleAt: at + 120_000,
    samples: names.map((probe) => ({ environment: 'production', module: `module-${module}`, probe, at, verdict: 'passed', run: null, sample })),
    probes: names.map((probe) => ({ probe, verdict: 'passed', askedAt: at, sample })),
  }
}

/** Looks as many workers make them: each waits until its own is kept, then makes the next. */
async function keep(store: Store, lanes: number): Promise<number> {
  const log = new LookLog(store)
  const longest: number[] = []
  let next = 0
  const before = performance.now()
  const cpu = process.cpuUsage()
  const lane = async (): Promise<void> => {
    for (let mine = next++; mine < modules * rounds; mine = next++) {
      const began = performance.now()
      await log.keep(look(mine % modules, Math.floor(mine / modules)))
      longest.push(performance.now() - began)
    }
  }
  await Promise.all(Array.from({ length: lanes }, lane))
  const ms = performance.now() - before
  const { user, system } = process.cpuUsage(cpu)
  longest.sort((a, b) => a - b)
  const [row] = await store.query<{ n: number }>('select count(*)::int as n from sample')
  if (row?.n !== modules * rounds * probesEach) throw new Error(`${row?.n} samples were kept`)
  console.log(`  ${lanes} looks at a time, ${probesEach} samples each: ${Math.round((row.n / ms) * 1_000)} samples a second, ${((user + system) / row.n).toFixed(0)} µs of this process’s CPU each; acknowledged after ${longest[Math.floor(longest.length / 2)]?.toFixed(1)} ms (median), ${longest[Math.floor(longest.length * 0.99)]?.toFixed(1)} ms (99th percentile)`)
  await store.query('truncate sample')
  return (row.n / ms) * 1_000
}

for (const kind of ['pglite', 'postgres'] as const) {
  if (kind === 'postgres' && postgresMissing() !== undefined) {
    console.log(postgresMissing())
    continue
  }
  const { place, stop } = await emptyPlace(kind)
  console.log(kind)
  const store = await openStore(place, clock)
  // A state for each probe, as there is where verification goes on: a look moves it too.
  const states = Array.from({ length: modules }, (_, module) =>
    Array.from({ length: probesEach }, (_probe, index) => ({
      environment: 'production', module: `module-${module}`, probe: `probe-${index}`, kind: 'http', verdict: 'passed' as const, onset: 1, askedAt: 1, lastBefore: null, causes: [], flips: [], sample: null,
    })),
  ).flat()
  await saveProbeStates(store, states)
  let most = 0
  for (const lanes of [1, 16, 64]) most = Math.max(most, await keep(store, lanes))
  if (kind === 'pglite' && most < leastEmbedded) {
    console.error(`missed: ${Math.round(most)} samples a second, at least ${leastEmbedded} wanted`)
    process.exitCode = 1
  }
  await store.close()
  await stop()
}
