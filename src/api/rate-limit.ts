import type { Clock } from '#lib/clock.ts'
import { Failure } from '#lib/failure.ts'

type Bucket = { tokens: number; at: number }

/**
 * A token bucket for each key: `burst` at once, `perSecond` in the long run. In this process's memory: with several replicas each has its own, so
 * that together they let that many times more pass, and a restart forgets. It bounds work and noise; secrets do not rest on it.
 */
export class RateLimit {
  readonly #buckets = new Map<string, Bucket>()
  readonly #options: { readonly burst: number; readonly perSecond: number; readonly clock: Clock; readonly keys?: number }

  constructor(options: { readonly burst: number; readonly perSecond: number; readonly clock: Clock; readonly keys?: number }) {
    this.#options = options
  }

  /** Takes one. Failure `rate-limited`, with `fields.retryAfterSeconds`, where there is none left. */
  take(key: string): void {
    const bucket = this.#filled(key)
    if (bucket.tokens < 1) throw this.#refused(key, bucket)
    bucket.tokens -= 1
  }

  /** Fails as `take` would, and takes nothing. */
  check(key: string): void {
    const bucket = this.#filled(key)
    if (bucket.tokens < 1) throw this.#refused(key, bucket)
  }

  #filled(key: string): Bucket {
    const { burst, perSecond, clock, keys = 10_000 } = this.#options
    const now = clock.now()
    const known = this.#buckets.get(key)
    const tokens = known === undefined ? burst : Math.min(burst, known.tokens + (Math.max(0, now - known.at) / 1000) * perSecond)
    const bucket = { tokens, at: now }
    this.#buckets.delete(key)
    this.#buckets.set(key, bucket)
    // The key that was not heard of for longest is forgotten: whoever has that many addresses is not held by this anyway.
    const oldest = this.#buckets.size > keys ? this.#buckets.keys().next() : undefined
    if (oldest?.value !== undefined) this.#buckets.delete(oldest.value)
    return bucket
  }

  #refused(key: string, bucket: Bucket): Failure {
    const retryAfterSeconds = Math.max(1, Math.ceil((1 - bucket.tokens) / this.#options.perSecond))
    return new Failure({
      code: 'rate-limited',
      subject: key,
      message: 'too many requests of this sort came from there',
      hint: `Try again in ${retryAfterSeconds} s.`,
      retry: 'later',
      fields: { retryAfterSeconds },
    })
  }
}
