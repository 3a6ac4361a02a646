/** Choices that are the same for a seed. */
export type Random = {
  /** From 0 to below 1. */
  next(): number
  chance(likelihood: number): boolean
  pick<T>(items: readonly T[]): T
  /** Some of the items, in their order; at least one where there are any. */
  some<T>(items: readonly T[], likelihood: number): T[]
  number(from: number, to: number): number
}

/** A linear congruential generator (Numerical Recipes), whose low bits are thrown away. */
export function randomOf(seed: number): Random {
  let state = (seed * 2_654_435_761) >>> 0
  const next = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return (state >>> 8) / 2 ** 24
  }
  const pick = <T>(items: readonly T[]): T => {
    const found = items[Math.floor(next() * items.length)]
    if (found === undefined) throw new RangeError('there is nothing to choose from')
    return found
  }
  return {
    next, pick,
    chance: (likelihood) => next() < likelihood,
    some: (items, likelihood) => {
      const found = items.filter(() => next() < likelihood)
      return found.length === 0 && items.length > 0 ? [pick(items)] : found
    },
    number: (from, to) => from + Math.floor(next() * (to - from + 1)),
  }
}
