import type { Context } from 'hono'
import { streamSSE } from 'hono/streaming'
import type { Clock } from '#lib/clock.ts'
import { eventChannel, eventsAfter, lastEvent } from '#store/events.ts'
import type { Store } from '#store/sql.ts'

const page = 500
const heartbeatMs = 15_000

/**
 * What changes, as server-sent events: `id` is the event's number, so that a client that comes back with `Last-Event-ID` misses nothing. Ends with
 * the token that opened it.
 */
export function streamEvents(context: Context, store: Store, clock: Clock, expiresAt: number | null, stopping: AbortSignal): Response {
  return streamSSE(context, async (stream) => {
    const given = context.req.header('last-event-id') ?? context.req.query('after')
    let seen = given === undefined || !/^\d+$/.test(given) ? await lastEvent(store) : Number(given)
    let nudge = Promise.withResolvers<void>()
    const unlisten = await store.listen(eventChannel, () => nudge.resolve())
    const ended = new AbortController()
    stream.onAbort(() => ended.abort())
    const onStop = (): void => ended.abort()
    stopping.addEventListener('abort', onStop, { once: true })
    ended.signal.addEventListener('abort', () => nudge.resolve(), { once: true })
    await stream.writeSSE({ event: 'open', data: JSON.stringify({ after: seen }), id: String(seen) })
    try {
      while (!ended.signal.aborted && (expiresAt === null || clock.now() < expiresAt)) {
        nudge = Promise.withResolvers()
        if (ended.signal.aborted) break
        const events = await eventsAfter(store, seen, page)
        for (const event of events) {
          await stream.writeSSE({ id: String(event.seq), event: event.kind, data: JSON.stringify({ ...event, at: new Date(event.at).toISOString() }) })
          seen = event.seq
        }
        if (events.length === page) continue
        const pause = new AbortController()
        await Promise.race([nudge.promise, clock.sleep(heartbeatMs, pause.signal).then(() => stream.write(': still here\n\n'), () => {})])
        pause.abort()
      }
    } finally {
      stopping.removeEventListener('abort', onStop)
      await unlisten()
    }
  })
}
