import { describe, expect, test } from 'vitest'
import { nextLook } from './next-look.ts'

const every = 60_000
const good = { every, verdict: 'passed', onset: 0 } as const

describe('what is good is looked at in its own moment', () => {
  test('the same for the same name, whenever it was looked at last', () => {
    const moments = [0, 1, 999, 20_000, 59_999].map((at) => nextLook({ ...good, name: 'a', at }) % every)
    expect(new Set(moments.map((moment) => Math.round(moment))).size).toBe(1)
    for (const at of [0, 123_456, 10_000_000]) {
      const next = nextLook({ ...good, name: 'a', at })
      expect(next).toBeGreaterThan(at)
      expect(next).toBeLessThanOrEqual(at + every + 1)
    }
  })

  test('spread over time by their names', () => {
    const counts = new Map<number, number>()
    for (let index = 0; index < 1_000; index += 1) {
      const tenth = Math.floor((nextLook({ ...good, name: `production/module-${index}`, at: 0 }) / every) * 10)
      counts.set(tenth, (counts.get(tenth) ?? 0) + 1)
    }
    expect(Math.min(...Array.from({ length: 10 }, (_, tenth) => counts.get(tenth) ?? 0))).toBeGreaterThan(60)
  })
})

describe('what is not good is looked at sooner, ever later, and never later than in its moment', () => {
  const looks = (verdict: 'failed' | 'unknown'): number[] => {
    const gaps: number[] = []
    for (let at = 1_000; at < 1_000_000; ) {
      const next = nextLook({ name: 'a', every, verdict, at, onset: 1_000 })
      gaps.push(next - at)
      at = next
    }
    return gaps
  }
  test.each(['failed', 'unknown'] as const)('%s', (verdict) => {
    const gaps = looks(verdict)
    expect(gaps[0]).toBeGreaterThanOrEqual(5_000)
    expect(gaps[0]).toBeLessThan(6_300)
    expect(Math.max(...gaps)).toBeLessThanOrEqual(every + 1)
    expect(gaps.length).toBeLessThan(25)
  })
})
