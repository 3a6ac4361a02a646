import type { SqlSession } from '#clients/sql-session.ts'
import type { Found } from '../sample.ts'
import type { SqlConfig } from './schema.ts'

const threshold = 'accepts writes'

/** Whether a database takes writes, by what it says of itself and by a write, in a transaction that is rolled back. */
export async function writesFound(session: SqlSession, target: string, writes: NonNullable<SqlConfig['writes']>): Promise<Found> {
  const refused = session.engine === 'postgres' ? await refusedByPostgres(session) : await refusedByMysql(session)
  if (refused !== undefined) return { verdict: 'failed', threshold, message: `${target} accepts no writes: ${refused}` }
  if (writes !== true) return writeRow(session, target, writes)
  // A server of MySQL has nothing that anybody may write: what its user may write, has to be named.
  if (session.engine === 'mysql') return { verdict: 'unknown', threshold, message: 'read_only is off, and no table is named that could be written: name a table and a column' }
  // A transaction's own message in the log: that needs no rights, and leaves nothing in a table or a catalogue (logical decoding sees it only if it commits).
  await session.ask(`select pg_logical_emit_message(true, 'plumbline-probe', '')`)
  return { verdict: 'passed', threshold, message: 'accepts writes' }
}

async function refusedByPostgres(session: SqlSession): Promise<string | undefined> {
  const { rows } = await session.ask(`select pg_is_in_recovery(), current_setting('transaction_read_only') = 'on'`)
  const [recovering, readOnly] = rows[0] ?? []
  if (recovering !== false) return 'it is in recovery, as replicas are'
  return readOnly === false ? undefined : 'its transactions are read only'
}

const readOnlyVariables = ['read_only', 'super_read_only', 'innodb_read_only', 'transaction_read_only', 'tx_read_only']

/** By the variables: a user who may pass over `read_only` would not notice. */
async function refusedByMysql(session: SqlSession): Promise<string | undefined> {
  const { rows } = await session.ask(`show global variables where variable_name in (${readOnlyVariables.map((one) => `'${one}'`).join(', ')})`)
  if (rows.length === 0) return 'it does not say whether it is read only'
  const on = rows.find(([, value]) => !/^(off|0)$/i.test(String(value)))
  return on === undefined ? undefined : `${String(on[0]).toLowerCase()} is ${String(on[1]).toLowerCase()}`
}

/** One row is set to what it is. A row that is locked by others is passed over, where the database can. */
async function writeRow(session: SqlSession, target: string, { table, column }: Exclude<NonNullable<SqlConfig['writes']>, true>): Promise<Found> {
  const quote = session.engine === 'postgres' ? '"' : '`'
  const quoted = (name: string): string => name.split('.').map((part) => `${quote}${part}${quote}`).join('.')
  const [t, c] = [quoted(table), quoted(column)]
  const some = await session.ask(`select 1 from ${t} limit 1`)
  if (some.rows.length === 0) return { verdict: 'unknown', threshold, message: `${table} of ${target} has no row that could be written` }
  if (session.engine === 'mysql') await session.ask(`update ${t} set ${c} = ${c} limit 1`)
  else if ((await session.ask(`update ${t} set ${c} = ${c} where ctid = (select ctid from ${t} limit 1 for update skip locked) returning 1`)).rows.length === 0)
    return { verdict: 'unknown', threshold, message: `no row of ${table} could be written: others have locked what there is` }
  return { verdict: 'passed', threshold, message: `accepts writes to ${table}` }
}
