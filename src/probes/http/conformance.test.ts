import { createServer } from 'node:http'
import { canary, conformance, slowMs } from '../conformance.ts'
import { closedPort, listen, reachTo } from '../testing.ts'
import { http } from './http.ts'

conformance(http, async () => {
  const server = createServer((request, response) => {
    if (request.url?.startsWith('/hang')) return
    if (request.url?.startsWith('/slow')) return void setTimeout(() => response.end(canary), slowMs)
    response.writeHead(request.url?.startsWith('/bad') ? 503 : 200, { 'set-cookie': canary }).end(canary)
  })
  const port = await listen(server)
  const clients = { reach: reachTo({ ingress: `http://user:${canary}@127.0.0.1:${port}`, closed: `http://user:${canary}@127.0.0.1:${await closedPort()}` }), secret: async () => canary }
  const question = (path: string, address = 'ingress') => ({ clients, config: { address, path: `${path}?token=${canary}`, headers: { 'x-token': canary }, authorization: { bearer: { secretRef: 'env:TOKEN' } } } })
  return {
    passing: question('/'),
    failing: question('/bad'),
    hanging: question('/hang'),
    refusing: question('/', 'closed'),
    lying: { clients, config: { ...question('/').config, body: 'Welcome' } },
    slow: question('/slow'),
    stop: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
})
