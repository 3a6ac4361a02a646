import type { Clock } from '#lib/clock.ts'
import { StillAsking } from '#playground/contract.ts'

/** Looks at what `key` names and brings it one step nearer. A number asks for another look in so many milliseconds. */
export type Reconcile = (key: string) => number | undefined | void

const sliceMs = 8 // so that a thousand keys do not hold up the requests of others
const firstRetryMs = 50
const lastRetryMs = 30_000
/** How often a key may wait for webhooks one after another, as a set of many pods does, before it is slowed: a webhook may undo what a controller does. */
const waitsAtOnce = 200

/**
 * Level-triggered work: a key that is added many times before its turn is looked at once. Reconciling is synchronous, as the objects are.
 * An error is told, and the key is tried again later and later.
 */
export class ReconcileQueue {
  readonly #clock: Clock
  readonly #reconcile: Reconcile
  readonly #failed: (key: string, error: unknown) => void
  readonly #waiting = new Set<string>()
  readonly #failures = new Map<string, number>()
  readonly #waits = new Map<string, number>()
  readonly #later = new Map<string, { readonly at: number; readonly cancel: AbortController }>()
  #turn: NodeJS.Immediate | undefined
  #stopped = false

  constructor(clock: Clock, reconcile: Reconcile, failed: (key: string, error: unknown) => void) {
    this.#clock = clock
    this.#reconcile = reconcile
    this.#failed = failed
  }

  add(key: string): void {
    if (this.#stopped) return
    this.#waiting.add(key)
    this.#turn ??= setImmediate(() => this.#work())
  }

  /** A later time for a key that already waits for an earlier one changes nothing. */
  addAfter(key: string, ms: number): void {
    if (this.#stopped) return
    const at = this.#clock.now() + ms
    const known = this.#later.get(key)
    if (known !== undefined && known.at <= at) return
    known?.cancel.abort()
    const cancel = new AbortController()
    this.#later.set(key, { at, cancel })
    this.#clock.sleep(ms, cancel.signal).then(
      () => {
        if (this.#later.get(key)?.cancel === cancel) this.#later.delete(key)
        this.add(key)
      },
      () => {}, // cancelled
    )
  }

  stop(): void {
    this.#stopped = true
    clearImmediate(this.#turn)
    for (const { cancel } of this.#later.values()) cancel.abort()
    this.#later.clear()
    this.#waiting.clear()
  }

  #work(): void {
    this.#turn = undefined
    const start = performance.now()
    for (const key of this.#waiting) {
      this.#waiting.delete(key)
      this.#once(key)
      if (this.#stopped) return
      if (performance.now() - start > sliceMs) break
    }
    if (this.#waiting.size > 0) this.#turn ??= setImmediate(() => this.#work())
  }

  #after(key: string, settled: Promise<void>): void {
    const waits = (this.#waits.get(key) ?? 0) + 1
    this.#waits.set(key, waits)
    void settled.then(() => (waits > waitsAtOnce ? this.addAfter(key, 1_000) : this.add(key)))
  }

  #once(key: string): void {
    try {
      const again = this.#reconcile(key)
      this.#failures.delete(key)
      this.#waits.delete(key)
      if (again !== undefined) this.addAfter(key, Math.max(1, again))
    } catch (error) {
      if (error instanceof StillAsking) return this.#after(key, error.settled)
      const failures = this.#failures.get(key) ?? 0
      this.#failures.set(key, failures + 1)
      this.#failed(key, error)
      this.addAfter(key, Math.min(lastRetryMs, firstRetryMs * 2 ** failures))
    }
  }
}
