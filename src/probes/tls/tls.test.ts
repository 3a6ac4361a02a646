import { createServer } from 'node:tls'
import type { Server } from 'node:tls'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { FakeClock, systemClock } from '#lib/clock.ts'
import type { Clock } from '#lib/clock.ts'
import type { Sample } from '#model/probe.ts'
import { issue } from '../../../test/certificates.ts'
import type { Issued } from '../../../test/certificates.ts'
import { closedPort, listen, reachTo, startTcp } from '../testing.ts'
import { tls } from './tls.ts'

const day = 86_400_000
const root = issue({ commonName: 'Root', isAuthority: true, to: 400 * day })
const between = issue({ commonName: 'Between', isAuthority: true, issuer: root, to: 5.5 * day })
const stranger = issue({ commonName: 'Stranger', isAuthority: true, to: 400 * day })
const leafOf = (issuer: Issued, more: Partial<Parameters<typeof issue>[0]> = {}): Issued => issue({ commonName: 'shop', names: ['shop.example', '*.shop.example', '127.0.0.1'], issuer, to: 30.5 * day, ...more })
const servers: Server[] = []
let addresses: Record<string, string> = {}

async function serve({ key, cert }: Issued, chain = ''): Promise<string> {
  const server = createServer({ key, cert: `${cert}${chain}` }, (socket) => socket.on('error', () => {}).end()).on('tlsClientError', () => {})
  servers.push(server)
  return `127.0.0.1:${await listen(server)}`
}

beforeAll(async () => {
  addresses = {
    good: await serve(leafOf(root)),
    chained: await serve(leafOf(between), between.cert),
    'without-chain': await serve(leafOf(between)),
    expired: await serve(leafOf(root, { from: -10 * day, to: -2.5 * day })),
    early: await serve(leafOf(root, { from: day })),
    'signs-itself': await serve(issue({ commonName: 'shop', names: ['shop.example'] })),
    foreign: await serve(leafOf(stranger)),
    closed: `127.0.0.1:${await closedPort()}`,
    metadata: '169.254.169.254:443',
    nobody: 'https://nobody.invalid',
  }
})
afterAll(() => Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve)))))

async function ask(address: string, config: object = {}, { ms = 5_000, clock = systemClock as Clock } = {}): Promise<Sample> {
  return tls.sample({ clients: { reach: reachTo(addresses) }, clock, signal: AbortSignal.timeout(ms) }, tls.schema.parse({ address, host: 'shop.example', ca: root.cert, ...config }))
}

describe('the tls probe', () => {
  test('passes where the chain holds for the names, and says how many days are left', async () => {
    expect(await ask('good', { names: ['www.shop.example'], minDaysLeft: 7, warnDaysLeft: 21 })).toMatchObject({
      signal: 'count', verdict: 'passed', value: 30, unit: 'days', target: `certificates of shop.example at ${addresses['good']}`,
      threshold: 'holds for shop.example, www.shop.example, >= 7 days, warns below 21 days', message: 'the certificate’s days left 30 days',
    })
    expect(await ask('good', { host: undefined })).toMatchObject({ verdict: 'passed', target: `certificates of ${addresses['good']}` })
  })

  test('counts the days of the whole chain', async () => {
    expect(await ask('chained', { minDaysLeft: 1, warnDaysLeft: 10 })).toMatchObject({ verdict: 'warned', value: 5, message: 'the days left of “Between”, which signed it, 5 days, warns below 10 days' })
    expect(await ask('good', { minDaysLeft: 31 })).toMatchObject({ verdict: 'failed', value: 30, message: 'the certificate’s days left 30 days, at least 31 days expected' })
    const later = new FakeClock(Date.now() + 29 * day)
    expect(await ask('good', { minDaysLeft: 7 }, { clock: later })).toMatchObject({ verdict: 'failed', value: 1 })
  })

  test.each([
    ['without-chain', 'the certificate is not signed by an authority that is trusted here'],
    ['expired', 'the certificate has expired'],
    ['early', 'the certificate is not valid yet'],
    ['signs-itself', 'the certificate is not signed by an authority that is trusted here'],
    ['foreign', 'the certificate is not signed by an authority that is trusted here'],
  ])('fails on a chain that does not hold: %s', async (address, why) => {
    expect(await ask(address)).toMatchObject({ verdict: 'failed', unit: 'days', value: expect.any(Number), message: `the chain does not hold: ${why}` })
  })

  test('trusts the system’s authorities alone where none are given', async () => {
    expect(await ask('good', { ca: undefined })).toMatchObject({ verdict: 'failed', message: expect.stringContaining('not signed by an authority') })
  })

  test('fails on a certificate for other names', async () => {
    expect(await ask('good', { host: 'other.example' })).toMatchObject({ verdict: 'failed', message: 'the certificate is not for “other.example”, but for “shop.example”, “*.shop.example”, “127.0.0.1”' })
    expect(await ask('good', { names: ['a.b.shop.example'] })).toMatchObject({ verdict: 'failed', message: expect.stringContaining('not for “a.b.shop.example”') })
  })

  test('fails on what refuses, hangs, or speaks no TLS', async () => {
    expect(await ask('closed')).toMatchObject({ verdict: 'failed', message: `connection refused by ${addresses['closed']}` })
    for (const [said, why] of [['', /^handshake: timed out after 0\.\d s$/], ['HTTP/1.1 400 Bad Request\r\n\r\n', /does not speak TLS/]] as const) {
      const other = await startTcp((socket) => (said === '' ? undefined : socket.write(said)))
      addresses['other'] = `127.0.0.1:${other.port}`
      expect(await ask('other', {}, { ms: 300 })).toMatchObject({ verdict: 'failed', message: expect.stringMatching(why) })
      await other.stop()
    }
    const gone = await startTcp((socket) => socket.destroy())
    addresses['gone'] = `127.0.0.1:${gone.port}`
    expect(await ask('gone')).toMatchObject({ verdict: 'failed', message: expect.stringContaining('closed the connection') })
    await gone.stop()
  })

  test('does not know what it cannot ask', async () => {
    expect(await ask('metadata')).toMatchObject({ verdict: 'unknown', message: expect.stringContaining('which nothing may reach') })
    expect(await ask('nobody')).toMatchObject({ verdict: 'unknown' })
    expect(await ask('unlisted')).toMatchObject({ verdict: 'unknown', message: 'probes may not reach unlisted' })
  })
})
