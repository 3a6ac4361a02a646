import { announce } from './events.ts'
import type { Sql } from './sql.ts'

/** A pause of an environment, or of one module in it. It ends by itself at `until`. */
export type Pause = { id: string; environment: string; module: string | null; reason: string; by: string; createdAt: number; until: number }

const columns = 'id, environment, module, reason, by, created_at as "createdAt", until'

export async function activePauses(sql: Sql, now: number, environment?: string): Promise<Pause[]> {
  return sql.query<Pause>(
    `select ${columns} from pause where ended_at is null and until > $1 and ($2::text is null or environment = $2) order by created_at`,
    [now, environment ?? null],
  )
}

export async function startPause(sql: Sql, pause: Pause): Promise<void> {
  await sql.query('insert into pause (id, environment, module, reason, by, created_at, until) values ($1, $2, $3, $4, $5, $6, $7)', [
    pause.id, pause.environment, pause.module, pause.reason, pause.by, pause.createdAt, pause.until,
  ])
  await announce(sql, pause.createdAt, 'pause', { environment: pause.environment, module: pause.module, until: pause.until })
}

/** Ends the pauses of an environment, or of one module in it, before their time. Tells how many there were. */
export async function endPauses(sql: Sql, environment: string, module: string | null, at: number): Promise<number> {
  const rows = await sql.query(
    'update pause set ended_at = $3 where ended_at is null and until > $3 and environment = $1 and module is not distinct from $2 returning id',
    [environment, module, at],
  )
  await announce(sql, at, 'pause', { environment, module, until: at })
  return rows.length
}

/** The pauses that began between two times, ended or not. */
export async function pausesBetween(sql: Sql, from: number, to: number): Promise<(Pause & { endedAt: number | null })[]> {
  return sql.query(`select ${columns}, ended_at as "endedAt" from pause where created_at >= $1 and created_at <= $2 order by created_at`, [from, to])
}
