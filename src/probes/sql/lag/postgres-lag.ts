import type { SqlSession } from '#clients/sql-session.ts'
import type { Clock } from '#lib/clock.ts'
import { probeFailed } from '#probes/sample.ts'
import { betweenLooksMs, looks } from './lag.ts'
import type { Lag, Position } from './lag.ts'

/** How far a primary has written. Failure `probe-failed` where it is none. */
export async function postgresPosition(session: SqlSession, target: string): Promise<Position> {
  const { rows } = await session.ask('select case when not pg_is_in_recovery() then pg_current_wal_lsn()::text end')
  const lsn = rows[0]?.[0]
  if (typeof lsn !== 'string') throw probeFailed(target, `${target} is no primary: it is in recovery, as replicas are`)
  return { engine: 'postgres', lsn }
}

/**
 * For how many seconds a replica that has replayed so much is behind at the least, as its primary has measured it (`replay_lag` of pg_stat_replication: since
 * when what comes next is there; it grows while a replay stands still). That is a matter of the place in the log alone: a replica that is as far, or further,
 * is behind by no more. Undefined where none has told of it, or the role may not see it.
 */
export async function leastBehind(session: SqlSession, replayed: string): Promise<number | undefined> {
  const { rows } = await session.ask(`
    select extract(epoch from max(replay_lag + case when replay_lsn = '${replayed}' then greatest(clock_timestamp() - reply_time, interval '0') else interval '0' end))
    from pg_stat_replication where replay_lsn >= '${replayed}'`)
  const seconds = rows[0]?.[0]
  return typeof seconds === 'number' ? seconds : undefined
}

/** What is known by a replica itself, and by what its primary has measured: never more than by its newest transaction, for the primary's measure may be of a while ago. */
export function withLeast({ seconds, ...lag }: Lag, least: number | undefined): Lag {
  const { atLeast, atMost } = seconds
  return { ...lag, seconds: { atLeast: Math.min(atMost, Math.max(atLeast, least ?? 0)), atMost } }
}

type Seen = {
  readonly recovering: boolean
  readonly paused: boolean
  /** Of what the primary had written, or, without that, of what the replica has received: bytes that are not replayed. */
  readonly behind: number | undefined
  readonly replayed: string | undefined
  /** Of the newest transaction that was replayed: what a reader misses, at most. */
  readonly age: number | undefined
  /** Of the process that receives; undefined where there is none, or it may not be seen. */
  readonly receiver: string | undefined
  readonly seesReceiver: boolean
}

/**
 * The age of the newest transaction that was replayed is no lag, only the most that it can be: it grows on a replica that lacks nothing while nothing is
 * written, and what comes then, after hours, is lacked for a moment only. So positions decide: a replica that has reached, a moment later, where its primary
 * was, lacks nothing older than that moment, and one that has not lacks something that is as old as that.
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
  if (behind !== undefined && behind > 0) {
    const { replayed } = seen
    const atMost = age === undefined ? Infinity : Math.max(age, elapsed)
    const unsure = age === undefined ? 'it has replayed no transaction since it started' : `its newest transaction is ${Math.ceil(age)} s old, and since when there is another is not known`
    return { ...lag(elapsed, atMost, byPrimary ? unsure : `${unsure}: name the primary`), ...(replayed === undefined ? {} : { replayed }) }
  }
  if (byPrimary && behind !== undefined) return lag(elapsed, elapsed)
  // All that was received is replayed: whether that is all there is, depends on whether it receives.
  if (receiver === 'streaming') return lag(elapsed, elapsed)
  if (!seesReceiver) return lag(0, age ?? Infinity, 'whether it receives anything may not be seen: give its role pg_monitor, or name the primary')
  return lag(0, age ?? Infinity, 'it receives nothing, and what it lacks is not known: name the primary')
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
           pg_has_role('pg_read_all_stats', 'usage'),
           pg_last_wal_replay_lsn()::text`)
  const [recovering, paused, bytes, age, receiver, seesReceiver, replayed] = rows[0] ?? []
  return {
    recovering: recovering === true,
    paused: paused === true,
    behind: typeof bytes === 'number' ? bytes : undefined,
    // Clocks of two machines may differ by more than the lag.
    age: typeof age === 'number' ? Math.max(0, age) : undefined,
    receiver: typeof receiver === 'string' ? receiver : undefined,
    seesReceiver: seesReceiver === true,
    replayed: typeof replayed === 'string' ? replayed : undefined,
  }
}
