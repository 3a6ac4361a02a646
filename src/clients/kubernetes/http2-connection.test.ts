import { createServer as createHttp2Server } from 'node:http2'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
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

test('an answer is whole also where its stream is over before anybody reads it', async () => {
  const server = createHttp2Server()
  server.on('stream', (stream) => {
    stream.resume().once('end', () => {
      stream.respond({ ':status': 200 })
      stream.end('whole')
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
  const connection = http2Connection({ server: new URL('http://127.0.0.1'), insecure: false }, socket as unknown as TLSSocket, new FakeClock())
  const answers = await Promise.all(Array.from({ length: 50 }, () => connection.send({ method: 'PATCH', path: '/', headers: {}, body: '{}' }, new AbortController().signal)))
  for (const { body } of answers) {
    // Streams are closed between two turns of the event loop.
    await new Promise(setImmediate)
    expect(await text(body)).toBe('whole')
  }
  connection.close()
  server.close()
})
