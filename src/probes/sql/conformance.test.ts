import { postgresMissing, startPostgres } from '../../../test/postgres.ts'
import { canary, conformance, slowMs } from '../conformance.ts'
import { closedPort, reachTo, startTcp } from '../testing.ts'
import { sql } from './sql.ts'

conformance(
  sql,
  async () => {
    const { url, stop } = await startPostgres()
    const web = await startTcp((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'))
    const closed = await closedPort()
    const clients = (at = url) => ({ reach: reachTo({}), sqlUrl: async () => `${at}?fallback_application_name=${canary}`, cel: async () => true })
    const question = (query: string, at?: string) => ({ clients: clients(at), config: { target: 'orders-db', query, max: 10 } })
    return {
      passing: question('select 5 as lag'),
      failing: question('select 47 as lag'),
      hanging: question('select 1 from pg_sleep(20)'),
      refusing: question('select 5 as lag', `postgres://user:${canary}@127.0.0.1:${closed}/orders`),
      lying: question('select 5 as lag', `postgres://user:${canary}@127.0.0.1:${web.port}/orders`),
      slow: question(`select 5 as lag from pg_sleep(${slowMs / 1000})`),
      stop: async () => {
        await web.stop()
        await stop()
      },
    }
  },
  postgresMissing(),
)
