import { expect, test } from 'vitest'
import { deliveredAsPinned, liftsItself } from './pin.ts'

const rolledBack = { by: 'rollback', bad: 'bad' } as const

test('a pin by a rollback goes when Git says something else than what was rolled back: a revert, a fix, or no such module', () => {
  expect(liftsItself(rolledBack, { digest: 'bad' })).toBe(false)
  expect(liftsItself(rolledBack, { digest: 'good again' })).toBe(true)
  expect(liftsItself(rolledBack, 'gone')).toBe(true)
})

test('what Git says is not known where it cannot be read: nothing is lifted for that', () => {
  expect(liftsItself(rolledBack, 'unknown')).toBe(false)
})

test('a pin by a person is lifted by a person alone', () => {
  for (const git of [{ digest: 'anything' }, 'gone', 'unknown'] as const) expect(liftsItself({ by: 'person', bad: null }, git)).toBe(false)
})

test('a pinned module is behind while Git says something else', () => {
  expect(deliveredAsPinned({ git: 'b' }, 'a')).toBe('behind')
  expect(deliveredAsPinned({ git: null }, 'a')).toBe('behind')
  expect(deliveredAsPinned({ git: null }, null)).toBe('behind')
  expect(deliveredAsPinned({ git: 'a' }, 'a')).toBe('synced')
})
