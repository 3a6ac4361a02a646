import type { JsonObject } from '#lib/json.ts'
import type { Sql } from './sql.ts'

/** The channel on which a new event is announced; its payload is the event's number. */
export const eventChannel = 'plumbline_event'

export type Event = { seq: number; at: number; kind: string; data: JsonObject }

/** Writes down that something changed and wakes whoever listens, with the transaction that it belongs to. */
export async function announce(sql: Sql, at: number, kind: string, data: JsonObject): Promise<void> {
  await sql.query(
    `with written as (insert into event (at, kind, data) values ($1, $2, $3) returning seq) select pg_notify('${eventChannel}', seq::text) from written`,
    [at, kind, data],
  )
}

/** What came after `seq`, in order. */
export async function eventsAfter(sql: Sql, seq: number, limit: number): Promise<Event[]> {
  return sql.query<Event>('select seq, at, kind, data from event where seq > $1 order by seq limit $2', [seq, limit])
}

export async function lastEvent(sql: Sql): Promise<number> {
  const [row] = await sql.query<{ seq: number }>('select coalesce(max(seq), 0) as seq from event')
  return row?.seq ?? 0
}

/** Old events are of no use to anyone: runs and records keep what matters. */
export async function forgetEvents(sql: Sql, before: number): Promise<void> {
  await sql.query('delete from event where at < $1', [before])
}
