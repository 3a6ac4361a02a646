import type { SqlSession } from '#clients/sql-session.ts'
import type { Clock } from '#lib/clock.ts'
import { probeFailed } from '../../sample.ts'
import { betweenLooksMs, looks } from './lag.ts'
import type { Lag, Position } from './lag.ts'

/** How far a primary has written. Failure `probe-failed` where it is none. */
export async function postgresPosition(session: SqlSession, target: string): Promise<Position> {
  const { rows } = await session.ask('select case when not pg_is_in_recovery() then pg_current_wal_lsn()::text end')
  const lsn = rows[0]?.[0]
  if (typeof lsn !== 'string') throw probeFailed(target, `${target} is no primary: it is in recovery, as replicas are`)
  return { engine: 'postgres', lsn }
}

type Seen = {
  readonly recovering: boolean
  readonly paused: boolean
  /** Of what the primary had written, or, without that, of what the replica has received: bytes that are not replayed. */
  readonly behind: number | undefined
  /** Of the newest transaction that was replayed: what a reader misses, at most. */
  readonly age: number | undefined
  /** Of the process that receives; undefined where there is none, or it may not be seen. */
  readonly receiver: string | undefined
  readonly seesReceiver: boolean
}

/**
 * The age of the newest transaction that was replayed is no lag: it grows on a replica that lacks nothing while nothing is written. So positions
 * decide: a replica that has reached, a moment later, where its primary was, lacks nothing older than that moment.
 */
export async function postgresLag(session: SqlSession, primary: Extract<Position, { engine: 'postgres' }> | undefined, clock: Clock, signal: AbortSignal): Promise<Lag> {
  const began = clock.now()
  let seen = await look(session, primary?.lsn)
  for (let tries = 1; tries < looks && seen.recovering && !seen.paused && (seen.behind ?? 0) > 0; tries++) {
    await clock.sleep(betweenLooksMs, signal)
    seen = await look(session, primary?.lsn)
  }
  return lagOf(seen, primary !== undefined, (clock.now() - began) / 1000)
}

function lagOf(seen: Seen, byPrimary: boolean, elapsed: number): Lag {
  const { paused, behind, age, receiver, seesReceiver } = seen
  const lag = (atLeast: number, atMost: number, unsure?: string): Lag => ({ paused, seconds: { atLeast, atMost }, ...(behind === undefined ? {} : { bytes: Math.max(0, behind) }), ...(unsure === undefined ? {} : { unsure }) })
  if (!seen.recovering) return { ...lag(0, 0), broken: 'is no replica: it is not in recovery' }
  if (behind !== undefined && behind > 0) return age === undefined ? lag(0, Infinity, 'it has replayed no transaction since it started') : lag(age, age)
  if (byPrimary && behind !== undefined) return lag(elapsed, elapsed)
  // All that was received is replayed: whether that is all there is, depends on whether it receives.
  if (receiver === 'streaming') return lag(elapsed, elapsed)
  if (!seesReceiver) return lag(0, age ?? Infinity, 'whether it receives anything may not be seen: give its role pg_monitor, or name the primary')
  return lag(age ?? 0, age ?? Infinity, 'it receives nothing, and has replayed no transaction since it started')
}

async function look(session: SqlSession, lsn: string | undefined): Promise<Seen> {
  // Behind the primary's position, if there is one; the position received begins anew with a file of the log when the receiver starts, so that it may be less than what is replayed.
  const behind = lsn === undefined ? 'pg_wal_lsn_diff(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn())' : `pg_wal_lsn_diff('${lsn}', pg_last_wal_replay_lsn())`
  const { rows } = await session.ask(`
    select pg_is_in_recovery(),
           case when pg_is_in_recovery() then pg_is_wal_replay_paused() end,
           ${behind},
           extract(epoch from clock_timestamp() - pg_last_xact_replay_timestamp()),
           (select status from pg_stat_wal_receiver),
           pg_has_role('pg_read_all_stats', 'usage')`)
  const [recovering, paused, bytes, age, receiver, seesReceiver] = rows[0] ?? []
  return {
    recovering: recovering === true,
    paused: paused === true,
    behind: typeof bytes === 'number' ? bytes : undefined,
    // Clocks of two machines may differ by more than the lag.
    age: typeof age === 'number' ? Math.max(0, age) : undefined,
    receiver: typeof receiver === 'string' ? receiver : undefined,
    seesReceiver: seesReceiver === true,
  }
}
