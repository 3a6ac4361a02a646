import { withMysql } from '#clients/mysql/session.ts'
import { withPostgres } from '#clients/postgres/session.ts'
import type { SqlDialling, SqlSession } from '#clients/sql-session.ts'
import type { ProbeCall } from '../probe.ts'
import type { Asking } from '../sample.ts'

/** However long a probe may wait: no server is kept busy by one for longer. */
const statementTimeoutMs = 60_000
const maxBytes = 1024 * 1024

export type SqlCall = ProbeCall<'reach' | 'sqlUrl' | 'cel'>

/** A session on the database that is probed: its silence is its own. */
export function onSubject<T>(call: SqlCall, asking: Asking, target: string, transaction: SqlDialling['transaction'], use: (session: SqlSession) => Promise<T>): Promise<T> {
  return on(call, asking, target, transaction, { connecting: { name: 'connection', of: 'subject' }, connected: { name: 'query', of: 'subject' } }, use)
}

/** A session on a database that only tells something about the one that is probed. */
export function onWitness<T>(call: SqlCall, asking: Asking, target: string, use: (session: SqlSession) => Promise<T>): Promise<T> {
  return on(call, asking, target, 'reading', { connecting: { name: `connection to ${target}`, of: 'way' }, connected: { name: `query of ${target}`, of: 'way' } }, use)
}

async function on<T>(
  call: SqlCall,
  asking: Asking,
  target: string,
  transaction: SqlDialling['transaction'],
  phases: Readonly<Record<'connecting' | 'connected', Asking['phase']>>,
  use: (session: SqlSession) => Promise<T>,
): Promise<T> {
  const { clients, signal } = call
  asking.phase = { name: `credentials of ${target}`, of: 'way' }
  const url = await clients.sqlUrl(target)
  asking.phase = { name: 'name resolution', of: 'way' }
  const withSql = /^(mysql|mariadb):/.test(url) ? withMysql : withPostgres
  return withSql(
    {
      name: target,
      url,
      resolve: (host) => clients.reach.resolve(host, signal),
      transaction,
      statementTimeoutMs,
      maxBytes,
      connecting: () => (asking.phase = phases.connecting),
      connected: () => (asking.phase = phases.connected),
    },
    signal,
    use,
  )
}
