import type { Clock } from '#lib/clock.ts'
import { asFailure } from '#lib/failure.ts'
import { eventChannel, eventsAfter, lastEvent, settled, type Event } from '#store/events.ts'
import type { Store } from '#store/sql.ts'

const page = 500
const gapMs = 50
const restMs = 25
const pollMs = 5_000

/** What changes in the store, each change once and in order, for whoever in this process has to look at something because of it. */
export class EventFeed {
  readonly #store: Store
  readonly #clock: Clock
  readonly #log: (line: string) => void
  readonly #heard = new Set<(event: Event) => void>()
  readonly #stopping = new AbortController()
  #nudge = Promise.withResolvers<void>()
  #ended: Promise<void> | undefined

  constructor(store: Store, clock: Clock, log: (line: string) => void) {
    this.#store = store
    this.#clock = clock
    this.#log = log
  }

  /** From the newest event on: who subscribes after this, and reads the store then, misses nothing. */
  async start(): Promise<void> {
    const unlisten = await this.#store.listen(eventChannel, () => this.#nudge.resolve())
    const seen = await lastEvent(this.#store)
    this.#ended = this.#follow(seen).finally(unlisten)
  }

  /** Resolves to the function that ends it. */
  subscribe(heard: (event: Event) => void): () => void {
    this.#heard.add(heard)
    return () => this.#heard.delete(heard)
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    this.#nudge.resolve()
    await this.#ended?.catch(() => {})
  }

  async #follow(from: number): Promise<void> {
    let seen = from
    while (!this.#stopping.signal.aborted) {
      this.#nudge = Promise.withResolvers()
      let wait = pollMs
      try {
        const { events, more } = settled(await eventsAfter(this.#store, seen, page), seen, this.#clock.now(), page)
        for (const event of events) {
          for (const heard of this.#heard) heard(event)
          seen = event.seq
        }
        if (more === 'now') continue
        if (more === 'soon') wait = gapMs
      } catch (error) {
        if (!this.#stopping.signal.aborted) this.#log(`events: ${asFailure(error, 'events').message}`)
      }
      // Many changes are one read.
      await this.#clock.sleep(restMs, this.#stopping.signal).catch(() => {})
      const pause = new AbortController()
      await Promise.race([this.#nudge.promise, this.#clock.sleep(wait, pause.signal).catch(() => {})])
      pause.abort()
    }
  }
}
