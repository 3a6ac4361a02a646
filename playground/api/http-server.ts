import type { IncomingHttpHeaders } from 'node:http'
import { createSecureServer, type Http2SecureServer, type Http2ServerRequest, type Http2ServerResponse, type ServerHttp2Session } from 'node:http2'
import type { AddressInfo, Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { bodyLimit, tooLarge } from './body.ts'
import type { Certificates } from './certificates.ts'
import type { Faults } from './faults.ts'
import { type Answer, type ApiRequest, json, type User, warningHeader } from './request.ts'
import { ApiError, internal } from './status.ts'

export type HttpOptions = {
  readonly certificates: Certificates
  readonly port: number
  /** Whose credentials they are; `undefined` for nobody that is known. `connection` is the same for all requests of one connection. */
  readonly authenticate: (headers: IncomingHttpHeaders, connection: object, socket: () => TLSSocket | undefined) => User | undefined
  /** Who asks then: the user, or whom he impersonates. Throws `ApiError`s. */
  readonly impersonated: (user: User, rawHeaders: readonly string[]) => User
  /** Told of a request of somebody that is known when it comes; what it returns is told who asked, and the answer, once that is whole. */
  readonly audit: (asked: AuditedRequest) => (as: User, answer: Answer) => void
  readonly handle: (request: ApiRequest) => Promise<Answer>
  /** Resolves when everything that was answered so far is on disk. */
  readonly durable: () => Promise<void>
  readonly faults: Faults
  /** What a watch may have waiting for its reader before it is cut off. */
  readonly watchBufferBytes: number
  /** Told of every request; what it returns is told the status of the answer. */
  readonly log: (method: string, path: string) => (status: number) => void
}

export type AuditedRequest = Pick<ApiRequest, 'method' | 'path' | 'query' | 'headers' | 'body'> & { readonly uri: string; readonly by: User; readonly address: string }

export type HttpServer = { readonly port: number; readonly stop: () => Promise<void> }

/** HTTPS on loopback, HTTP/2 and HTTP/1.1 on one port. */
export async function startHttpServer(options: HttpOptions): Promise<HttpServer> {
  const { certificate, ca, key } = options.certificates
  const server = createSecureServer({ allowHTTP1: true, cert: `${certificate}${ca}`, key, ca, requestCert: true, rejectUnauthorized: false, settings: { maxConcurrentStreams: 1000 }, maxSessionMemory: 1000 })
  const open = track(server)
  const ending = new AbortController()
  server.on('request', (request, response) => {
    serve(options, request, response, ending.signal).catch(() => request.destroy())
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port, '127.0.0.1', () => resolve())
  })
  return {
    port: (server.address() as AddressInfo).port,
    stop: async () => {
      ending.abort(new Error('the server stops'))
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      for (const session of open.sessions) session.destroy()
      for (const socket of open.sockets) socket.destroy()
      await closed
    },
  }
}

function track(server: Http2SecureServer): { sessions: Set<ServerHttp2Session>; sockets: Set<Socket> } {
  const sessions = new Set<ServerHttp2Session>()
  const sockets = new Set<Socket>()
  server.on('session', (session) => {
    sessions.add(session)
    session.on('close', () => sessions.delete(session))
    session.on('error', () => {})
  })
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => {})
  })
  server.on('tlsClientError', () => {}) // a client that does not trust us, or speaks no TLS, is its own problem
  server.on('sessionError', () => {})
  return { sessions, sockets }
}

async function serve(options: HttpOptions, request: Http2ServerRequest, response: Http2ServerResponse, ending: AbortSignal): Promise<void> {
  const gone = new AbortController()
  response.on('close', () => gone.abort(new Error('the client went away')))
  response.on('error', () => gone.abort(new Error('the client went away')))
  const signal = AbortSignal.any([gone.signal, ending])
  const url = request.url ?? '/'
  const method = request.method ?? 'GET'
  const answered = options.log(method, url)
  const fault = options.faults.take(method, url)
  if (fault === 'hang') return
  if (fault === 'drop') {
    if (request.httpVersionMajor >= 2) response.stream.close(2) // INTERNAL_ERROR
    else request.socket.destroy()
    return
  }
  const { answer, whole } = fault === undefined ? await answerTo(options, request, method, url, signal) : { answer: fault, whole: () => {} }
  answered(answer.status)
  // An answer that is there is told of before it goes out: who has heard it finds it told.
  if ('body' in answer) whole()
  await send(options, response, answer, method, signal)
  if (!('body' in answer)) whole()
}

async function answerTo(options: HttpOptions, request: Http2ServerRequest, method: string, url: string, signal: AbortSignal): Promise<{ answer: Answer; whole: () => void }> {
  let answer: Answer
  let user: User | undefined
  let audit: ReturnType<HttpOptions['audit']> | undefined
  try {
    const headers = request.headers as Record<string, string | undefined>
    const { pathname, searchParams } = parseUrl(url)
    const body = await readBody(request)
    const connection = request.httpVersionMajor >= 2 ? request.stream.session : request.socket
    const socket = (): TLSSocket | undefined => (request.httpVersionMajor >= 2 ? request.stream.session?.socket : request.socket) as TLSSocket | undefined
    const asked = { method, path: pathname, query: searchParams, headers, body }
    user = options.authenticate(request.headers, connection ?? request, socket)
    if (user === undefined) {
      if (!/^\/(?:healthz|livez|readyz|version)$/.test(pathname)) throw new ApiError(401, 'Unauthorized', 'Unauthorized')
      return { answer: await options.handle({ ...asked, user: { ...anonymous }, signal }), whole: () => {} }
    }
    audit = options.audit({ ...asked, uri: url, by: user, address: request.socket.remoteAddress ?? '' })
    user = options.impersonated(user, request.rawHeaders)
    answer = await options.handle({ ...asked, user, signal })
    await options.durable()
  } catch (error) {
    const failure = error instanceof ApiError ? error : internal(`Internal error occurred: ${error instanceof Error ? error.message : String(error)}`)
    answer = json(failure.code, failure.status, warningHeader(failure.warnings))
  }
  const [as, done, told] = [user, audit, answer]
  return { answer, whole: () => as !== undefined && done?.(as, told) }
}

const anonymous: User = { name: 'system:anonymous', groups: ['system:unauthenticated'] }

function parseUrl(url: string): { pathname: string; searchParams: URLSearchParams } {
  const at = url.indexOf('?')
  return at < 0 ? { pathname: url, searchParams: new URLSearchParams() } : { pathname: url.slice(0, at), searchParams: new URLSearchParams(url.slice(at + 1)) }
}

async function readBody(request: Http2ServerRequest): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  // What is too large is read to its end and thrown away, so that the client hears the answer instead of a broken pipe.
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size <= bodyLimit) chunks.push(chunk)
    else chunks.length = 0
    if (size > 10 * bodyLimit) break
  }
  if (size > bodyLimit) throw tooLarge()
  return Buffer.concat(chunks)
}

async function send(options: HttpOptions, response: Http2ServerResponse, answer: Answer, method: string, signal: AbortSignal): Promise<void> {
  if (response.writableEnded || response.destroyed || signal.aborted) return
  response.statusCode = answer.status
  for (const [name, value] of Object.entries({ 'cache-control': 'no-cache, private', ...answer.headers })) response.setHeader(name, value)
  if ('body' in answer) {
    const bytes = Buffer.from(answer.body)
    if (answer.status !== 304) response.setHeader('content-length', bytes.length)
    if (method === 'HEAD' || answer.status === 304) response.end()
    else response.end(bytes)
    return
  }
  if ('flushHeaders' in response) (response as unknown as { flushHeaders(): void }).flushHeaders()
  else (response as Http2ServerResponse).writeHead(answer.status)
  try {
    await answer.stream({
      write: (text) => {
        if (signal.aborted || response.writableEnded) return
        // Who reads too slowly is cut off, as the real server does: it lists again.
        if (response.writableLength > options.watchBufferBytes) response.end()
        else response.write(text)
      },
      signal,
    })
  } finally {
    if (!response.writableEnded && !response.destroyed) response.end()
  }
}
