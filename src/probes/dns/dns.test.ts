import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { systemClock } from '#lib/clock.ts'
import type { Sample } from '#model/probe.ts'
import { dnsmasqMissing, startDnsmasq } from '../../../test/dnsmasq.ts'
import { reachTo } from '../testing.ts'
import { dns } from './dns.ts'
import { FakeDnsServer, a, cname, mx, srv, txt } from './fake-dns-server.ts'
import type { FakeAnswer } from './fake-dns-server.ts'

const zone: Record<string, FakeAnswer> = {
  'orders.example': { records: [a('10.0.0.2'), a('10.0.0.1')] },
  'alias.example': { records: [cname('Orders.Example')] },
  'text.example': { records: [txt('v=spf1 ', 'include:mail.example'), txt('Other')] },
  'mail.example': { records: [mx(10, 'mx1.example'), mx(20, 'mx2.example')] },
  '_sip._tcp.example': { records: [srv(0, 5, 5060, 'sip.example')] },
  'empty.example': { records: [] },
  'broken.example': { code: 2 },
  'refused.example': { code: 5 },
  'stranger.example': 'stranger',
  'garbage.example': 'garbage',
}
const server = new FakeDnsServer((name) => zone[name] ?? { code: 3 })
let port = 0
beforeAll(async () => {
  port = await server.start()
})
afterAll(() => server.stop())

async function ask(config: object, ms = 5_000): Promise<Sample> {
  const reach = reachTo({ ns: `127.0.0.1:${port}`, metadata: '169.254.169.254', nobody: 'ns.invalid' })
  return dns.sample({ clients: { reach }, clock: systemClock, signal: AbortSignal.timeout(ms) }, dns.schema.parse({ resolver: 'ns', ...config }))
}

describe('the dns probe', () => {
  test('gives the records that it found', async () => {
    expect(await ask({ name: 'orders.example' })).toMatchObject({ verdict: 'passed', value: ['10.0.0.2', '10.0.0.1'], target: 'A orders.example at ns', message: 'A orders.example is “10.0.0.2”, “10.0.0.1”', threshold: 'at least 1 record' })
  })

  test('reads every type of record', async () => {
    expect(await ask({ name: 'alias.example', type: 'CNAME', equals: 'orders.example.' })).toMatchObject({ verdict: 'passed' })
    expect(await ask({ name: 'text.example', type: 'TXT', contains: 'v=spf1 include:mail.example' })).toMatchObject({ verdict: 'passed' })
    expect(await ask({ name: 'text.example', type: 'TXT', contains: 'other' })).toMatchObject({ verdict: 'failed' })
    expect(await ask({ name: 'mail.example', type: 'MX', equals: ['20 mx2.example', '10 mx1.example'] })).toMatchObject({ verdict: 'passed' })
    expect(await ask({ name: '_sip._tcp.example', type: 'SRV', contains: '0 5 5060 sip.example' })).toMatchObject({ verdict: 'passed' })
  })

  test('holds the records against its rules', async () => {
    expect(await ask({ name: 'orders.example', contains: '10.0.0.9' })).toMatchObject({ verdict: 'failed', message: 'A orders.example is “10.0.0.2”, “10.0.0.1”, expected “10.0.0.9” among them' })
    expect(await ask({ name: 'orders.example', equals: '10.0.0.1' })).toMatchObject({ verdict: 'failed' })
    expect(await ask({ name: 'orders.example', min: 3 })).toMatchObject({ verdict: 'failed', message: 'A orders.example has 2 records, at least 3 expected' })
    expect(await ask({ name: 'orders.example', min: 2 })).toMatchObject({ verdict: 'passed' })
  })

  test('fails where a name does not exist, or has nothing of that type', async () => {
    expect(await ask({ name: 'gone.example' })).toMatchObject({ verdict: 'failed', message: 'A gone.example has 0 records, at least 1 expected', value: [] })
    expect(await ask({ name: 'empty.example' })).toMatchObject({ verdict: 'failed' })
    expect(await ask({ name: 'gone.example', equals: [] })).toMatchObject({ verdict: 'passed' })
  })

  test('fails where the server says that it fails', async () => {
    expect(await ask({ name: 'broken.example' })).toMatchObject({ verdict: 'failed', message: 'the name server answers that it failed (SERVFAIL)' })
    expect(await ask({ name: 'refused.example' })).toMatchObject({ verdict: 'failed', message: 'the name server answers that it refuses (REFUSED)' })
  })

  test('is not taken in by an answer with another id', async () => {
    expect(await ask({ name: 'stranger.example' }, 300)).toMatchObject({ verdict: 'failed', message: expect.stringMatching(/^name server: timed out after 0\.3 s$/) })
  })

  test('fails where the answer makes no sense', async () => {
    expect((await ask({ name: 'garbage.example' }, 1_000)).verdict).toBe('failed')
  })

  test('does not know where the name server may not be asked, or has no address', async () => {
    expect(await ask({ name: 'orders.example', resolver: 'metadata' })).toMatchObject({ verdict: 'unknown', message: expect.stringContaining('which nothing may reach') })
    expect(await ask({ name: 'orders.example', resolver: 'nobody' })).toMatchObject({ verdict: 'unknown', message: 'no address is known for ns.invalid' })
    expect(await ask({ name: 'orders.example', resolver: 'other' })).toMatchObject({ verdict: 'unknown' })
  })

  test('asks several name servers, which must all answer, and agree', async () => {
    const others = [new FakeDnsServer((name) => (name === 'orders.example' ? { records: [a('10.0.0.1'), a('10.0.0.2')] } : name === 'split.example' ? { records: [a('10.0.0.9')] } : { code: 5 })), new FakeDnsServer(() => 'silence')] as const
    const reach = reachTo({ ns: `127.0.0.1:${port}`, second: `127.0.0.1:${await others[0].start()}`, silent: `127.0.0.1:${await others[1].start()}`, closed: '127.0.0.1:9', metadata: '169.254.169.254' })
    zone['split.example'] = { records: [a('10.0.0.1')] }
    const agree = (resolvers: string[], more: object = {}, ms = 5_000): Promise<Sample> =>
      dns.sample({ clients: { reach }, clock: systemClock, signal: AbortSignal.timeout(ms) }, dns.schema.parse({ name: 'orders.example', resolvers, ...more }))
    expect(await agree(['ns', 'second'])).toMatchObject({ signal: 'diff', verdict: 'passed', value: 0, target: 'A orders.example at ns, second', threshold: 'at least 1 record, the same at all', message: '2 name servers agree: A orders.example is “10.0.0.2”, “10.0.0.1”' })
    expect(await agree(['ns', 'second'], { name: 'split.example' })).toMatchObject({ verdict: 'failed', value: 1, message: 'the name servers differ: A split.example is “10.0.0.1” at ns, and “10.0.0.9” at second' })
    expect(await agree(['ns', 'second'], { contains: '10.0.0.7' })).toMatchObject({ verdict: 'failed', value: 0, message: expect.stringMatching(/^ns: .*expected “10\.0\.0\.7” among them$/) })
    expect(await agree(['ns', 'second'], { name: 'gone.example' })).toMatchObject({ verdict: 'failed', message: 'ns: A gone.example has 0 records, at least 1 expected' })
    expect(await agree(['ns', 'second'], { name: 'empty.example', min: 0 })).toMatchObject({ verdict: 'failed', value: 1, message: 'second: the name server answers that it refuses (REFUSED)' })
    expect(await agree(['ns', 'silent'], {}, 300)).toMatchObject({ verdict: 'failed', message: expect.stringMatching(/^name servers: timed out/) })
    expect(await agree(['ns', 'metadata'])).toMatchObject({ verdict: 'unknown', message: expect.stringContaining('which nothing may reach') })
    expect(await agree(['ns', 'elsewhere'])).toMatchObject({ verdict: 'unknown', message: 'probes may not reach elsewhere' })
    for (const other of others) await other.stop()
  })

  test('does not know what is no name', async () => {
    expect(await ask({ name: `${'a'.repeat(80)}.example` })).toMatchObject({ verdict: 'unknown', message: 'this is no name that can be asked for' })
  })
})

const missing = dnsmasqMissing()
describe.skipIf(missing !== undefined)(`the dns probe, at a real name server${missing === undefined ? '' : ` (${missing})`}`, () => {
  let real: Awaited<ReturnType<typeof startDnsmasq>> | undefined
  beforeAll(async () => {
    real = await startDnsmasq(['--host-record=orders.example,10.0.0.1,fd00::1', '--cname=alias.example,orders.example', '--txt-record=text.example,v=spf1 ,include:mail.example', '--mx-host=mail.example,mx1.example,10', '--mx-host=mail.example,mx2.example,20', '--srv-host=_sip._tcp.example,sip.example,5060,0,5'])
  })
  afterAll(() => real?.stop())
  const askReal = async (config: object): Promise<Sample> => {
    const reach = reachTo({ ns: `127.0.0.1:${real?.port}` })
    return dns.sample({ clients: { reach }, clock: systemClock, signal: AbortSignal.timeout(5_000) }, dns.schema.parse({ resolver: 'ns', ...config }))
  }

  test('reads every type of record', async () => {
    expect(await askReal({ name: 'orders.example' })).toMatchObject({ verdict: 'passed', value: ['10.0.0.1'] })
    expect(await askReal({ name: 'orders.example', type: 'AAAA', equals: 'fd00::1' })).toMatchObject({ verdict: 'passed' })
    expect(await askReal({ name: 'alias.example', type: 'CNAME', equals: 'orders.example.' })).toMatchObject({ verdict: 'passed' })
    expect(await askReal({ name: 'text.example', type: 'TXT', contains: 'v=spf1 include:mail.example' })).toMatchObject({ verdict: 'passed' })
    expect(await askReal({ name: 'mail.example', type: 'MX', equals: ['20 mx2.example', '10 mx1.example'] })).toMatchObject({ verdict: 'passed' })
    expect(await askReal({ name: '_sip._tcp.example', type: 'SRV', contains: '0 5 5060 sip.example' })).toMatchObject({ verdict: 'passed' })
  })

  test('tells a name that is not there from a server that refuses', async () => {
    expect(await askReal({ name: 'gone.example' })).toMatchObject({ verdict: 'failed', message: 'A gone.example has 0 records, at least 1 expected' })
    expect(await askReal({ name: 'elsewhere.test' })).toMatchObject({ verdict: 'failed', message: 'the name server answers that it refuses (REFUSED)' })
  })
})
