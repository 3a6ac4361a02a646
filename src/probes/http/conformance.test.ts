import { createServer } from 'node:http'
import { canary, conformance } from '../conformance.ts'
import { listen, reachTo } from '../testing.ts'
import { http } from './http.ts'

conformance(http, async () => {
  const server = createServer((request, response) => {
    if (request.url?.startsWith('/hang')) return
    response.writeHead(request.url?.startsWith('/bad') ? 503 : 200, { 'set-cookie': canary }).end(canary)
  })
  const port = await listen(server)
  const clients = { reach: reachTo({ ingress: `http://user:${canary}@127.0.0.1:${port}` }), secret: async () => canary }
  const question = (path: string) => ({ clients, config: { address: 'ingress', path: `${path}?token=${canary}`, headers: { 'x-token': canary }, authorization: { bearer: { secretRef: 'env:TOKEN' } } } })
  return {
    passing: question('/'),
    failing: question('/bad'),
    hanging: question('/hang'),
    stop: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
})
