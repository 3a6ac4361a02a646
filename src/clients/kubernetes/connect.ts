import { connect as connectTcp } from 'node:net'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import type { Clock } from '#lib/clock.ts'
import { http2Connection } from './http2-connection.ts'
import { LostConnection, type Connection, type Endpoint } from './transport.ts'

/** How long a handshake may take. */
const handshakeMs = 10_000

/** Connects, and speaks HTTP/2 where the server negotiates it, else HTTP/1.1. Throws `LostConnection` or the signal's reason. */
export async function connect(endpoint: Endpoint, clock: Clock, signal: AbortSignal): Promise<Connection> {
  signal.throwIfAborted()
  // Without TLS (a local `kubectl proxy`) there is no negotiation.
  if (endpoint.server.protocol === 'http:') return await overHttp1(endpoint)
  const socket = await handshake(endpoint, signal)
  if (socket.alpnProtocol === 'h2') return http2Connection(endpoint, socket, clock)
  socket.destroy()
  return await overHttp1(endpoint)
}

/** Few servers need it, and it is large: loaded for the first of them. */
async function overHttp1(endpoint: Endpoint): Promise<Connection> {
  const { http1Connection } = await import('./http1-connection.ts')
  return http1Connection(endpoint)
}

async function handshake(endpoint: Endpoint, signal: AbortSignal): Promise<TLSSocket> {
  const { promise, resolve, reject } = Promise.withResolvers<TLSSocket>()
  const host = endpoint.server.hostname.replace(/^\[|\]$/g, '')
  const tcp = connectTcp({ host, port: Number(endpoint.server.port || 443), noDelay: true, keepAlive: true, keepAliveInitialDelay: 15_000 })
  const socket = connectTls({
    socket: tcp,
    ALPNProtocols: ['h2', 'http/1.1'],
    ...tlsOptions(endpoint, host),
  })
  const abort = () => reject(signal.reason)
  signal.addEventListener('abort', abort, { once: true })
  tcp.setTimeout(handshakeMs, () => reject(new LostConnection('no', new Error(`no answer within ${handshakeMs / 1000} s`))))
  tcp.once('error', (error) => reject(new LostConnection('no', error)))
  socket.once('error', (error) => reject(new LostConnection('no', error)))
  socket.once('secureConnect', () => resolve(socket))
  socket.once('close', () => reject(new LostConnection('no', new Error('the server closed the connection during the handshake'))))
  try {
    await promise
    tcp.setTimeout(0)
    return socket
  } catch (error) {
    socket.on('error', () => {})
    socket.destroy()
    tcp.destroy()
    throw error
  } finally {
    signal.removeEventListener('abort', abort)
  }
}

/** What TLS is told. A server name may not be an IP address (RFC 6066), so that is left out. */
export function tlsOptions(endpoint: Endpoint, host: string) {
  const servername = endpoint.servername ?? (/^[\d.]+$|:/.test(host) ? undefined : host)
  return {
    host,
    rejectUnauthorized: !endpoint.insecure,
    ...(servername === undefined ? {} : { servername }),
    ...(endpoint.ca === undefined ? {} : { ca: endpoint.ca }),
    ...(endpoint.cert === undefined ? {} : { cert: endpoint.cert }),
    ...(endpoint.key === undefined ? {} : { key: endpoint.key }),
  }
}
