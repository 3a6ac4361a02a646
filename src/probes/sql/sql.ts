import { readOnce } from '#clients/postgres/read-once.ts'
import type { PostgresAnswer } from '#clients/postgres/read-once.ts'
import type { Probe } from '../probe.ts'
import { takeSample } from '../sample.ts'
import type { Asking, Found } from '../sample.ts'
import { judge, thresholdText } from '../thresholds.ts'
import { schema } from './schema.ts'
import type { SqlConfig } from './schema.ts'

/** However long a probe may wait: no server is kept busy by one for longer. */
const statementTimeoutMs = 60_000
const maxBytes = 1024 * 1024

/** Connects to a PostgreSQL database, and holds one value that a query gives against a rule. */
export const sql: Probe<SqlConfig, 'reach' | 'sqlUrl'> = {
  kind: 'sql',
  needs: ['reach', 'sqlUrl'],
  schema,
  sample: (call, config) => {
    const { signal, clients } = call
    const { target, query } = config
    const threshold = thresholdText(config) ?? (query === undefined ? 'accepts connections' : 'gives a row')
    const asking: Asking = {
      signal: query === undefined ? 'reachability' : typeof config.equals === 'boolean' ? 'boolean' : 'count',
      target: query === undefined ? `connect ${target}` : `${target}: ${shortened(query)}`,
      phase: { name: `credentials of ${target}`, of: 'way' },
      threshold,
    }
    return takeSample(call, asking, async (): Promise<Found> => {
      const url = await clients.sqlUrl(target)
      asking.phase = { name: 'name resolution', of: 'way' }
      const answer = await readOnce(
        {
          name: target,
          url,
          resolve: (host) => clients.reach.resolve(host, signal),
          statementTimeoutMs,
          maxBytes,
          connecting: () => (asking.phase = { name: 'connection', of: 'subject' }),
          connected: () => (asking.phase = { name: 'query', of: 'subject' }),
          ...(query === undefined ? {} : { query }),
        },
        signal,
      )
      return query === undefined ? { verdict: 'passed', threshold, message: 'connected' } : judgeAnswer(config, answer, threshold)
    })
  },
}

function judgeAnswer(config: SqlConfig, answer: PostgresAnswer | undefined, threshold: string): Found {
  if (answer === undefined) return { verdict: 'failed', threshold, message: 'the query gives no row' }
  if (answer.more) return { verdict: 'failed', threshold, message: 'the query gives more than one row' }
  const { column, value } = answer
  const what = column === '?column?' ? 'the value' : column.replaceAll('_', ' ')
  const ruled = [config.equals, config.min, config.max, config.warn].some((rule) => rule !== undefined)
  if (!ruled) return { verdict: 'passed', threshold, ...(typeof value === 'number' || typeof value === 'boolean' ? { value } : {}), message: 'the query gives a row' }
  const found = judge(what, value, config)
  // A text out of a database is nobody's business but the rule's.
  if (typeof value !== 'string') return found
  const { value: _left, ...rest } = found
  return found.verdict === 'passed' ? { ...rest, message: `${what} is as expected` } : { ...rest, message: `${what} is another text than expected` }
}

function shortened(query: string): string {
  const line = query.replaceAll(/\s+/g, ' ').trim()
  return line.length > 120 ? `${line.slice(0, 120)}…` : line
}
