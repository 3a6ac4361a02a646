import { createServer } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { FakeClock, systemClock } from '#lib/clock.ts'
import type { Clock } from '#lib/clock.ts'
import { Failure } from '#lib/failure.ts'
import type { Sample } from '#model/probe.ts'
import { selfSigned } from '../../../test/certificates.ts'
import { closedPort, listen, reachTo, startTcp } from '../testing.ts'
import { http } from './http.ts'

const asked: IncomingMessage[] = []
const server = createServer((request, response) => {
  asked.push(request)
  const path = request.url?.split('?')[0]
  const json = (value: unknown): unknown => response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value))
  if (path === '/healthz') response.end('ok')
  else if (path === '/status') json({ orders: 60_000, lag: { seconds: [47] }, ok: true, name: 'orders', token: 'hush-hush', huge: 'x'.repeat(10) })
  else if (path === '/moved') response.writeHead(302, { location: 'http://169.254.169.254/' }).end()
  else if (path === '/page') response.writeHead(200, { 'set-cookie': ['a=hush-hush', 'b=2'], server: 'shop' }).end('<h1>Shop</h1>')
  else if (path === '/large') response.end('x'.repeat(3 * 1024 * 1024))
  else if (path === '/endless') {
    const write = (): void => {
      while (response.write('x'.repeat(65_536)));
    }
    response.on('drain', write)
    write()
  } else if (path === '/broken-json') response.end('{"orders":')
  else if (path === '/half') response.writeHead(200, { 'content-length': '100' }).write('half', () => response.destroy())
  else if (path === '/drip') response.writeHead(200).write('x')
  else if (path === '/hang') return
  else response.writeHead(503).end()
})
const { key, cert } = selfSigned()
const tlsServer = createTlsServer({ key, cert }, (_request, response) => response.end('ok'))
let clock: Clock = systemClock
let addresses: Record<string, string> = {}

beforeAll(async () => {
  const port = await listen(server)
  addresses = {
    ingress: `http://127.0.0.1:${port}`,
    short: `127.0.0.1:${port}`,
    named: `http://localhost:${port}/status?x=1`,
    secure: `https://127.0.0.1:${await listen(tlsServer)}`,
    wrong: `https://127.0.0.1:${port}`,
    closed: `http://127.0.0.1:${await closedPort()}`,
    nobody: 'http://nobody.invalid',
    metadata: 'http://169.254.169.254/latest/meta-data',
    database: 'postgres://db:5432',
  }
})
afterAll(async () => {
  for (const one of [server, tlsServer]) {
    one.closeAllConnections()
    await new Promise((resolve) => one.close(resolve))
  }
})

const secret = async (reference: string): Promise<string> => {
  if (reference === 'env:ORDERS_TOKEN') return 'hush-hush'
  throw new Failure({ code: 'secret-refused', subject: reference, message: `${reference} may not be used` })
}

async function ask(config: object, ms = 5_000): Promise<Sample> {
  const full = { ...('url' in config ? {} : { address: 'ingress' }), ...config }
  return http.sample({ clients: { reach: reachTo(addresses), secret }, clock, signal: AbortSignal.timeout(ms) }, http.schema.parse(full))
}

describe('the http probe', () => {
  test('asks by the host that it is told, and says what it asked', async () => {
    const sample = await ask({ host: 'orders.staging.example', path: '/healthz?deep=1', headers: { 'X-Probe': 'yes' }, status: 200 })
    expect(sample).toMatchObject({ signal: 'reachability', verdict: 'passed', value: 200, threshold: 'status = 200', message: 'answered 200' })
    expect(sample.target).toBe(`GET ${addresses['ingress']}/healthz?… (Host: orders.staging.example)`)
    expect(asked.at(-1)).toMatchObject({ method: 'GET', url: '/healthz?deep=1', headers: { host: 'orders.staging.example', 'x-probe': 'yes' } })
    expect(await ask({ method: 'HEAD', path: '/healthz' })).toMatchObject({ verdict: 'passed' })
  })

  test('takes an address as host and port, and with a path of its own', async () => {
    expect(await ask({ address: 'short', path: '/healthz' })).toMatchObject({ verdict: 'passed' })
    expect(await ask({ address: 'named', json: { path: '$.ok', equals: true } })).toMatchObject({ verdict: 'passed', value: true })
  })

  test('signs in with what its secret references lead to, and with nothing else', async () => {
    const samples = [
      await ask({ path: '/healthz', authorization: { bearer: { secretRef: 'env:ORDERS_TOKEN' } } }),
      await ask({ path: '/healthz', authorization: { basic: { user: 'probe', password: { secretRef: 'env:ORDERS_TOKEN' } } } }),
    ]
    expect(asked.slice(-2).map(({ headers }) => headers.authorization)).toEqual(['Bearer hush-hush', `Basic ${Buffer.from('probe:hush-hush').toString('base64')}`])
    expect(samples.map(({ verdict }) => verdict)).toEqual(['passed', 'passed'])
    expect(JSON.stringify(samples)).not.toMatch(/hush|cHJvYmU/)
    const known = asked.length
    expect(await ask({ path: '/healthz', authorization: { bearer: { secretRef: 'env:OTHER' } } })).toMatchObject({ verdict: 'unknown', message: 'env:OTHER may not be used' })
    expect(asked).toHaveLength(known)
  })

  test('holds the status against numbers and classes', async () => {
    expect(await ask({ path: '/bad', status: 200 })).toMatchObject({ verdict: 'failed', value: 503, message: 'answered 503, expected 200' })
    expect(await ask({ path: '/bad' })).toMatchObject({ verdict: 'failed', message: 'answered 503, expected 2xx' })
    expect(await ask({ path: '/bad', status: [404, '5xx'] })).toMatchObject({ verdict: 'passed' })
  })

  test('follows no redirect', async () => {
    expect(await ask({ path: '/moved' })).toMatchObject({ verdict: 'failed', value: 302, message: 'answered 302, expected 2xx' })
    expect(await ask({ path: '/moved', status: 302, header: { name: 'Location', contains: '169.254' } })).toMatchObject({ verdict: 'passed' })
  })

  test('looks for texts in the body', async () => {
    expect(await ask({ path: '/page', body: '<h1>' })).toMatchObject({ verdict: 'passed' })
    expect(await ask({ path: '/page', body: { contains: '<h2>' } })).toMatchObject({ verdict: 'failed', message: 'the body does not contain “<h2>”' })
    expect(await ask({ path: '/page', body: { notContains: 'Shop' } })).toMatchObject({ verdict: 'failed', message: 'the body contains “Shop”' })
  })

  test('looks at headers, and repeats none that may hold a secret', async () => {
    expect(await ask({ path: '/page', header: { name: 'server', equals: 'shop' } })).toMatchObject({ verdict: 'passed' })
    expect(await ask({ path: '/page', header: { name: 'server', equals: 'nginx' } })).toMatchObject({ verdict: 'failed', message: 'header server is “shop”, expected “nginx”' })
    expect(await ask({ path: '/page', header: { name: 'x-none' } })).toMatchObject({ verdict: 'failed', message: 'answered 200 without the header x-none' })
    const cookie = await ask({ path: '/page', header: { name: 'Set-Cookie', contains: 'c=3' } })
    expect(cookie).toMatchObject({ verdict: 'failed', message: 'header set-cookie is another value, which does not contain “c=3”' })
  })

  test('holds a value in JSON against its rules', async () => {
    const json = (rule: object): Promise<Sample> => ask({ path: '/status', json: rule })
    expect(await json({ path: '$.orders', max: 100_000, warn: 50_000 })).toMatchObject({ signal: 'count', verdict: 'warned', value: 60_000, threshold: '<= 100000, warns above 50000', message: '$.orders 60000, warns above 50000' })
    expect(await json({ path: '$.lag.seconds[0]', max: 10, unit: 's' })).toMatchObject({ verdict: 'failed', value: 47, unit: 's', message: '$.lag.seconds[0] 47 s, threshold 10 s' })
    expect(await json({ path: '$["orders"]', min: 1 })).toMatchObject({ verdict: 'passed', value: 60_000 })
    expect(await json({ path: '$.name', equals: 'orders' })).toMatchObject({ verdict: 'passed' })
    expect(await json({ path: '$.name', max: 1 })).toMatchObject({ verdict: 'failed', message: '$.name is “orders”, expected a number' })
    expect(await json({ path: '$.nothing' })).toMatchObject({ verdict: 'failed', message: 'the body has nothing at $.nothing' })
    expect(await json({ path: '$.constructor' })).toMatchObject({ verdict: 'failed' })
    expect(JSON.stringify(await json({ path: '$.token' }))).not.toContain('"value":"hush')
    expect(await ask({ path: '/broken-json', json: { path: '$.orders' } })).toMatchObject({ verdict: 'failed', message: 'the body is no JSON' })
  })

  test('measures how long an answer took', async () => {
    expect(await ask({ path: '/healthz', latency: { max: '5s' } })).toMatchObject({ signal: 'latency', verdict: 'passed', unit: 'ms', threshold: '<= 5000 ms' })
    let now = 0
    clock = { ...systemClock, now: () => (now += 300), sleep: systemClock.sleep }
    expect(await ask({ path: '/healthz', latency: { max: '200ms' } })).toMatchObject({ verdict: 'failed', message: expect.stringMatching(/^latency \d+ ms, threshold 200 ms$/) })
    expect(await ask({ path: '/healthz', latency: { warn: '200ms' } })).toMatchObject({ verdict: 'warned', threshold: 'warns above 200 ms' })
    clock = systemClock
  })

  test('reads no more of a body than a MiB, also of one that never ends', async () => {
    expect(await ask({ path: '/large' })).toMatchObject({ verdict: 'passed' })
    expect(await ask({ path: '/endless' })).toMatchObject({ verdict: 'passed' })
    expect(await ask({ path: '/large', body: 'y' })).toMatchObject({ verdict: 'failed', message: 'the first MiB of the body does not contain “y”' })
    expect(await ask({ path: '/large', json: { path: '$.a' } })).toMatchObject({ verdict: 'failed', message: 'the body is longer than 1 MiB, and is not read as JSON' })
  })

  test('fails on what does not answer, and says what it waited for', async () => {
    expect(await ask({ path: '/hang' }, 200)).toMatchObject({ verdict: 'failed', message: expect.stringMatching(/^answer: timed out after 0\.\d s$/) })
    expect(await ask({ path: '/drip' }, 200)).toMatchObject({ verdict: 'failed', message: expect.stringMatching(/^answer: timed out/) })
    expect(await ask({ address: 'closed' })).toMatchObject({ verdict: 'failed', message: `connection refused by ${new URL(addresses['closed'] ?? '').host}` })
    expect(await ask({ path: '/half' })).toMatchObject({ verdict: 'failed', message: expect.stringContaining('closed the connection') })
  })

  test('fails on what does not speak HTTP', async () => {
    for (const said of ['SSH-2.0-OpenSSH_9.2\r\n', 'HTTP/1.1 nonsense\r\n\r\n', `HTTP/1.1 200 OK\r\nx: ${'y'.repeat(100_000)}\r\n\r\n`, '\0\0\0\0']) {
      const liar = await startTcp((socket) => socket.end(said))
      addresses['liar'] = `http://127.0.0.1:${liar.port}`
      expect(await ask({ address: 'liar' })).toMatchObject({ verdict: 'failed', message: expect.stringMatching(/does not answer in HTTP|closed the connection/) })
      await liar.stop()
    }
  })

  test('connects to what was resolved and checked, and resolves nothing again', async () => {
    const { port } = new URL(addresses['ingress'] ?? '')
    const resolved: string[] = []
    const resolve = async (host: string): Promise<string[]> => {
      resolved.push(host)
      return ['::1', '127.0.0.1']
    }
    const reach = { ...reachTo({ ingress: `http://pinned.invalid:${port}` }), resolve }
    const sample = await http.sample({ clients: { reach, secret }, clock, signal: AbortSignal.timeout(5_000) }, http.schema.parse({ address: 'ingress', path: '/healthz' }))
    expect(sample).toMatchObject({ verdict: 'passed' })
    expect(asked.at(-1)?.headers.host).toBe(`pinned.invalid:${port}`)
    expect(resolved).toEqual(['pinned.invalid'])
  })

  test('asks a URL only where it leads to an address of the environment', async () => {
    expect(await ask({ url: `${addresses['ingress']}/healthz` })).toMatchObject({ verdict: 'passed' })
    for (const url of ['http://10.255.255.1/', 'https://127.0.0.1:1/', `http://${new URL(addresses['ingress'] ?? '').host}@10.255.255.1/`, `${addresses['ingress']}0/`]) {
      expect(await ask({ url })).toMatchObject({ verdict: 'unknown', message: expect.stringMatching(/is no address that the environment lists|is no http or https address/) })
    }
  })

  test('does not know what it cannot ask', async () => {
    expect(await ask({ address: 'nobody' })).toMatchObject({ verdict: 'unknown', message: expect.stringContaining('nobody.invalid') })
    expect(await ask({ address: 'metadata' })).toMatchObject({ verdict: 'unknown', message: expect.stringContaining('which nothing may reach') })
    expect(await ask({ address: 'database' })).toMatchObject({ verdict: 'unknown', message: 'database is no http or https address' })
    expect(await ask({ address: 'unlisted' })).toMatchObject({ verdict: 'unknown', message: 'probes may not reach unlisted' })
    expect(await ask({ host: 'a\r\nx: y' })).toMatchObject({ verdict: 'unknown', message: expect.stringContaining('cannot be sent') })
  })

  test('needs a certificate that holds', async () => {
    expect(await ask({ address: 'secure', tls: { ca: cert } })).toMatchObject({ verdict: 'passed' })
    expect(await ask({ address: 'secure' })).toMatchObject({ verdict: 'failed', message: expect.stringContaining('not signed by an authority') })
    expect(await ask({ address: 'secure', host: 'orders.example', tls: { ca: cert } })).toMatchObject({ verdict: 'failed', message: expect.stringContaining('for another name') })
    expect(await ask({ address: 'wrong' })).toMatchObject({ verdict: 'failed', message: expect.stringContaining('does not speak TLS') })
  })

  test('counts the days that a certificate has left', async () => {
    clock = new FakeClock(Date.now() - 20.5 * 86_400_000)
    expect(await ask({ address: 'secure', tls: { ca: cert, minDaysLeft: 7 } })).toMatchObject({ verdict: 'passed', value: 20, unit: 'days' })
    expect(await ask({ address: 'secure', tls: { ca: cert, minDaysLeft: 7, warnDaysLeft: 30 } })).toMatchObject({ verdict: 'warned', message: 'the certificate’s days left 20 days, warns below 30 days' })
    expect(await ask({ address: 'secure', tls: { ca: cert, minDaysLeft: 30 } })).toMatchObject({ verdict: 'failed', threshold: '>= 30 days' })
    expect(await ask({ path: '/healthz', tls: { minDaysLeft: 1 } })).toMatchObject({ verdict: 'failed', message: 'the connection has no TLS' })
    clock = systemClock
  })

  test('takes no header that bears credentials, and no half of a question', () => {
    const wrong = [{ address: 'a', headers: { AUTHORIZATION: 'x' } }, { address: 'a', headers: { 'a b': 'x' } }, {}, { address: 'a', url: 'http://a' }, { url: 'http://a', path: '/' }, { url: 'file:///etc/passwd' }, { address: 'a', path: 'x' }, { address: 'a', status: '9xx' }]
    expect(wrong.filter((config) => http.schema.safeParse(config).success)).toEqual([])
  })
})
