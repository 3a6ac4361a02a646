import { describe, expect, test } from 'vitest'
import type { Need, Window } from './config/probe.ts'
import { comparedWith, enough, isDecided, neededOf, overWindow, together } from './judge-samples.ts'
import type { Sample, Verdict } from './probe.ts'

const letters: Record<string, Verdict> = { p: 'passed', w: 'warned', f: 'failed', u: 'unknown' }
const read = (text: string): Verdict[] => [...text].map((letter) => letters[letter] as Verdict)
const sample = (verdict: Verdict, more: Partial<Sample> = {}): Sample => ({ signal: 'count', target: 'it', verdict, message: `it is ${verdict}`, collectedAt: 1, durationMs: 2, ...more })

describe('enough of many', () => {
  test.each([
    ['ppp', 3, 'passed'], ['ppw', 3, 'warned'], ['ppf', 3, 'failed'], ['ppu', 3, 'unknown'], ['puf', 3, 'failed'],
    ['pff', 1, 'passed'], ['wff', 1, 'warned'], ['uff', 1, 'unknown'], ['fff', 1, 'failed'], ['wpf', 1, 'passed'],
    ['ppf', 2, 'passed'], ['pwf', 2, 'warned'], ['puf', 2, 'unknown'], ['pff', 2, 'failed'], ['', 1, 'failed'],
  ])('%s, %i needed: %s', (all, needed, verdict) => expect(enough(read(all), needed)).toBe(verdict))

  test.each<[Need, number, number]>([['all', 5, 5], ['any', 5, 1], ['quorum', 5, 3], ['quorum', 4, 3], ['quorum', 1, 1], [2, 5, 2], [9, 5, 5]])('%s of %i is %i', (need, count, needed) => {
    expect(neededOf(need, count)).toBe(needed)
  })
})

describe('a window', () => {
  const of10: Window = { passed: 8, of: 10 }
  test.each<[string, Window | undefined, Verdict, boolean]>([
    ['p', undefined, 'passed', true],
    ['f', undefined, 'failed', true],
    ['fp', undefined, 'passed', true],
    ['pu', undefined, 'unknown', true],
    ['pppppppp', of10, 'passed', true],
    ['ppppppp', of10, 'unknown', false],
    ['ppppppppff', of10, 'passed', true],
    ['fffpppppppp', of10, 'passed', true],
    ['ppppppwwff', of10, 'warned', true],
    ['pppppppfff', of10, 'failed', true],
    ['pppppppffu', of10, 'unknown', true],
    ['fff', of10, 'failed', true],
    ['pfff', of10, 'failed', true],
    ['ff', of10, 'failed', false],
    ['pff', of10, 'unknown', false],
  ])('%s in %o is %s; decided: %s', (all, window, verdict, decided) => {
    expect(overWindow(read(all), window)).toBe(verdict)
    expect(isDecided(read(all), window)).toBe(decided)
  })
})

describe('several targets', () => {
  test('are one sample that says how many pass, and what is wrong with the first that does not', () => {
    const all = [sample('passed', { collectedAt: 5 }), sample('failed', { target: 'b', message: 'refused', durationMs: 9 }), sample('passed')] as const
    expect(together([...all], 'quorum')).toMatchObject({ verdict: 'passed', value: 2, threshold: '2 of 3', message: '2 of 3 pass: b: refused', collectedAt: 1, durationMs: 9, across: all })
    expect(together([...all], 'all')).toMatchObject({ verdict: 'failed', message: '2 of 3 pass, 3 needed: b: refused' })
    expect(together([...all], 'any')).toMatchObject({ verdict: 'passed' })
  })
})

describe('held against the time before the change', () => {
  const rate = (value: number, verdict: Verdict = 'passed'): Sample => sample(verdict, { value, unit: '%', threshold: '<= 50 %', message: `rate ${value} %` })
  const rules = { max: { times: 1.5 }, warn: { times: 1.2 } }

  test.each<[number, number, object, Verdict]>([
    [2, 3, rules, 'warned'],
    [2, 2.4, rules, 'passed'],
    [2, 3.01, rules, 'failed'],
    [0, 0, rules, 'passed'],
    [0, 0.1, rules, 'failed'],
    [0, 1, { max: { times: 1.5, plus: 1 } }, 'passed'],
    [10, 12, { max: { plus: 2 } }, 'passed'],
    [10, 12.1, { max: { plus: 2 } }, 'failed'],
    [100, 80, { min: { times: 0.9 } }, 'failed'],
    [100, 92, { min: { times: 0.9 }, warn: { times: 0.95 } }, 'warned'],
    [0.1, 0.3, { max: { times: 3 } }, 'passed'],
  ])('%d before and %d after, with %o: %s', (before, after, compare, verdict) => expect(comparedWith(rate(before), rate(after), compare).verdict).toBe(verdict))

  test('says what it was, and the limit that this makes', () => {
    expect(comparedWith(rate(1.6), rate(3.2), rules)).toMatchObject({ verdict: 'failed', threshold: '<= 50 %, <= 2.4 %, warns above 1.92 %', message: 'rate 3.2 %; before the change it was 1.6 %, at most 2.4 % allowed' })
  })

  test('is unknown where either side is, and never passed', () => {
    expect(comparedWith(undefined, rate(1), rules)).toMatchObject({ verdict: 'unknown', message: 'rate 1 %; the value before the change is not known (it was not asked)' })
    expect(comparedWith(sample('unknown', { value: 3, message: 'timed out' }), rate(1), rules)).toMatchObject({ verdict: 'unknown', message: expect.stringContaining('(timed out)') })
    expect(comparedWith(sample('failed'), rate(1), rules)).toMatchObject({ verdict: 'unknown', message: expect.stringContaining('(it was no number)') })
    expect(comparedWith(rate(1), sample('passed'), rules).verdict).toBe('unknown')
    expect(comparedWith(undefined, rate(1, 'failed'), rules).verdict).toBe('failed')
  })

  test('a value counts also where it failed its own threshold before, and what fails by itself stays failed', () => {
    expect(comparedWith(rate(60, 'failed'), rate(49), rules).verdict).toBe('passed')
    expect(comparedWith(rate(60, 'failed'), rate(55, 'failed'), rules).verdict).toBe('failed')
  })
})
