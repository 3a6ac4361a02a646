import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { expect, test } from 'vitest'
import { FakeClock } from '#lib/clock.ts'
import { http2Connection } from './http2-connection.ts'
import { LostConnection } from './transport.ts'

test('a peer that answers no ping is given up, and with it what was under way', async () => {
  // It takes whatever comes, and never says a word: as a machine does whose power is gone.
  const held: Socket[] = []
  const server = createServer((socket) => void held.push(socket.resume()))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
  const clock = new FakeClock()
  const connection = http2Connection({ server: new URL('https://127.0.0.1'), insecure: false }, socket as unknown as TLSSocket, clock)
  let lost: unknown
  connection.send({ method: 'GET', path: '/', headers: {} }, new AbortController().signal).catch((error: unknown) => (lost = error))
  await expect.poll(() => held.length).toBe(1)
  clock.advance(15_000)
  expect(connection.usable()).toBe(true)
  await expect.poll(() => {
    clock.advance(1_000)
    return lost
  }).toBeInstanceOf(LostConnection)
  expect((lost as LostConnection).message).toContain('did not answer a ping')
  expect(connection.usable()).toBe(false)
  for (const one of held) one.destroy()
  server.close()
})
