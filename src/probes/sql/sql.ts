import type { Probe } from '../probe.ts'
import { takeSample } from '../sample.ts'
import type { Asking, Found } from '../sample.ts'
import { thresholdText } from '../thresholds.ts'
import { onSubject } from './database.ts'
import type { SqlCall } from './database.ts'
import { judgeRows, judgeValue } from './judge-rows.ts'
import { judgeLag, lagThreshold } from './lag/judge-lag.ts'
import { measureLag } from './lag/measure.ts'
import { schema } from './schema.ts'
import type { SqlConfig } from './schema.ts'
import { writesFound } from './writes.ts'

/** Asks a PostgreSQL, MySQL or MariaDB database. */
export const sql: Probe<SqlConfig, 'reach' | 'sqlUrl' | 'cel'> = {
  kind: 'sql',
  needs: ['reach', 'sqlUrl', 'cel'],
  schema,
  sample: (call, config) => {
    const asking: Asking = { ...questionOf(config), phase: { name: `credentials of ${config.target}`, of: 'way' } }
    return takeSample(call, asking, () => ask(call, config, asking))
  },
}

function questionOf(config: SqlConfig): Pick<Asking, 'signal' | 'target'> & { readonly threshold: string } {
  const { target, query, rows, writes, lag } = config
  if (lag !== undefined) return { signal: lag.max === undefined && lag.warn === undefined ? 'count' : 'latency', target: `lag of ${target}${lag.primary === undefined ? '' : ` behind ${lag.primary}`}`, threshold: lagThreshold(lag) }
  if (writes !== undefined) return { signal: 'boolean', target: `write to ${target}${writes === true ? '' : `: ${writes.table}`}`, threshold: 'accepts writes' }
  if (query === undefined) return { signal: 'reachability', target: `connect ${target}`, threshold: 'accepts connections' }
  const signal = rows !== undefined || typeof config.equals === 'boolean' ? 'boolean' : 'count'
  return { signal, target: `${target}: ${shortened(query)}`, threshold: rows?.cel ?? thresholdText(config) ?? 'gives a row' }
}

async function ask(call: SqlCall, config: SqlConfig, asking: Asking): Promise<Found> {
  const { target, query, rows, writes, lag } = config
  if (lag !== undefined) return judgeLag(lag, target, await measureLag(call, asking, target, lag.primary))
  if (writes !== undefined) return onSubject(call, asking, target, 'undone', (session) => writesFound(session, target, writes))
  return onSubject(call, asking, target, 'reading', async (session) => {
    if (query === undefined) return { verdict: 'passed', message: 'connected' }
    // One row more than is wanted shows that there are more.
    const answer = await session.read(query, (rows?.most ?? 1) + 1)
    return rows === undefined ? judgeValue(config, session.engine, answer) : judgeRows(rows, answer, call.clients.cel)
  })
}

function shortened(query: string): string {
  const line = query.replaceAll(/\s+/g, ' ').trim()
  return line.length > 120 ? `${line.slice(0, 120)}…` : line
}
