import type { FailureJson } from '#lib/failure.ts'
import type { JsonObject } from '#lib/json.ts'
import type { Notifiable } from '#model/config/notify.ts'
import type { Verification } from '#model/run.ts'
import { enqueue } from './queue.ts'
import type { Sql } from './sql.ts'

/**
 * What people are told of. Written in the transaction of what it tells of, so that it is neither lost nor said of what did not happen; it is handed to the
 * channels that want it, and sent, after that.
 */
export type Notification = {
  readonly kind: Notifiable
  readonly environment: string
  /** Null where it is about a run or the environment as a whole. */
  readonly module: string | null
  /** What is said: `message` in one sentence, and whatever a reader needs beside it. No secrets. */
  readonly body: JsonObject & { readonly message: string }
}

export type NotificationRow = Notification & { readonly seq: number; readonly at: number }

export async function notify(sql: Sql, at: number, { kind, environment, module, body }: Notification): Promise<void> {
  await sql.query('insert into notification (at, kind, environment, module, body) values ($1, $2, $3, $4, $5)', [at, kind, environment, module, body])
  await enqueue(sql, { now: () => at }, `notify/${environment}`)
}

/** Whether something of this kind was told of a run: its `body` names it. */
export async function isToldOf(sql: Sql, environment: string, kind: Notifiable, run: string): Promise<boolean> {
  const [row] = await sql.query<{ told: boolean }>(`select exists (select from notification where environment = $1 and kind = $2 and body ->> 'run' = $3) as told`, [environment, kind, run])
  return row?.told === true
}

/** The verification of a module that people were last told of. */
export async function lastTold(sql: Sql, environment: string, module: string): Promise<Verification | undefined> {
  const [row] = await sql.query<{ to: Verification }>(`select body ->> 'to' as to from notification where kind = 'verdict' and environment = $1 and module = $2 order by seq desc limit 1`, [environment, module])
  return row?.to
}

/** What no channel was asked about yet, the oldest first; locked until the transaction ends. */
export async function newNotifications(tx: Sql, environment: string, limit: number): Promise<NotificationRow[]> {
  return tx.query<NotificationRow>('select seq, at, kind, environment, module, body from notification where environment = $1 and sent_at is null order by seq limit $2 for update', [environment, limit])
}

/** Hands notifications to channels, once: each gets a message of its own, which is sent by itself. */
export async function handOut(tx: Sql, notifications: readonly number[], messages: readonly { readonly notification: number; readonly channel: string }[], at: number): Promise<void> {
  await tx.query(
    `insert into message (notification, channel) select notification, channel from jsonb_to_recordset($1) as given (notification bigint, channel text) on conflict do nothing`,
    [messages],
  )
  await tx.query('update notification set sent_at = $2 where seq in (select value::bigint from jsonb_array_elements_text($1::jsonb))', [notifications, at])
}

/** What a channel has still to send, the oldest first. */
export async function openMessages(sql: Sql, environment: string, channel: string, limit: number): Promise<NotificationRow[]> {
  return sql.query<NotificationRow>(
    `select seq, at, kind, environment, module, body from message join notification on seq = notification
     where environment = $1 and channel = $2 and ended_at is null order by seq limit $3`,
    [environment, channel, limit],
  )
}

/** It was sent; or, with a failure, it is given up. */
export async function endMessage(sql: Sql, notification: number, channel: string, at: number, failure: FailureJson | null): Promise<void> {
  await sql.query('update message set ended_at = $3, failure = $4 where notification = $1 and channel = $2', [notification, channel, at, failure])
}

/** How many messages wait to be sent, were sent, or were given up, by environment and channel. */
export async function messageCounts(sql: Sql): Promise<{ environment: string; channel: string; state: string; count: number }[]> {
  return sql.query(
    `select environment, channel, case when ended_at is null then 'waiting' when message.failure is null then 'sent' else 'given-up' end as state, count(*)::int as count
     from message join notification on seq = notification group by 1, 2, 3 order by 1, 2, 3`,
  )
}

/** What was told long ago. */
export async function forgetNotifications(sql: Sql, before: number): Promise<void> {
  await sql.query('delete from notification where at < $1', [before])
}
