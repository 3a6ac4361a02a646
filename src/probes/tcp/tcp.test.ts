import { afterEach, describe, expect, test } from 'vitest'
import { systemClock } from '#lib/clock.ts'
import type { Sample } from '#model/probe.ts'
import { closedPort, reachTo, startTcp } from '../testing.ts'
import { tcp } from './tcp.ts'

const stops: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop()
})

async function place(connected: Parameters<typeof startTcp>[0]): Promise<string> {
  const { port, stop } = await startTcp(connected)
  stops.push(stop)
  return `127.0.0.1:${port}`
}

async function ask(address: string, config: object = {}, ms = 5_000): Promise<Sample> {
  return tcp.sample({ clients: { reach: reachTo({ it: address }) }, clock: systemClock, signal: AbortSignal.timeout(ms) }, tcp.schema.parse({ address: 'it', ...config }))
}

describe('the tcp probe', () => {
  test('passes where a connection is accepted', async () => {
    const address = await place(() => {})
    expect(await ask(address)).toMatchObject({ signal: 'reachability', verdict: 'passed', target: `connect ${address}`, threshold: 'accepts connections', message: 'connected' })
    expect(await ask(`http://${address}/path`)).toMatchObject({ verdict: 'passed' })
    expect(await ask(address.replace('127.0.0.1', 'localhost'))).toMatchObject({ verdict: 'passed' })
  })

  test('connects to what was resolved and checked, and resolves nothing again', async () => {
    const address = (await place(() => {})).replace('127.0.0.1', 'pinned.invalid')
    const reach = { ...reachTo({ it: address }), resolve: async () => ['::1', '127.0.0.1'] }
    expect(await tcp.sample({ clients: { reach }, clock: systemClock, signal: AbortSignal.timeout(5_000) }, { address: 'it' })).toMatchObject({ verdict: 'passed' })
  })

  test('fails where none is', async () => {
    const port = await closedPort()
    expect(await ask(`127.0.0.1:${port}`)).toMatchObject({ verdict: 'failed', message: `connection refused by 127.0.0.1:${port}` })
    expect(await ask(`localhost:${port}`)).toMatchObject({ verdict: 'failed', message: `connection refused by localhost:${port}` })
  })

  test('reads a banner that comes in pieces', async () => {
    const address = await place((socket) => socket.write('220 mail.exa', () => setImmediate(() => socket.write('mple ESMTP\r\n'))))
    expect(await ask(address, { expect: 'mail.example ESMTP' })).toMatchObject({ verdict: 'passed', message: 'connected, and was answered with “mail.example ESMTP”' })
  })

  test('says something first, and listens then', async () => {
    const address = await place((socket) => socket.on('data', (said: Buffer) => socket.end(String(said) === 'PING\r\n' ? '+PONG\r\n' : '-ERR\r\n')))
    expect(await ask(address, { send: 'PING\r\n', expect: '+PONG' })).toMatchObject({ verdict: 'passed' })
    expect(await ask(address, { send: 'QUIT\r\n', expect: '+PONG' })).toMatchObject({ verdict: 'failed', message: 'connected, but what was said does not contain “+PONG”' })
  })

  test('fails where nothing, or something without end, is said', async () => {
    expect(await ask(await place((socket) => socket.end()), { expect: 'x' })).toMatchObject({ verdict: 'failed', message: 'connected, but nothing was said: expected “x”' })
    expect(await ask(await place(() => {}), { expect: 'x' }, 200)).toMatchObject({ verdict: 'failed', message: expect.stringMatching(/^answer: timed out/) })
    const endless = await place((socket) => {
      const write = (): void => {
        while (!socket.destroyed && socket.write('y'.repeat(65_536)));
      }
      socket.on('drain', write)
      write()
    })
    expect(await ask(endless, { expect: 'x' })).toMatchObject({ verdict: 'failed', message: 'connected, but what was said does not contain “x”' })
  })

  test('measures how long it took', async () => {
    expect(await ask(await place(() => {}), { latency: { max: '5s' } })).toMatchObject({ signal: 'latency', verdict: 'passed', unit: 'ms', value: expect.any(Number) })
  })

  test('does not know what it cannot ask', async () => {
    expect(await ask('127.0.0.1')).toMatchObject({ verdict: 'unknown', message: 'address it has no host and port' })
    expect(await ask('[fe80::1]:80')).toMatchObject({ verdict: 'unknown', message: expect.stringContaining('which nothing may reach') })
    expect(await ask('nobody.invalid:80')).toMatchObject({ verdict: 'unknown' })
    expect(await ask('127.0.0.1:99999')).toMatchObject({ verdict: 'unknown' })
  })
})
