import type { Server } from 'node:http'
import { type AddressInfo, createServer } from 'node:net'
import { serve } from '@hono/node-server'
import { Failure } from '#lib/failure.ts'
import type { Parts } from '#run/parts.ts'
import type { Store } from '#store/sql.ts'
import { application } from './application.ts'

/** Who sends slower than this is not waited for. */
const serverOptions = { requestTimeout: 30_000, headersTimeout: 10_000, maxHeaderSize: 16 * 1024 }

type ApiOptions = { readonly parts: Parts; readonly store: Store; readonly host: string; readonly port: number; readonly stopping: AbortSignal }

/** The HTTP API. Bound to loopback unless `host` says otherwise. Failures `port-taken`, `host-unknown`. */
export async function startApi(options: ApiOptions): Promise<{ url: string; port: number; stop: () => Promise<void> }> {
  const { parts, store, host, stopping } = options
  const app = application(parts, store, stopping)
  const server = await new Promise<Server>((resolve, reject) => {
    const listening = serve({ fetch: app.fetch, hostname: host, port: options.port, overrideGlobalObjects: false, serverOptions }, () => resolve(listening as Server)) as Server
    listening.once('error', (error: NodeJS.ErrnoException) => reject(listenFailure(error, host, options.port)))
  })
  const { port } = server.address() as AddressInfo
  return {
    port,
    url: `http://${host.includes(':') ? `[${host}]` : host}:${port}`,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** Tells at once what `startApi` would fail for. Failures `port-taken`, `host-unknown`. */
export async function tryListening(host: string, port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const server = createServer()
    server.once('error', (error) => reject(listenFailure(error, host, port)))
    server.listen(port, host, () => server.close(() => resolve()))
  })
}

function listenFailure(error: NodeJS.ErrnoException, host: string, port: number): Error {
  if (error.code === 'EADDRNOTAVAIL' || error.code === 'ENOTFOUND')
    return new Failure({ code: 'host-unknown', subject: host, message: 'this machine has no such address to listen on', hint: 'Give one of its own with --host: 127.0.0.1, or 0.0.0.0 for all.', cause: error })
  if (error.code !== 'EADDRINUSE' && error.code !== 'EACCES') return error
  return new Failure({
    code: 'port-taken',
    subject: `port ${port}`,
    message: error.code === 'EACCES' ? 'this user may not listen there' : 'something else listens there already',
    hint: 'Choose another with --port, or any free one with --port 0.',
    cause: error,
  })
}
