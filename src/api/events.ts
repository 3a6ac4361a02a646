import type { Context } from 'hono'
import { streamSSE } from 'hono/streaming'
import type { SSEStreamingApi } from 'hono/streaming'
import type { Clock } from '#lib/clock.ts'
import type { Principal } from '#model/principal.ts'
import { redactedDocument } from '#model/redacted.ts'
import type { Redact } from '#model/redacted.ts'
import { eventChannel, eventsAfter, lastEvent, settled } from '#store/events.ts'
import type { Event } from '#store/events.ts'
import { principalOfToken } from '#store/principals.ts'
import { findRun } from '#store/runs.ts'
import type { Store } from '#store/sql.ts'
import { seesAll, visibleTo } from './authorise.ts'
import type { Bearer } from './authorise.ts'

const page = 500
const heartbeatMs = 15_000
const gapMs = 100

type Source = { readonly store: Store; readonly clock: Clock; readonly stopping: AbortSignal; readonly redact: Redact }

/**
 * What changes, as server-sent events: `id` is the event's number, so that a client that comes back with `Last-Event-ID` (or `?after=`) misses
 * nothing. Only what the bearer may look at. Ends with the token that opened it, also when it is taken back.
 */
export function streamEvents(context: Context, source: Source, bearer: Bearer): Response {
  const { store, clock, stopping, redact } = source
  const given = context.req.header('last-event-id') ?? context.req.query('after')
  return streamSSE(context, async (stream) => {
    let nudge = Promise.withResolvers<void>()
    const ended = new AbortController()
    const end = (): void => {
      ended.abort()
      nudge.resolve()
    }
    stream.onAbort(end)
    stopping.addEventListener('abort', end, { once: true })
    if (stopping.aborted) end()
    // First listen, then ask for the newest number: what comes in between is announced, and read.
    const unlisten = await store.listen(eventChannel, () => nudge.resolve())
    try {
      let seen = given !== undefined && /^\d{1,15}$/.test(given) ? Number(given) : await lastEvent(store)
      await stream.writeSSE({ event: 'open', data: JSON.stringify({ after: seen }), id: String(seen) })
      const environments = new Map<string, string>()
      while (!ended.signal.aborted) {
        nudge = Promise.withResolvers()
        const now = await principalOfToken(store, bearer.hash, clock.now())
        if (now === undefined || ended.signal.aborted) break
        const { events, more } = settled(await eventsAfter(store, seen, page), seen, clock.now(), page)
        for (const event of events) {
          if (await isVisible(store, now.principal, event, environments)) await write(stream, redactedDocument(event, redact))
          seen = event.seq
        }
        if (more === 'now') continue
        const timed = await pauseFor(more === 'soon' ? gapMs : untilEnd(now.expiresAt, clock), clock, nudge.promise)
        if (timed && more === 'none') await stream.write(': still here\n\n')
      }
    } finally {
      stopping.removeEventListener('abort', end)
      await unlisten()
    }
  })
}

async function isVisible(store: Store, principal: Principal, event: Event, environments: Map<string, string>): Promise<boolean> {
  if (seesAll(principal)) return true
  const { environment, run } = event.data
  if (typeof environment === 'string') return visibleTo(principal)(environment)
  // What is of no environment is of the whole workspace.
  if (typeof run !== 'string') return false
  const known = environments.get(run) ?? (await findRun(store, run))?.environment
  if (known === undefined) return false
  if (environments.size > 1000) environments.clear()
  environments.set(run, known)
  return visibleTo(principal)(known)
}

async function write(stream: SSEStreamingApi, event: Event): Promise<void> {
  await stream.writeSSE({ id: String(event.seq), event: event.kind, data: JSON.stringify({ ...event, at: new Date(event.at).toISOString() }) })
}

function untilEnd(expiresAt: number | null, clock: Clock): number {
  return expiresAt === null ? heartbeatMs : Math.min(heartbeatMs, Math.max(1, expiresAt - clock.now()))
}

/** Tells whether the time is over; else there was a nudge. */
async function pauseFor(ms: number, clock: Clock, nudged: Promise<void>): Promise<boolean> {
  const pause = new AbortController()
  const timed = await Promise.race([nudged.then(() => false), clock.sleep(ms, pause.signal).then(() => true, () => false)])
  pause.abort()
  return timed
}
