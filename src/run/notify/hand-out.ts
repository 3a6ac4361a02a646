import { handOut, newNotifications } from '#store/notifications.ts'
import { enqueueAll } from '#store/queue.ts'
import { channelsOf, wants } from './channels.ts'
import type { Parts } from '../parts.ts'

/** So many are handed out in one transaction. */
const lot = 100

/** Hands what people are to be told of to the channels that want it, in one transaction: however often it is called, each gets it once. */
export async function handOutNotifications(parts: Parts, environment: string): Promise<void> {
  const { sql, clock } = parts
  // First: where it cannot be read, nothing is handed out, and it is tried again.
  const channels = await channelsOf(parts, environment)
  for (;;) {
    const count = await sql.transaction(async (tx) => {
      const rows = await newNotifications(tx, environment, lot)
      const messages = rows.flatMap(({ seq, kind }) => channels.filter((one) => wants(one, kind)).map(({ id }) => ({ notification: seq, channel: id })))
      if (rows.length > 0) await handOut(tx, rows.map(({ seq }) => seq), messages, clock.now())
      await enqueueAll(tx, clock, [...new Set(messages.map(({ channel }) => `send/${environment}/${channel}`))])
      return rows.length
    })
    if (count < lot) return
  }
}
