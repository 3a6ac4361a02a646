import { prometheusMissing, startPrometheus } from '../../../test/prometheus.ts'
import { canary, conformance } from '../conformance.ts'
import { reachTo, startTcp } from '../testing.ts'
import { prometheus } from './prometheus.ts'

conformance(
  prometheus,
  async () => {
    const server = await startPrometheus()
    const silent = await startTcp(() => {})
    const withCanary = (url: string): string => url.replace('//', `//user:${canary}@`)
    const clients = { reach: reachTo({ metrics: withCanary(server.url), silent: `http://127.0.0.1:${silent.port}` }), secret: async () => canary }
    const question = (query: string, address = 'metrics') => ({ clients, config: { address, query, max: 10, unit: 's', authorization: { bearer: { secretRef: 'env:TOKEN' } } } })
    return {
      passing: question('vector(5)'),
      failing: question('vector(47)'),
      hanging: question('vector(5)', 'silent'),
      stop: async () => {
        await silent.stop()
        await server.stop()
      },
    }
  },
  prometheusMissing(),
)
