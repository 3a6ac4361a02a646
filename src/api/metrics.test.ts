import { execFileSync } from 'node:child_process'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { exposition } from '#lib/exposition.ts'
import { metrics } from '#run/metrics/catalogue.ts'
import { collectMetrics } from '#run/metrics/collect.ts'
import { probeTimes, timed } from '#run/metrics/timed-probes.ts'
import type { Probe } from '#probes/probe.ts'
import { saveProbeStates } from '#store/probe-states.ts'
import { updateRun } from '#store/runs.ts'
import { saveVerification } from '#store/statuses.ts'
import { tallyRun } from '#store/tallies.ts'
import { openApiPlace } from '../../test/api-place.ts'
import type { ApiPlace } from '../../test/api-place.ts'
import { eventually } from '../../test/eventually.ts'
import { prometheusMissing, promtoolMissing, startPrometheus } from '../../test/prometheus.ts'
import { startApi } from './server.ts'

let place: ApiPlace
let token: string
beforeAll(async () => {
  place = await openApiPlace()
  token = await place.token('prometheus', 'viewer')
  const { store, clock } = place
  const now = clock.now()
  await updateRun(store, 'run-of-staging', 'succeeded', now + 7_000)
  await tallyRun(store, 'run-of-staging')
  const base = { environment: 'staging', module: 'shop', began: now }
  await saveVerification(store, { ...base, verification: 'passed', verifiedSince: now, verifiedAt: now, staleAt: now + 60_000 }, now)
  await saveProbeStates(store, [{ environment: 'staging', module: 'shop', probe: 'front', kind: 'http', verdict: 'warned', onset: now, askedAt: now, lastBefore: null, causes: [], flips: [], sample: null }])
  await store.query(`insert into watch (environment, target, driver, state, since) values ('staging', 'cluster', 'kubernetes', 'down', 0)`)
})
afterAll(() => place.stop())

async function scraped(): Promise<string[]> {
  const answer = await place.app.request('/metrics', { headers: { authorization: `Bearer ${token}` } })
  expect(answer.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8')
  return (await answer.text()).split('\n')
}

test('it asks for a viewer of the whole workspace', async () => {
  const status = async (bearer?: string): Promise<number> => (await place.app.request('/metrics', bearer === undefined ? {} : { headers: { authorization: `Bearer ${bearer}` } })).status
  expect(await status()).toBe(401)
  expect(await status(await place.token('sam', [{ role: 'admin', environments: ['staging'] }]))).toBe(403)
  expect(await status(token)).toBe(200)
})

test('delivery and verification are two metrics, and a verdict that nobody renews becomes stale', async () => {
  const of = (lines: readonly string[]): string[] => lines.filter((line) => line.includes('environment="staging",module="shop"') && line.startsWith('plumbline_module_'))
  expect(of(await scraped())).toEqual([
    'plumbline_module_delivery{environment="staging",module="shop",status="behind"} 1',
    'plumbline_module_verification{environment="staging",module="shop",status="passed"} 1',
    `plumbline_module_verified_timestamp_seconds{environment="staging",module="shop"} ${place.clock.now() / 1_000}`,
  ])
  place.clock.advance(60_001)
  expect(of(await scraped())[1]).toBe('plumbline_module_verification{environment="staging",module="shop",status="stale"} 1')
})

test('runs that ended and that go on, what probes say, findings by cause and watchers that are down', async () => {
  expect(await scraped()).toEqual(
    expect.arrayContaining([
      'plumbline_runs_total{environment="staging",kind="change",outcome="succeeded"} 1',
      'plumbline_run_duration_seconds_bucket{environment="staging",outcome="succeeded",le="5"} 0',
      'plumbline_run_duration_seconds_bucket{environment="staging",outcome="succeeded",le="10"} 1',
      'plumbline_runs_open{environment="production",state="planning"} 1',
      'plumbline_probe_verdict{environment="staging",module="shop",probe="front",kind="http",verdict="warned"} 1',
      'plumbline_findings{environment="staging",cause="manual",state="open"} 1',
      'plumbline_watch_up{environment="staging",target="cluster",driver="kubernetes"} 0',
    ]),
  )
})

test('a probe’s time is counted from outside, whatever it says', async () => {
  const times = probeTimes()
  const fake: Probe<unknown> = { kind: 'fake', needs: [], schema: undefined as never, sample: () => Promise.resolve({ signal: 'boolean', target: 't', verdict: 'failed', message: 'm', collectedAt: 0, durationMs: 30 }) }
  const [probe] = timed([fake], times)
  for (let count = 0; count < 3; count += 1) await probe?.sample(undefined as never, {})
  const text = exposition(await collectMetrics({ ...place.parts, probeTimes: times }))
  expect(text).toContain('plumbline_probe_duration_seconds_bucket{kind="fake",verdict="failed",le="0.025"} 0\n')
  expect(text).toContain('plumbline_probe_duration_seconds_bucket{kind="fake",verdict="failed",le="0.05"} 3\n')
})

test('every series has the labels that the catalogue says, and none names a run', async () => {
  for (const { name, series } of await collectMetrics(place.parts)) for (const { labels } of series) expect(Object.keys(labels)).toEqual(metrics[name as keyof typeof metrics].labels)
  expect((await scraped()).join('\n')).not.toContain('run-of-')
})

test.skipIf(promtoolMissing() !== undefined)(`promtool finds nothing to say (${promtoolMissing() ?? 'it is here'})`, async () => {
  expect(execFileSync('promtool', ['check', 'metrics'], { input: (await scraped()).join('\n'), encoding: 'utf8' })).toBe('')
})

test.skipIf(prometheusMissing() !== undefined)(`a real Prometheus scrapes it with a token (${prometheusMissing() ?? 'it is here'})`, { timeout: 60_000 }, async () => {
  const api = await startApi({ parts: place.parts, store: place.store, host: '127.0.0.1', port: 0, stopping: new AbortController().signal })
  const prometheus = await startPrometheus([{ job: 'plumbline', target: `127.0.0.1:${api.port}`, token }])
  try {
    const ask = async (query: string): Promise<string> => (await fetch(`${prometheus.url}/api/v1/query?query=${encodeURIComponent(query)}`)).text()
    await eventually(async () => (await ask('up{job="plumbline"} == 1')).includes('"plumbline"'), 30_000)
    expect(await ask('histogram_quantile(0.5, plumbline_run_duration_seconds_bucket{environment="staging"})')).toContain('"7.5"')
    expect(await ask('plumbline_module_verification{environment="staging"}')).toContain('"stale"')
  } finally {
    await prometheus.stop()
    await api.stop()
  }
})
