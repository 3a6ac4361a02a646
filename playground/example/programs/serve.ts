import { flushCompileCache } from 'node:module'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'

/** What a program answers on a path of its own; undefined for a path that it does not know. */
export type Answer = (request: IncomingMessage, url: URL) => { status?: number; type?: string; body: string } | undefined

const slowMs = 3_000

/**
 * The frame of every example program: listens where the playground says, logs a line a request, answers /healthz and /readyz, ends on
 * SIGTERM, and ends when its standard input closes, because then whoever started it is gone.
 * FAIL says what is wrong with it: `crash` (exits 1 at once), `unready`, `unhealthy`, `slow` (3 s an answer).
 */
export function serve(name: string, answer: Answer): void {
  const { APP_VERSION: version = 'unknown', FAIL: fail, PLAYGROUND_HOST: host = '127.0.0.1', PLAYGROUND_PORT: port = '8080' } = process.env
  const log = (line: string): void => void process.stdout.write(`${new Date().toISOString()} ${name} ${version} ${line}\n`)
  process.stdin.on('end', () => process.exit(0)).on('error', () => process.exit(0)).resume()
  if (fail === 'crash') {
    log('cannot start: FAIL=crash')
    process.exit(1)
  }
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://pod')
    const respond = (): void => {
      const status = send(response, respondTo(request, url, fail, answer))
      if (!url.pathname.endsWith('z')) log(`${request.method} ${url.pathname} ${status}`)
    }
    if (fail === 'slow') setTimeout(respond, slowMs)
    else respond()
  })
  server.on('error', (error) => {
    log(`cannot listen: ${error.message}`)
    process.exit(1)
  })
  server.listen({ host, port: Number(port) }, () => {
    log(`listens on ${host}:${port}`)
    setTimeout(flushCompileCache, 100).unref() // for the next pod of this program
  })
  process.on('SIGTERM', () => {
    log('ends')
    server.close(() => process.exit(0))
    server.closeIdleConnections()
    setTimeout(() => server.closeAllConnections(), 500).unref()
  })
}

function respondTo(request: IncomingMessage, url: URL, fail: string | undefined, answer: Answer): ReturnType<Answer> {
  if (url.pathname === '/healthz') return fail === 'unhealthy' ? { status: 500, body: 'unhealthy\n' } : { body: 'ok\n' }
  if (url.pathname === '/readyz') return fail === 'unready' ? { status: 503, body: 'not ready\n' } : { body: 'ok\n' }
  return answer(request, url)
}

function send(response: ServerResponse, found: ReturnType<Answer>): number {
  const { status = 200, type = 'text/plain; charset=utf-8', body } = found ?? { status: 404, body: 'not found\n' }
  response.writeHead(status, { 'content-type': type })
  response.end(body)
  return status
}
