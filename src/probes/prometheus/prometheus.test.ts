import { createServer } from 'node:http'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { resolveHost } from '#clients/dns/resolve-host.ts'
import { systemClock } from '#lib/clock.ts'
import type { Compare } from '#model/config/probe.ts'
import type { Sample } from '#model/probe.ts'
import { askProbe, takeBefore } from '#run/ask-probe.ts'
import type { Place } from '#run/ask-probe.ts'
import type { OwnedProbe } from '#run/owned-probes.ts'
import { Turns } from '#run/turns.ts'
import { eventually } from '../../../test/eventually.ts'
import { prometheusMissing, startPrometheus } from '../../../test/prometheus.ts'
import { closedPort, listen, reachTo, startTcp } from '../testing.ts'
import { prometheus } from './prometheus.ts'

const missing = prometheusMissing()
let addresses: Record<string, string> = {}
async function ask(config: object, { ms = 5_000 } = {}): Promise<Sample> {
  const clients = { reach: reachTo(addresses), secret: async () => 'hush-hush' }
  return prometheus.sample({ clients, clock: systemClock, signal: AbortSignal.timeout(ms) }, prometheus.schema.parse({ address: 'metrics', ...config }))
}

describe.skipIf(missing !== undefined)(`the prometheus probe${missing === undefined ? '' : ` (${missing})`}`, () => {
  let server: Awaited<ReturnType<typeof startPrometheus>> | undefined
  beforeAll(async () => {
    server = await startPrometheus()
    addresses = { metrics: server.url }
  })
  afterAll(() => server?.stop())

  test('holds a value against its rules', async () => {
    expect(await ask({ query: 'vector(47)', max: 10, warn: 5, unit: 's' })).toMatchObject({
      signal: 'latency', verdict: 'failed', value: 47, unit: 's', threshold: '<= 10 s, warns above 5 s', target: 'metrics: vector(47)', message: 'the value 47 s, threshold 10 s',
    })
    expect(await ask({ query: '3 + 4', max: 10, warn: 5 })).toMatchObject({ signal: 'count', verdict: 'warned', value: 7 })
    expect(await ask({ query: 'up{job="self"}', min: 1 })).toMatchObject({ verdict: 'passed', value: 1, message: expect.stringMatching(/^up\{instance="127\.0\.0\.1:\d+", job="self"\} 1$/) })
  })

  test('holds every series against them, and tells the worst', async () => {
    const query = 'label_replace(vector(1), "zone", "a", "", "") or label_replace(vector(12), "zone", "b", "", "") or label_replace(vector(3), "zone", "c", "", "")'
    expect(await ask({ query, max: 10 })).toMatchObject({ verdict: 'failed', value: 12, message: '{zone="b"} 12, threshold 10 (of 3 series)' })
    expect(await ask({ query, max: 20 })).toMatchObject({ verdict: 'passed', message: expect.stringContaining('(of 3 series)') })
  })

  test('looks back over a range', async () => {
    expect(await ask({ query: 'vector(5)', range: { over: '10m' }, max: 10 })).toMatchObject({ verdict: 'passed', value: 5 })
    const now = Date.now() / 1000
    const clocked = async (take: string): Promise<number> => Number((await ask({ query: 'vector(time())', range: { over: '100s', step: '10s', take } })).value)
    expect(Math.abs((await clocked('max')) - now)).toBeLessThan(30)
    expect((await clocked('max')) - (await clocked('min'))).toBeGreaterThan(95)
    expect(Math.abs((await clocked('avg')) - (now - 50))).toBeLessThan(30)
    expect(Math.abs((await clocked('last')) - now)).toBeLessThan(30)
  })

  test('does not know what is no number, or nothing, unless it is told what nothing means', async () => {
    expect(await ask({ query: 'vector(0) / 0', max: 1 })).toMatchObject({ verdict: 'unknown', message: 'the value is no number' })
    expect(await ask({ query: 'vector(1) / 0', max: 1 })).toMatchObject({ verdict: 'unknown', message: 'the value is +Inf' })
    expect(await ask({ query: 'vector(0) / 0 or vector(1)', range: { over: '1m' } })).toMatchObject({ verdict: 'unknown' })
    expect(await ask({ query: 'nosuch > 1' })).toMatchObject({ verdict: 'unknown', message: 'the query gives nothing' })
    expect(await ask({ query: 'nosuch > 1', empty: 'passed' })).toMatchObject({ verdict: 'passed' })
    expect(await ask({ query: 'nosuch', empty: 'failed' })).toMatchObject({ verdict: 'failed' })
  })

  test('is held against the time before the change, on a series that really grew', async () => {
    // What Prometheus counts of the questions that it is asked grows with each of them.
    const query = 'sum(prometheus_http_requests_total{handler="/api/v1/query"})'
    const place = { parts: { clock: systemClock, probes: [prometheus], turns: new Turns(), resolve: resolveHost }, environment: { metadata: { name: 'e' }, spec: { addresses, reach: ['metrics'], targets: {} } }, claim: { signal: new AbortController().signal } } as unknown as Place
    const owned = (compare: Compare | undefined): OwnedProbe => ({
      owner: { name: 'm', repository: 'r', limits: 'everything' },
      config: { name: 'load', settle: 0, within: 0, every: 100, timeout: 5_000, window: undefined, compare, need: 'all', kind: 'prometheus', config: prometheus.schema.parse({ address: 'metrics', query }), across: [] },
    })
    const before = await takeBefore(place, owned(undefined))
    expect(before).toMatchObject({ verdict: 'passed', value: expect.any(Number) })
    await eventually(async () => Number((await ask({ query })).value) > Number(before.value), 10_000)
    const held = async (compare: Compare) => (await askProbe(place, owned(compare), 'now', before)).samples.at(-1)
    expect(await held({ max: { times: 1 } })).toMatchObject({ verdict: 'failed', message: expect.stringContaining(`before the change it was ${String(before.value)}, at most ${String(before.value)} allowed`) })
    expect(await held({ max: { times: 1.5, plus: 10_000 } })).toMatchObject({ verdict: 'passed', message: expect.stringContaining(`before the change it was ${String(before.value)}`) })
    expect(await held({ max: { plus: 10_000 }, warn: { times: 1 } })).toMatchObject({ verdict: 'warned' })
    expect((await askProbe(place, owned({ max: { times: 1 } }), 'now')).verdict).toBe('unknown')
  })

  test('does not take a part for the whole', async () => {
    expect(await ask({ query: 'sum(up{job="remote"}) or vector(1)', max: 10 })).toMatchObject({ verdict: 'unknown', message: expect.stringMatching(/^the answer is not whole: /) })
  })

  test('does not know where the query is wrong, too slow, or gives no numbers', async () => {
    expect(await ask({ query: 'sum(' })).toMatchObject({ verdict: 'unknown', message: expect.stringMatching(/^metrics cannot answer: .*parse error/) })
    expect(await ask({ query: '"text"' })).toMatchObject({ verdict: 'unknown', message: 'metrics answers with string, which is no series of numbers' })
    expect(await ask({ query: 'up[1m]' })).toMatchObject({ verdict: 'unknown' }) // a matrix that nobody asked to be taken from
  })
})

describe('the prometheus probe, where it is not Prometheus that answers', () => {
  test('does not know what nobody tells', async () => {
    addresses = { refusing: `127.0.0.1:${await closedPort()}`, metadata: 'http://169.254.169.254', ftp: 'ftp://x' }
    const query = 'up'
    expect(await ask({ address: 'refusing', query })).toMatchObject({ verdict: 'unknown', message: `connection refused by ${addresses['refusing']}` })
    expect(await ask({ address: 'metadata', query })).toMatchObject({ verdict: 'unknown', message: expect.stringContaining('which nothing may reach') })
    expect(await ask({ address: 'ftp', query })).toMatchObject({ verdict: 'unknown', message: 'ftp is no http or https address' })
    expect(await ask({ address: 'unlisted', query })).toMatchObject({ verdict: 'unknown', message: 'probes may not reach unlisted' })
    const silent = await startTcp(() => {})
    addresses['silent'] = `127.0.0.1:${silent.port}`
    expect(await ask({ address: 'silent', query }, { ms: 200 })).toMatchObject({ verdict: 'unknown', message: expect.stringMatching(/^answer of silent: timed out/) })
    await silent.stop()
  })

  test('takes nothing else for an answer, and follows nobody elsewhere', async () => {
    const asked: string[] = []
    const fake = createServer((request, response) => {
      asked.push(`${request.url} ${request.headers.authorization}`)
      if (request.url?.startsWith('/moved')) response.writeHead(302, { location: 'http://169.254.169.254/' }).end()
      else if (request.url?.startsWith('/closed')) response.writeHead(401).end('hush-hush')
      else if (request.url?.startsWith('/large')) response.end(`{"status":"success","data":"${'x'.repeat(5 * 1024 * 1024)}"}`)
      else response.end('<h1>Grafana</h1>')
    })
    const at = `http://127.0.0.1:${await listen(fake)}`
    addresses = { page: `${at}/graphs/`, moved: `${at}/moved`, closed: `${at}/closed`, large: `${at}/large` }
    const found = async (address: string): Promise<string> => {
      const { verdict, message } = await ask({ address, query: 'up', authorization: { basic: { user: 'p', password: { secretRef: 'env:X' } } } })
      return `${verdict}: ${message}`
    }
    expect(await found('page')).toBe('unknown: page does not answer as Prometheus does')
    expect(asked).toEqual([`/graphs/api/v1/query Basic ${Buffer.from('p:hush-hush').toString('base64')}`])
    expect(await found('moved')).toBe('unknown: moved does not answer as Prometheus does')
    expect(await found('closed')).toBe('unknown: closed does not take the credentials (401)')
    expect(await found('large')).toBe('unknown: large answers with more than 4 MiB: ask for fewer series')
    fake.closeAllConnections()
    await new Promise((resolve) => fake.close(resolve))
  })
})
