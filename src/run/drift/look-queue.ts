import type { Clock } from '#lib/clock.ts'
import type { ObjectKey } from '#model/resource.ts'

/**
 * What is to be looked at, each object once however often it is named: first what was just heard of, then what can wait. One that could not be told is tried
 * again, later and later.
 */
export class LookQueue {
  readonly #clock: Clock
  readonly #heard = new Set<ObjectKey>()
  /** When each of what can wait is due. */
  readonly #due = new Map<ObjectKey, number>()
  readonly #attempts = new Map<ObjectKey, number>()
  #passedOver = 0
  #nudge = Promise.withResolvers<void>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Something was heard of them just now: a person waits for what is said of it. */
  add(keys: Iterable<ObjectKey>): void {
    for (const key of keys) {
      this.#heard.add(key)
      this.#due.delete(key)
    }
    this.#nudge.resolve()
  }

  /** They are looked at when nothing that was just heard of waits. */
  behind(keys: Iterable<ObjectKey>): void {
    for (const key of keys) this.#wants(key, 0)
  }

  /** It may well be what we are just making ourselves, and will hear of in a moment. */
  soon(key: ObjectKey): void {
    this.#wants(key, soonMs)
  }

  /** Nothing has to be looked at any more. */
  drop(key: ObjectKey): void {
    this.#heard.delete(key)
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
    this.#wants(key, Math.min(longestMs, firstMs * 2 ** Math.min(attempts - 1, 10)))
  }

  /**
   * Up to `most` that are due; waits until there are some. Those that can wait come in smaller lots, so that what is heard of meanwhile is not held up by many
   * of them, and have their turn also where more is heard of without an end. Empty when the signal ends.
   */
  async take(most: number, signal: AbortSignal): Promise<ObjectKey[]> {
    while (!signal.aborted) {
      this.#nudge = Promise.withResolvers()
      const now = this.#clock.now()
      if (this.#heard.size > 0 && this.#passedOver < mostPassedOver) {
        this.#passedOver += 1
        return this.#takeHeard(most)
      }
      this.#passedOver = 0
      const { taken, next } = this.#takeDue(Math.min(most, smallLot), now)
      if (taken.length > 0) return taken
      if (this.#heard.size === 0) await this.#wait(Math.min(idleMs, next - now), signal)
    }
    return []
  }

  #wants(key: ObjectKey, inMs: number): void {
    if (this.#heard.has(key)) return
    this.#due.set(key, Math.min(this.#due.get(key) ?? Infinity, this.#clock.now() + inMs))
    this.#nudge.resolve()
  }

  #takeHeard(most: number): ObjectKey[] {
    const taken = [...this.#heard.values().take(most)]
    for (const key of taken) this.#heard.delete(key)
    return taken
  }

  #takeDue(most: number, now: number): { taken: ObjectKey[]; next: number } {
    const taken: ObjectKey[] = []
    let next = Infinity
    for (const [key, due] of this.#due) {
      if (due > now) next = Math.min(next, due)
      else if (taken.push(key) === most) break
    }
    for (const key of taken) this.#due.delete(key)
    return { taken, next }
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

const smallLot = 20
const mostPassedOver = 8
const soonMs = 1_000
const firstMs = 250
const longestMs = 30_000
const idleMs = 60_000
