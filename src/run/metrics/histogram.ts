import type { Distribution, Series } from '#lib/exposition.ts'

type Cell = { readonly labels: Readonly<Record<string, string>>; readonly counts: number[]; count: number; sum: number }

/** What one process saw: gone with it, and another one's is another. For what is not worth a row in the store. */
export class Histogram {
  readonly #bounds: readonly number[]
  readonly #cells = new Map<string, Cell>()

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds
  }

  /** `labels`: of few values each, for each combination is kept for as long as the process lives. */
  observe(labels: Readonly<Record<string, string>>, value: number): void {
    const key = JSON.stringify(labels)
    const cell = this.#cells.get(key) ?? { labels, counts: this.#bounds.map(() => 0), count: 0, sum: 0 }
    this.#cells.set(key, cell)
    for (const [at, bound] of this.#bounds.entries()) if (value <= bound) cell.counts[at] = (cell.counts[at] ?? 0) + 1
    cell.count += 1
    cell.sum += value
  }

  series(): Series[] {
    return [...this.#cells.values()].map(({ labels, counts, count, sum }) => ({ labels, distribution: { bounds: this.#bounds, counts, count, sum } satisfies Distribution }))
  }
}
