import { afterAll, beforeAll, expect, test } from 'vitest'
import { FakeDnsServer } from '#probes/dns/fake-dns-server.ts'
import { dnsQuery } from './query.ts'

const soon = (): AbortSignal => AbortSignal.timeout(10_000)
const server = new FakeDnsServer((name) => (name.startsWith('none') ? { code: 3 } : { code: name.startsWith('broken') ? 2 : 5 }))
let servers: string[]
beforeAll(async () => {
  servers = [`127.0.0.1:${await server.start()}`]
})
afterAll(() => server.stop())

test('a name that is not there has no records', async () => {
  expect(await dnsQuery({ name: 'none.example', type: 'A', servers }, soon())).toEqual([])
})

test('a server that fails, or refuses, has answered', async () => {
  await expect(dnsQuery({ name: 'broken.example', type: 'A', servers }, soon())).rejects.toMatchObject({ code: 'dns-answer', subject: 'A broken.example', message: expect.stringContaining('SERVFAIL') })
  await expect(dnsQuery({ name: 'closed.example', type: 'TXT', servers }, soon())).rejects.toMatchObject({ code: 'dns-answer', message: expect.stringContaining('REFUSED') })
})

test('where nobody listens there is no answer', async () => {
  const gone = new FakeDnsServer(() => 'silence')
  const port = await gone.start()
  await gone.stop()
  await expect(dnsQuery({ name: 'x.example', type: 'A', servers: [`127.0.0.1:${port}`] }, soon())).rejects.toMatchObject({ code: 'dns-no-answer', message: expect.stringContaining('nothing listens there'), retry: 'later' })
})

test('what is no name is not asked for', async () => {
  await expect(dnsQuery({ name: `${'x'.repeat(300)}.example`, type: 'A', servers }, soon())).rejects.toMatchObject({ code: 'request-invalid' })
})
