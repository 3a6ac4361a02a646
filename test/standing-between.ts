import { createServer, type IncomingMessage } from 'node:http'
import { request } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import type { ApiServer } from '#playground/api/api-server.ts'

export type Heard = { readonly method: string; readonly path: string; readonly body: string; readonly headers: IncomingMessage['headers'] }
/** What is answered in place of the server, or added to the headers of what it answers. */
export type Said = { readonly status: number; readonly body: unknown } | { readonly headers: Readonly<Record<string, string>> } | undefined

/** Stands between a client and an API server, by plain HTTP, and answers some requests in its place. `hang` accepts and says nothing; `cut` ends every connection that there is. */
export async function standBetween(cluster: ApiServer, answer: (heard: Heard) => Said | 'hang' | Promise<Said | 'hang'>): Promise<{ readonly server: string; readonly cut: () => void; readonly stop: () => Promise<void> }> {
  const sockets = new Set<Socket>()
  const server = createServer((incoming, outgoing) => {
    const chunks: Buffer[] = []
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
    incoming.on('end', async () => {
      const body = Buffer.concat(chunks)
      const { method = 'GET', url = '/', headers } = incoming
      const said = await answer({ method, path: url, body: body.toString(), headers })
      if (said === 'hang') return
      if (said !== undefined && 'status' in said) {
        outgoing.writeHead(said.status, { 'content-type': 'application/json' }).end(JSON.stringify(said.body))
        return
      }
      const passed = request(new URL(url, cluster.url), { method, headers: { ...headers, host: new URL(cluster.url).host }, ca: cluster.ca }, (response) => {
        outgoing.writeHead(response.statusCode ?? 502, { ...response.headers, ...said?.headers })
        outgoing.flushHeaders()
        response.pipe(outgoing)
      })
      passed.on('error', () => outgoing.destroy())
      outgoing.on('close', () => passed.destroy())
      passed.end(body)
    })
  })
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const cut = (): void => {
    for (const socket of sockets) socket.destroy()
  }
  return {
    cut,
    server: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: () => {
      cut()
      return new Promise((resolve) => void server.close(() => resolve()))
    },
  }
}
