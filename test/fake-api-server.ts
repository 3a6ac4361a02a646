import { createSecureServer, type Http2ServerRequest, type Http2ServerResponse, type ServerHttp2Session } from 'node:http2'
import { createServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { selfSigned } from './certificates.ts'

type FakeRequest = { readonly method: string; readonly path: string; readonly query: URLSearchParams; readonly headers: Readonly<Record<string, string>>; readonly body: string; readonly session: number }
export type FakeAnswer = {
  json(status: number, body: unknown, headers?: Record<string, string>): void
  status(code: number, reason: string, message: string, details?: unknown, headers?: Record<string, string>): void
  text(status: number, body: string): void
  /** Begins a stream of lines. */
  lines(): { write(value: unknown): void; raw(text: string): void; end(): void; reset(): void }
  /** Ends the connection under the request. */
  drop(): void
  /** Refuses the stream: the server has not looked at it. */
  refuse(): void
}
export type FakeHandler = (request: FakeRequest, answer: FakeAnswer) => void | Promise<void>

export type FakeApiServer = {
  readonly kubeconfig: string
  readonly context: string
  readonly origin: string
  readonly requests: FakeRequest[]
  handle: FakeHandler
  /** How many connections were ever accepted. */
  connections(): number
  /** Says GOAWAY on every session, as a server that shuts down does. */
  goaway(): void
  dropAll(): void
  stop(): Promise<void>
}

/** A server that speaks TLS, and HTTP/2 or only HTTP/1.1, and answers as a test tells it: for the faults that a true server seldom shows. */
export async function startFakeApiServer(handle: FakeHandler, options: { protocol?: 'h2' | 'http/1.1'; user?: object } = {}): Promise<FakeApiServer> {
  const { key, cert } = selfSigned()
  const requests: FakeRequest[] = []
  const sockets = new Set<Socket>()
  const sessions = new Map<ServerHttp2Session, number>()
  let accepted = 0
  const fake = { handle }
  const serve = async (incoming: Http2ServerRequest, outgoing: Http2ServerResponse): Promise<void> => {
    const url = new URL(incoming.url, 'https://fake')
    const chunks: Buffer[] = []
    for await (const chunk of incoming) chunks.push(chunk as Buffer)
    const headers = Object.fromEntries(Object.entries(incoming.headers).map(([name, value]) => [name, String(value)]))
    const session = (incoming.stream?.session && sessions.get(incoming.stream.session as ServerHttp2Session)) || accepted
    const request = { method: incoming.method, path: url.pathname, query: url.searchParams, headers, body: Buffer.concat(chunks).toString(), session }
    requests.push(request)
    await fake.handle(request, answerOn(incoming, outgoing))
  }
  const listener = (incoming: unknown, outgoing: unknown): void => {
    void serve(incoming as Http2ServerRequest, outgoing as Http2ServerResponse).catch(() => {})
  }
  const server = options.protocol === 'http/1.1' ? createServer({ key, cert }, listener) : createSecureServer({ key, cert, allowHTTP1: true }, listener)
  server.on('secureConnection', (socket: Socket) => {
    accepted += 1
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
  })
  server.on('session', (session: ServerHttp2Session) => {
    sessions.set(session, accepted)
    session.on('error', () => {})
    session.on('close', () => sessions.delete(session))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const origin = `https://127.0.0.1:${(server.address() as AddressInfo).port}`
  const folder = await mkdtemp(join(tmpdir(), 'plumbline-fake-'))
  const kubeconfig = join(folder, 'kubeconfig')
  await writeFile(kubeconfig, JSON.stringify(configOf(origin, cert, options.user ?? { token: 'fake-token' })), { mode: 0o600 })
  return Object.assign(fake, {
    kubeconfig,
    context: 'fake',
    origin,
    requests,
    connections: () => accepted,
    goaway: () => {
      for (const session of sessions.keys()) session.close()
    },
    dropAll: () => {
      for (const socket of sockets) socket.destroy()
    },
    stop: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise<void>((resolve) => server.close(() => resolve()))
      await rm(folder, { recursive: true, force: true })
    },
  })
}

function answerOn(incoming: Http2ServerRequest, outgoing: Http2ServerResponse): FakeAnswer {
  const json = (status: number, body: unknown, headers: Record<string, string> = {}): void => {
    outgoing.writeHead(status, { 'content-type': 'application/json', ...headers })
    outgoing.end(JSON.stringify(body))
  }
  return {
    json,
    status: (code, reason, message, details = {}, headers = {}) =>
      json(code, { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason, details, code }, headers),
    text: (status, body) => {
      outgoing.writeHead(status, { 'content-type': 'text/plain' })
      outgoing.end(body)
    },
    lines: () => {
      outgoing.writeHead(200, { 'content-type': 'application/json' })
      return {
        write: (value) => void outgoing.write(`${JSON.stringify(value)}\n`),
        raw: (text) => void outgoing.write(text),
        end: () => void outgoing.end(),
        reset: () => (outgoing.stream === undefined ? void incoming.socket.destroy() : outgoing.stream.close(8)),
      }
    },
    drop: () => void (incoming.stream?.session ?? incoming.socket).destroy(),
    refuse: () => incoming.stream?.close(7),
  }
}

function configOf(server: string, ca: string, user: object): object {
  return {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'fake', cluster: { server, 'certificate-authority-data': Buffer.from(ca).toString('base64') } }],
    users: [{ name: 'fake', user }],
    contexts: [{ name: 'fake', context: { cluster: 'fake', user: 'fake' } }],
    'current-context': 'fake',
  }
}
