import type { Clock } from '#lib/clock.ts'
import type { ObjectKey } from '#model/resource.ts'

/** What is to be looked at, each object once however often it is named. One that could not be told is tried again, later and later. */
export class LookQueue {
  readonly #clock: Clock
  readonly #due = new Map<ObjectKey, number>()
  readonly #attempts = new Map<ObjectKey, number>()
  #nudge = Promise.withResolvers<void>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  add(keys: Iterable<ObjectKey>): void {
    const now = this.#clock.now()
    for (const key of keys) this.#due.set(key, now)
    this.#nudge.resolve()
  }

  /** It may well be what we are just making ourselves, and will hear of in a moment. */
  soon(key: ObjectKey): void {
    const due = this.#clock.now() + soonMs
    this.#due.set(key, Math.min(this.#due.get(key) ?? Infinity, due))
    this.#nudge.resolve()
  }

  /** Nothing has to be looked at any more. */
  drop(key: ObjectKey): void {
    this.#due.delete(key)
  }

  /** It was looked at, and something was said of it. */
  done(key: ObjectKey): void {
    this.#attempts.delete(key)
  }

  /** Nothing could be said of it. */
  later(key: ObjectKey): void {
    const attempts = (this.#attempts.get(key) ?? 0) + 1
    this.#attempts.set(key, attempts)
    const due = this.#clock.now() + Math.min(longestMs, firstMs * 2 ** Math.min(attempts - 1, 10))
    this.#due.set(key, Math.min(this.#due.get(key) ?? Infinity, due))
    this.#nudge.resolve()
  }

  /** Up to `most` that are due; waits until there are some. Empty when the signal ends. */
  async take(most: number, signal: AbortSignal): Promise<ObjectKey[]> {
    while (!signal.aborted) {
      this.#nudge = Promise.withResolvers()
      const now = this.#clock.now()
      const taken: ObjectKey[] = []
      let next = Infinity
      for (const [key, due] of this.#due) {
        if (due > now) next = Math.min(next, due)
        else if (taken.push(key) === most) break
      }
      for (const key of taken) this.#due.delete(key)
      if (taken.length > 0) return taken
      await this.#wait(Math.min(idleMs, next - now), signal)
    }
    return []
  }

  async #wait(ms: number, signal: AbortSignal): Promise<void> {
    const over = new AbortController()
    const end = (): void => over.abort()
    signal.addEventListener('abort', end, { once: true })
    await Promise.race([this.#nudge.promise, this.#clock.sleep(ms, over.signal).catch(() => {})])
    signal.removeEventListener('abort', end)
    over.abort()
  }
}

const soonMs = 1_000
const firstMs = 250
const longestMs = 30_000
const idleMs = 60_000
