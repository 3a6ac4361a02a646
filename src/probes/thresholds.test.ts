import { describe, expect, test } from 'vitest'
import { judge, show, thresholdText, worstOf } from './thresholds.ts'
import type { Thresholds } from './thresholds.ts'
import type { Json } from '#lib/json.ts'
import type { Verdict } from '#model/probe.ts'

const rows: [Json, Thresholds, Verdict][] = [
  [10, { max: 10 }, 'passed'],
  [10.01, { max: 10 }, 'failed'],
  [5, { max: 10, warn: 5 }, 'passed'],
  [6, { max: 10, warn: 5 }, 'warned'],
  [11, { max: 10, warn: 5 }, 'failed'],
  [3, { min: 2, warn: 4 }, 'warned'],
  [4, { min: 2, warn: 4 }, 'passed'],
  [1, { min: 2, warn: 4 }, 'failed'],
  [6, { warn: 5 }, 'warned'],
  [1, { min: 2, max: 10, warn: 5 }, 'failed'],
  [6, { min: 2, max: 10, warn: 5 }, 'warned'],
  ['10', { max: 20 }, 'failed'],
  [null, { min: 0 }, 'failed'],
  [true, { equals: true }, 'passed'],
  [1, { equals: true }, 'failed'],
  [null, { equals: null }, 'passed'],
  [6, { equals: 6, warn: 5 }, 'warned'],
  ['x', {}, 'passed'],
]

describe('thresholds', () => {
  test.each(rows)('%j held against %j is %s', (value, rules, verdict) => {
    expect(judge('it', value, rules).verdict).toBe(verdict)
  })

  test('are told with their units', () => {
    expect(thresholdText({ min: 1, max: 10, warn: 5, unit: 's' })).toBe('>= 1 s, <= 10 s, warns above 5 s')
    expect(thresholdText({ min: 7, warn: 30, unit: 'days' })).toBe('>= 7 days, warns below 30 days')
    expect(thresholdText({})).toBeUndefined()
    expect(judge('replica lag', 47, { max: 10, unit: 's' }).message).toBe('replica lag 47 s, threshold 10 s')
  })

  test('show no document, no long text and no line break', () => {
    expect(show({ a: 1 })).toBe('an object')
    expect(show([1, 2])).toBe('a list of 2')
    expect(show('a\nb\u001b[31m')).toBe('“a b [31m”')
    expect(show('x'.repeat(500)).length).toBeLessThan(90)
  })

  test('of several findings the worst counts, and the first of equals', () => {
    const found = (verdict: Verdict, message: string) => ({ verdict, message })
    expect(worstOf([found('passed', 'a'), found('failed', 'b'), found('failed', 'c'), found('unknown', 'd')]).message).toBe('b')
    expect(worstOf([found('warned', 'a'), found('unknown', 'b')]).message).toBe('b')
  })
})
