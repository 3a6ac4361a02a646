import { createHash } from 'node:crypto'
import type { Verdict } from '#model/probe.ts'

/** What is not good is looked at again this soon (ms), and then ever later. */
const firstAgain = 5_000

/** A module that is looked at again and again. Times in milliseconds. */
export type Looked = {
  /** What spreads looks over time: the same name always has the same moments. */
  readonly name: string
  readonly every: number
  /** The last look. */
  readonly at: number
  readonly verdict: Verdict
  /** Since when it is not good. */
  readonly onset: number
}

/**
 * When to look again. What is good is looked at in its own moment of every `every`. What is not is looked at sooner: as long after the last look as it has
 * been so (5 s at first, then twice as long, and so on), never later than its moment: what was mended is seen within one `every`.
 */
export function nextLook({ name, every, at, verdict, onset }: Looked): number {
  const phase = fraction(name) * every
  const moment = at + every - ((((at - phase) % every) + every) % every)
  if (verdict === 'passed' || verdict === 'warned') return Math.ceil(moment)
  const sooner = Math.max(firstAgain, at - onset) * (1 + fraction(`${name}/again`) / 4)
  return Math.ceil(Math.min(moment, at + sooner))
}

/** A number from 0 to 1 that belongs to a name. */
function fraction(name: string): number {
  return createHash('sha256').update(name).digest().readUInt32BE(0) / 2 ** 32
}
