/** Keeps what was used last, up to a number of bytes (or whatever unit `size` is in). One entry over that is not kept. */
export class ByteCache<Value> {
  readonly #entries = new Map<string, { readonly value: Value; readonly size: number }>()
  readonly #maxBytes: number
  #bytes = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  get(key: string): Value | undefined {
    const entry = this.#entries.get(key)
    if (entry === undefined) return undefined
    this.#entries.delete(key) // to the end of the line: a Map keeps the order of insertion
    this.#entries.set(key, entry)
    return entry.value
  }

  set(key: string, value: Value, size: number): void {
    const before = this.#entries.get(key)
    if (before !== undefined) this.#bytes -= before.size
    this.#entries.delete(key)
    if (size > this.#maxBytes) return
    this.#entries.set(key, { value, size })
    this.#bytes += size
    for (const [oldest, entry] of this.#entries) {
      if (this.#bytes <= this.#maxBytes) return
      this.#entries.delete(oldest)
      this.#bytes -= entry.size
    }
  }
}
