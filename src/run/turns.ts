/** So many wait for one target; whoever comes then comes again later, and holds up nobody. */
const mostWaiting = 4

/** At most one at a time for each name, in this process. */
export class Turns {
  readonly #last = new Map<string, Promise<void>>()
  readonly #waiting = new Map<string, number>()

  isCrowded(names: readonly string[]): boolean {
    return names.some((name) => (this.#waiting.get(name) ?? 0) >= mostWaiting)
  }

  /** Runs `work` when nobody else is at work on any of the names. All are asked for at the same moment, so that no two wait for each other. */
  async take<T>(names: readonly string[], work: () => Promise<T>): Promise<T> {
    const own = [...new Set(names)]
    const before = own.map((name) => this.#last.get(name) ?? Promise.resolve())
    const { promise: done, resolve } = Promise.withResolvers<void>()
    for (const name of own) {
      this.#last.set(name, done)
      this.#waiting.set(name, (this.#waiting.get(name) ?? 0) + 1)
    }
    try {
      await Promise.all(before)
      return await work()
    } finally {
      resolve()
      for (const name of own) {
        if (this.#last.get(name) === done) this.#last.delete(name)
        const left = (this.#waiting.get(name) ?? 1) - 1
        if (left === 0) this.#waiting.delete(name)
        else this.#waiting.set(name, left)
      }
    }
  }
}
