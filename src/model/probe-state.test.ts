import { describe, expect, test } from 'vitest'
import { isFlapping, nextState, quietSince, standingVerification, timeIsOver, whyStale } from './probe-state.ts'
import type { ProbeState } from './probe-state.ts'
import type { ProbeResult, Sample, Verdict } from './probe.ts'

const letters: Record<string, Verdict> = { p: 'passed', w: 'warned', f: 'failed', u: 'unknown' }
/** A result whose samples were taken at `from`, `from + 1`, … */
function result(text: string, from: number, verdict: Verdict = letters[text.at(-1) ?? ''] ?? 'unknown'): ProbeResult {
  const samples = [...text].map((letter, index): Sample => ({ signal: 'count', target: 'it', verdict: letters[letter] as Verdict, message: letter, collectedAt: from + index, durationMs: 0 }))
  return { probe: 'lag', kind: 'sql', verdict, asked: samples.length, samples }
}

describe('what a probe says, and since when', () => {
  test('begins with the first sample that told it', () => {
    expect(nextState(undefined, result('ffp', 10), 50)).toMatchObject({ verdict: 'passed', onset: 12, askedAt: 12, lastBefore: null, flips: [] })
    expect(nextState(undefined, result('pff', 10), 50)).toMatchObject({ verdict: 'failed', onset: 11, askedAt: 12 })
    expect(nextState(undefined, result('pfp', 10, 'failed'), 50)).toMatchObject({ verdict: 'failed', onset: 12 })
    expect(nextState(undefined, result('', 10, 'unknown'), 50)).toMatchObject({ verdict: 'unknown', onset: 50, sample: null })
  })

  test('goes on while it stays the same, and remembers what it was when it changes', () => {
    const first = nextState(undefined, result('p', 10), 10)
    const second = nextState({ ...first, causes: [{ kind: 'run', id: 'run-1', at: 5, about: 'why' }] }, result('p', 20), 20)
    expect(second).toMatchObject({ onset: 10, askedAt: 20, causes: [{ id: 'run-1' }] })
    const third = nextState(second, result('f', 30), 31)
    expect(third).toMatchObject({ verdict: 'failed', onset: 30, lastBefore: 20, causes: [], flips: [{ at: 30, from: 'passed', verdict: 'failed', message: 'f' }] })
    expect(nextState(third, result('u', 40), 41)).toMatchObject({ verdict: 'unknown', lastBefore: 30, flips: [{ at: 30 }, { at: 40, from: 'failed', verdict: 'unknown' }] })
  })

  test('keeps no endless history', () => {
    let state: ProbeState | undefined
    for (let turn = 0; turn < 50; turn += 1) state = nextState(state, result(turn % 2 === 0 ? 'p' : 'f', turn), turn)
    expect(state?.flips.map((flip) => flip.at)).toEqual(Array.from({ length: 20 }, (_, index) => 30 + index))
  })
})

test('a probe flaps when its verdict changes more than five times within an hour', () => {
  const flips = (...at: number[]) => ({ flips: at.map((one) => ({ at: one, from: 'passed' as const, verdict: 'failed' as const, message: '' })) })
  const minute = 60_000
  expect(isFlapping(flips(1, 2, 3, 4, minute), 4 * minute)).toBe(false)
  expect(isFlapping(flips(minute, 2 * minute, 3 * minute, 4 * minute, 5 * minute, 6 * minute), 7 * minute)).toBe(true)
  expect(isFlapping(flips(minute, 2 * minute, 3 * minute, 4 * minute, 5 * minute, 6 * minute), 62 * minute)).toBe(false)
  const restless = flips(minute, 2 * minute, 3 * minute, 4 * minute, 5 * minute, 6 * minute)
  expect([7, 62, 6 + 24 * 60].map((at) => quietSince(restless, at * minute))).toEqual([undefined, 6 * minute, undefined])
  expect(quietSince(flips(1, 2, minute), 70 * minute)).toBeUndefined()
})

test.each([
  [{ verification: 'passed', staleAt: 100, movedAt: null }, 'passed'],
  [{ verification: 'passed', staleAt: 99, movedAt: null }, 'stale'],
  [{ verification: 'passed', staleAt: null, movedAt: null }, 'passed'],
  [{ verification: 'passed', staleAt: 200, movedAt: 50 }, 'stale'],
  [{ verification: 'failed', staleAt: 99, movedAt: null }, 'stale'],
  [{ verification: 'unknown', staleAt: 1, movedAt: 1 }, 'unknown'],
] as const)('%o counts as %s', (row, standing) => expect(standingVerification(row, 100)).toBe(standing))

test('what is stale says why', () => {
  const [noon, minute] = [Date.parse('2026-01-01T12:00:00Z'), 60_000]
  const row = { verification: 'passed', verifiedAt: noon, staleAt: noon + minute, movedAt: null, movedWhy: null } as const
  const why = (more: Partial<Parameters<typeof whyStale>[0]>, now = noon + 2 * minute): string | null => whyStale({ ...row, ...more }, now)
  expect(why({})).toBe('the last look, at 2026-01-01T12:00:00.000Z, counted until 2026-01-01T12:01:00.000Z, and nobody has looked again')
  expect(why({ movedAt: noon + 1_000, movedWhy: 'database changed (run-2)' })).toBe('database changed (run-2), at 2026-01-01T12:00:01.000Z; the last look was at 2026-01-01T12:00:00.000Z')
  expect([why({}, noon + 1), why({ verification: 'unknown' }), why({ staleAt: null })]).toEqual([null, null, null])
  expect(timeIsOver(noon, NaN)).toBe('the last look, at 2026-01-01T12:00:00.000Z, is all that there is: nobody looks any more')
})
