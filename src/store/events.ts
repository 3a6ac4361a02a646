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

/** Several of one kind at once. */
export async function announceAll(sql: Sql, at: number, kind: string, data: readonly JsonObject[]): Promise<void> {
  if (data.length === 0) return
  await sql.query(
    `with written as (insert into event (at, kind, data) select $1, $2, value from jsonb_array_elements($3::jsonb) returning seq)
     select pg_notify('${eventChannel}', max(seq)::text) from written`,
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

/** How long a transaction may stay open after it announced something, before those who listen go on without it. */
const settledMs = 2_000

/**
 * Numbers are given before their transaction commits, so that a later number can be there first. A gap is waited for until whatever is after it is
 * old: then the transaction that took the number was undone. `page`: as many as were asked for.
 */
export function settled(events: readonly Event[], seen: number, now: number, page: number): { events: readonly Event[]; more: 'now' | 'soon' | 'none' } {
  const gap = events.findIndex((event, at) => {
    const before = at === 0 ? seen : (events[at - 1]?.seq ?? 0)
    return before > 0 && event.seq !== before + 1 && now - event.at < settledMs
  })
  if (gap >= 0) return { events: events.slice(0, gap), more: 'soon' }
  return { events, more: events.length === page ? 'now' : 'none' }
}
