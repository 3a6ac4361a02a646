import { connect } from 'node:net'
import { prometheusMissing, startPrometheus } from '../../../test/prometheus.ts'
import { canary, conformance, slowMs } from '../conformance.ts'
import { closedPort, reachTo, startTcp } from '../testing.ts'
import { prometheus } from './prometheus.ts'

conformance(
  prometheus,
  async () => {
    const [server, hanging] = await Promise.all([startPrometheus(), startPrometheus()])
    hanging.hang()
    const page = await startTcp((socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\nGrafana'))
    // The real one, behind a line that takes its time.
    const slow = await startTcp((socket) => void setTimeout(() => {
      const behind = connect(Number(new URL(server.url).port), '127.0.0.1').on('error', () => socket.destroy())
      socket.pipe(behind).pipe(socket)
    }, slowMs))
    const withCanary = (url: string): string => url.replace('//', `//user:${canary}@`)
    const clients = { reach: reachTo({ metrics: withCanary(server.url), hanging: hanging.url, page: `http://127.0.0.1:${page.port}`, slow: `http://127.0.0.1:${slow.port}`, closed: `http://127.0.0.1:${await closedPort()}` }), secret: async () => canary }
    const question = (query: string, address = 'metrics') => ({ clients, config: { address, query, max: 10, unit: 's', authorization: { bearer: { secretRef: 'env:TOKEN' } } } })
    return {
      passing: question('vector(5)'),
      failing: question('vector(47)'),
      hanging: question('vector(5)', 'hanging'),
      refusing: question('vector(5)', 'closed'),
      lying: question('vector(5)', 'page'),
      slow: question('vector(5)', 'slow'),
      stop: async () => {
        for (const other of [page, slow, server, hanging]) await other.stop()
      },
    }
  },
  prometheusMissing(),
)
