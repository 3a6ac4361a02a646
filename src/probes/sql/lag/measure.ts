import type { SqlSession } from '#clients/sql-session.ts'
import { Failure } from '#lib/failure.ts'
import type { Asking } from '#probes/sample.ts'
import { onSubject, onWitness } from '../database.ts'
import type { SqlCall } from '../database.ts'
import type { Lag, Position } from './lag.ts'
import { mysqlLag, mysqlPosition } from './mysql-lag.ts'
import { leastBehind, postgresLag, postgresPosition, withLeast } from './postgres-lag.ts'

/** How far a replica is behind. The primary is asked first: what it writes meanwhile is nothing that the replica could lack. */
export async function measureLag(call: SqlCall, asking: Asking, target: string, primary: string | undefined): Promise<Lag> {
  const position = primary === undefined ? undefined : await onWitness(call, asking, primary, (session) => positionOf(session, primary))
  const lag = await onSubject(call, asking, target, 'reading', (session): Promise<Lag> => {
    if (session.engine === 'postgres' && position?.engine !== 'mysql') return postgresLag(session, position, call.clock, call.signal)
    if (session.engine === 'mysql' && position?.engine !== 'postgres') return mysqlLag(session, position, call.clock, call.signal)
    throw new Failure({ code: 'sql-invalid', subject: target, message: `${target} and ${primary ?? ''} are databases of two sorts`, hint: 'Name the primary that it is a replica of.' })
  })
  const { replayed } = lag
  return primary === undefined || replayed === undefined ? lag : onWitness(call, asking, primary, async (session) => withLeast(lag, await leastBehind(session, replayed)))
}

function positionOf(session: SqlSession, target: string): Promise<Position> {
  return session.engine === 'postgres' ? postgresPosition(session, target) : mysqlPosition(session)
}
