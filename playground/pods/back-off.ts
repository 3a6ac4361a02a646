const firstMs = 10_000
const lastMs = 300_000
const forgivenAfterMs = 600_000

/** The kubelet's back-off: the first failure is tried again at once, then after 10 s, 20 s, ... 5 min; ten good minutes forgive everything. */
export class BackOff {
  #failures = 0

  /** How long to wait after a failure; `ranMs` is how long it went well before. */
  next(ranMs: number): number {
    if (ranMs >= forgivenAfterMs) this.#failures = 0
    this.#failures += 1
    return this.#failures === 1 ? 0 : Math.min(lastMs, firstMs * 2 ** (this.#failures - 2))
  }

  reset(): void {
    this.#failures = 0
  }
}
