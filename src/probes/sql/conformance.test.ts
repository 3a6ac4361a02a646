import { postgresMissing, startPostgres } from '../../../test/postgres.ts'
import { canary, conformance } from '../conformance.ts'
import { reachTo } from '../testing.ts'
import { sql } from './sql.ts'

conformance(
  sql,
  async () => {
    const { url, stop } = await startPostgres()
    const clients = { reach: reachTo({}), sqlUrl: async () => `${url}?fallback_application_name=${canary}`, cel: async () => true }
    const question = (query: string) => ({ clients, config: { target: 'orders-db', query, max: 10 } })
    return { passing: question('select 5 as lag'), failing: question('select 47 as lag'), hanging: question('select 1 from pg_sleep(20)'), stop }
  },
  postgresMissing(),
)
