import type { SqlRows, SqlSession } from '#clients/sql-session.ts'
import type { Clock } from '#lib/clock.ts'
import type { Json } from '#lib/json.ts'
import { betweenLooksMs, looks } from './lag.ts'
import type { Lag, Position } from './lag.ts'

/** How far a primary has written: its binary logs, and their sizes. */
export async function mysqlPosition(session: SqlSession): Promise<Position> {
  const { rows } = await session.ask('show binary logs')
  return { engine: 'mysql', logs: rows.map(([name, size]) => ({ name: String(name), size: Number(size) })) }
}

type Logs = Extract<Position, { engine: 'mysql' }>['logs']

/**
 * By what the replica says of itself, and by what its primary had written, if that is known: what a replica says (`Seconds_Behind_Master`) is of
 * what it has received, and is 0 while nothing comes.
 */
export async function mysqlLag(session: SqlSession, primary: { readonly logs: Logs } | undefined, clock: Clock, signal: AbortSignal): Promise<Lag> {
  const began = clock.now()
  let seen = await look(session, primary?.logs)
  for (let tries = 1; tries < looks && seen.broken === undefined && (seen.bytes ?? 0) > 0; tries++) {
    await clock.sleep(betweenLooksMs, signal)
    seen = await look(session, primary?.logs)
  }
  return primary !== undefined && seen.broken === undefined && seen.bytes === 0 ? { ...seen, seconds: same((clock.now() - began) / 1000) } : seen
}

async function look(session: SqlSession, logs: Logs | undefined): Promise<Lag> {
  const channels = channelsOf(await session.ask('show replica status'))
  const none: Lag = { paused: false, seconds: same(0) }
  if (channels.length === 0) return { ...none, broken: 'is no replica' }
  const stopped = channels.find((channel) => channel['Slave_IO_Running'] !== 'Yes' || channel['Slave_SQL_Running'] !== 'Yes' || typeof channel['Seconds_Behind_Master'] !== 'number')
  if (stopped !== undefined) {
    const running = (thread: string): string => String(stopped[`Slave_${thread}_Running`] ?? 'unknown').toLowerCase()
    return { ...none, broken: `does not replicate: receiving ${running('IO')}, applying ${running('SQL')}` }
  }
  const seconds = Math.max(...channels.map((channel) => Number(channel['Seconds_Behind_Master'])))
  const [channel] = channels
  const bytes = logs === undefined || channel === undefined || channels.length > 1 ? undefined : bytesAfter(logs, String(channel['Relay_Master_Log_File']), Number(channel['Exec_Master_Log_Pos']))
  if (bytes === undefined) return { ...none, seconds: same(seconds) }
  // It has not all, and counts no seconds: what it lacks has not come, and nobody knows since when.
  if (bytes > 0 && seconds === 0) return { ...none, bytes, seconds: { atLeast: 0, atMost: Infinity }, unsure: `${bytes} bytes of its primary have not come` }
  return { ...none, bytes, seconds: same(seconds) }
}

function same(seconds: number): Lag['seconds'] {
  return { atLeast: seconds, atMost: seconds }
}

/** Of what the primary's logs have, the bytes behind a place. Undefined where they do not have the place. */
function bytesAfter(logs: Logs, name: string, position: number): number | undefined {
  const index = logs.findIndex((log) => log.name === name)
  if (index < 0 || !Number.isFinite(position)) return undefined
  return Math.max(0, logs.slice(index).reduce((sum, { size }) => sum + size, 0) - position)
}

/** One for each source that it replicates from, by MariaDB's names of the columns; MySQL says Source and Replica since 8.0.22. */
function channelsOf({ columns, rows }: SqlRows): Record<string, Json>[] {
  const names = columns.map((column) => column.replace('Source', 'Master').replace('Replica', 'Slave'))
  return rows.map((row) => Object.fromEntries(names.map((name, index) => [name, row[index] ?? null])))
}
