/** What several streams yield, as it comes. Ends when all have ended; throws what one of them throws; leaving it leaves them all. */
export async function* merge<T>(sources: readonly AsyncIterable<T>[]): AsyncGenerator<T> {
  const iterators = sources.map((source) => source[Symbol.asyncIterator]())
  const next = new Map(iterators.map((iterator) => [iterator, step(iterator)]))
  try {
    while (next.size > 0) {
      const { iterator, result } = await Promise.race(next.values())
      if (result.done === true) next.delete(iterator)
      else {
        next.set(iterator, step(iterator))
        yield result.value
      }
    }
  } finally {
    // A stream that waits inside `next` cannot be returned before that resolves: it is told, not waited for.
    for (const [iterator, pending] of next) {
      pending.catch(() => {})
      iterator.return?.().catch(() => {})
    }
  }
}

async function step<T>(iterator: AsyncIterator<T>): Promise<{ iterator: AsyncIterator<T>; result: IteratorResult<T> }> {
  return { iterator, result: await iterator.next() }
}
