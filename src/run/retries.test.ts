import { expect, test } from 'vitest'
import { retryAfter } from './retries.ts'

test('what may pass by itself is tried again later and later; what only needs a new plan, at once and then so too', () => {
  expect([1, 2, 3, 4, 20].map((attempts) => retryAfter('later', attempts))).toEqual([5_000, 15_000, 45_000, 135_000, 3_600_000])
  expect([1, 2, 3, 4, 5].map((attempts) => retryAfter('now', attempts))).toEqual([0, 0, 0, 5_000, 15_000])
})
