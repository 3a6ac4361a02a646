import { connect, constants, type ClientHttp2Session, type ClientHttp2Stream, type IncomingHttpHeaders } from 'node:http2'
import type { TLSSocket } from 'node:tls'
import type { Clock } from '#lib/clock.ts'
import { LostConnection, type Answer, type Connection, type Endpoint, type Outgoing } from './transport.ts'

/** A quiet connection is asked this often whether its peer lives, and given up after `pongMs` without an answer. */
const pingMs = 15_000
const pongMs = 10_000
/** A server that lets more streams be open at once (250, or 100 for some) gets a second session sooner than it refuses one. */
const mostStreams = 100

/** One HTTP/2 session on a socket whose handshake is done. */
export function http2Connection(endpoint: Endpoint, socket: TLSSocket, clock: Clock): Connection {
  const session = connect(endpoint.server.origin, {
    createConnection: () => socket,
    settings: { enablePush: false, initialWindowSize: 4 * 1024 * 1024 },
    maxSessionMemory: 256,
  })
  const over = new AbortController()
  let leaving = false
  // A server that restarts says GOAWAY: what it has begun is finished on this session, what is new needs another.
  session.on('goaway', () => (leaving = true))
  session.on('error', () => {})
  session.once('close', () => over.abort())
  session.once('connect', () => session.setLocalWindowSize(16 * 1024 * 1024))
  void keepAlive(session, clock, over.signal)
  let streams = 0
  const ended = () => session.closed || session.destroyed
  const usable = () => !leaving && !ended() && streams < Math.min(mostStreams, session.remoteSettings?.maxConcurrentStreams ?? mostStreams)
  return {
    protocol: 'h2',
    usable,
    ended,
    send: (request, signal) => {
      if (leaving || ended()) throw new LostConnection('no', new Error('the session is over'))
      streams += 1
      return send(session, request, signal, () => (streams -= 1))
    },
    close: () => session.destroy(),
  }
}

async function keepAlive(session: ClientHttp2Session, clock: Clock, ended: AbortSignal): Promise<void> {
  try {
    for (;;) {
      await clock.sleep(pingMs, ended)
      const answered = new AbortController()
      session.ping(() => answered.abort())
      // Woken by the pong or the end of the session; if neither comes, the peer is gone.
      await clock.sleep(pongMs, AbortSignal.any([answered.signal, ended])).then(
        () => session.destroy(new Error(`the server did not answer a ping within ${pongMs / 1000} s`)),
        () => {},
      )
    }
  } catch {
    // The session has ended.
  }
}

function send(session: ClientHttp2Session, request: Outgoing, signal: AbortSignal, closed: () => void): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>()
  let stream: ClientHttp2Stream
  try {
    stream = session.request(
      { ':method': request.method, ':path': request.path, ...request.headers },
      { endStream: request.body === undefined },
    )
  } catch (error) {
    closed()
    return Promise.reject(new LostConnection('no', error))
  }
  const lost = (error: unknown) => {
    const untouched = stream.rstCode === constants.NGHTTP2_REFUSED_STREAM || stream.id === undefined
    return new LostConnection(untouched ? 'no' : 'perhaps', error)
  }
  const abort = () => {
    reject(signal.reason)
    stream.close(constants.NGHTTP2_CANCEL)
  }
  if (signal.aborted) abort()
  signal.addEventListener('abort', abort, { once: true })
  stream.once('error', (error) => reject(lost(error)))
  stream.once('close', () => {
    closed()
    signal.removeEventListener('abort', abort)
    reject(lost(new Error('the stream was closed without an answer')))
  })
  stream.once('response', (headers) => {
    resolve({
      status: headers[':status'] ?? 0,
      headers: plainHeaders(headers),
      body: body(stream, signal, lost),
      discard: () => stream.close(constants.NGHTTP2_CANCEL),
    })
  })
  if (request.body !== undefined) stream.end(request.body)
  return promise
}

async function* body(stream: ClientHttp2Stream, signal: AbortSignal, lost: (error: unknown) => LostConnection): AsyncGenerator<Uint8Array> {
  let whole = false
  try {
    yield* stream as AsyncIterable<Uint8Array>
    whole = true
  } catch (error) {
    signal.throwIfAborted()
    // A stream that is closed by the time somebody reads it is told to be closed too early, also where it was read to its end.
    if (!stream.readableEnded) throw lost(error)
    whole = true
  } finally {
    if (!whole) stream.close(constants.NGHTTP2_CANCEL)
  }
  signal.throwIfAborted()
  // To a reader, a stream that the peer has reset looks like one that has ended.
  if ((stream.rstCode ?? constants.NGHTTP2_NO_ERROR) !== constants.NGHTTP2_NO_ERROR) throw lost(new Error('the answer was cut short'))
}

function plainHeaders(headers: IncomingHttpHeaders): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).flatMap(([name, value]) => (value === undefined || name.startsWith(':') ? [] : [[name, Array.isArray(value) ? value.join(', ') : String(value)]])))
}
