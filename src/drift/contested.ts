import { plumbline } from '#model/field-facts.ts'
import type { Turn } from '#model/finding.ts'

/** So many times it may be reverted and come back; and so many times it may flip between two others. */
const mostReturns = 3
const mostFlips = 3
/** As many turns are kept as it takes to see a fight. */
const keptTurns = 12

/** Another turn: by the one who set it now. Who sets it again had the turn already. */
export function withTurn(turns: readonly Turn[], by: string, at: number): readonly Turn[] {
  return turns.at(-1)?.by === by ? turns : [...turns, { by, at }].slice(-keptTurns)
}

/**
 * Who fights, where it is a fight: what was reverted and came back three times, or went to and fro between the same two writers more than three times.
 * Undefined where it is none.
 */
export function fighters(turns: readonly Turn[]): readonly [string, string] | undefined {
  const returns = turns.filter((turn, at) => turn.by !== plumbline && turns[at - 1]?.by === plumbline)
  const last = returns.at(-1)
  if (returns.length >= mostReturns && last !== undefined) return [last.by, plumbline]
  const [b, a] = [turns.at(-1)?.by, turns.at(-2)?.by]
  if (a === undefined || b === undefined || a === plumbline || b === plumbline) return undefined
  const strangers = turns.findLastIndex(({ by }) => by !== a && by !== b)
  return turns.length - strangers - 2 > mostFlips ? [b, a] : undefined
}
