/** How a request went, for the limit: `slow` and `pushed-back` (429) make it smaller. */
export type Experience = 'fine' | 'slow' | 'pushed-back'

/**
 * How many requests are in flight at once. It begins at `start`, grows by one for each round of requests that went well, up to `most`, and
 * shrinks: to three quarters for an answer that took long, to half for a 429. 16 is where a real API server stops giving more (measured.md).
 */
export class AdaptiveLimit {
  #limit: number
  readonly #most: number
  #inFlight = 0
  #fine = 0
  /** Requests that began before this one are of an earlier limit: one burst of 429s shrinks it once. */
  #began = 0
  #shrunkAt = 0
  readonly #waiting: (() => void)[] = []

  constructor(start = 8, most = 16) {
    this.#limit = start
    this.#most = most
  }

  get limit(): number {
    return this.#limit
  }

  get inFlight(): number {
    return this.#inFlight
  }

  /** Waits for a place, in order of asking. What it returns gives the place back, once. Rejects with the signal's reason. */
  async enter(signal: AbortSignal): Promise<(experience: Experience) => void> {
    signal.throwIfAborted()
    if (this.#inFlight >= this.#limit) await this.#queue(signal)
    else this.#inFlight += 1
    const ticket = ++this.#began
    let left = false
    return (experience) => {
      if (left) return
      left = true
      this.#inFlight -= 1
      this.#learn(experience, ticket)
      this.#admit()
    }
  }

  #queue(signal: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const abort = (): void => {
      this.#waiting.splice(this.#waiting.indexOf(admit), 1)
      reject(signal.reason)
    }
    const admit = (): void => {
      signal.removeEventListener('abort', abort)
      resolve()
    }
    signal.addEventListener('abort', abort, { once: true })
    this.#waiting.push(admit)
    return promise
  }

  #learn(experience: Experience, ticket: number): void {
    if (experience === 'fine') {
      this.#fine += 1
      if (this.#fine < this.#limit) return
      this.#fine = 0
      this.#limit = Math.min(this.#most, this.#limit + 1)
      return
    }
    if (ticket <= this.#shrunkAt) return
    this.#shrunkAt = this.#began
    this.#fine = 0
    this.#limit = Math.max(1, Math.floor(this.#limit * (experience === 'slow' ? 0.75 : 0.5)))
  }

  #admit(): void {
    while (this.#inFlight < this.#limit) {
      const next = this.#waiting.shift()
      if (next === undefined) return
      this.#inFlight += 1
      next()
    }
  }
}
