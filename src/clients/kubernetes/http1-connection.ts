import { Pool } from 'undici'
import { tlsOptions } from './connect.ts'
import { LostConnection, type Answer, type Connection, type Endpoint, type Outgoing } from './transport.ts'

/** More than requests in flight need: every open watch holds one connection of its own. */
const connections = 256

/** HTTP/1.1 with kept connections, for servers and proxies that do not negotiate HTTP/2. */
export function http1Connection(endpoint: Endpoint): Connection {
  const host = endpoint.server.hostname.replace(/^\[|\]$/g, '')
  const pool = new Pool(endpoint.server.origin, {
    connections,
    allowH2: false,
    // Time limits are the request's own; a watch has none.
    headersTimeout: 0,
    bodyTimeout: 0,
    connect: { timeout: 10_000, keepAlive: true, ...tlsOptions(endpoint, host) },
  })
  return {
    protocol: 'http/1.1',
    usable: () => !pool.closed && !pool.destroyed,
    ended: () => pool.closed || pool.destroyed,
    send: (request, signal) => send(pool, request, signal),
    close: () => void pool.destroy().catch(() => {}),
  }
}

async function send(pool: Pool, request: Outgoing, signal: AbortSignal): Promise<Answer> {
  const answer = await pool
    .request({ method: request.method, path: request.path, headers: request.headers, body: request.body ?? null, signal })
    .catch((error: unknown) => {
      signal.throwIfAborted()
      throw new LostConnection(neverSent(error) ? 'no' : 'perhaps', error)
    })
  const headers = Object.fromEntries(
    Object.entries(answer.headers).flatMap(([name, value]) => (value === undefined ? [] : [[name, Array.isArray(value) ? value.join(', ') : value]])),
  )
  return { status: answer.statusCode, headers, body: body(answer.body, signal), discard: () => void answer.body.on('error', () => {}).destroy() }
}

async function* body(source: AsyncIterable<Uint8Array>, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  try {
    yield* source
  } catch (error) {
    signal.throwIfAborted()
    throw new LostConnection('perhaps', error)
  }
}

function neverSent(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  return ['ECONNREFUSED', 'ENOTFOUND', 'EHOSTUNREACH', 'ENETUNREACH', 'EAI_AGAIN', 'UND_ERR_CONNECT_TIMEOUT'].includes(code) || code.startsWith('ERR_TLS') || code.includes('CERT')
}
