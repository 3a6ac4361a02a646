import { expect, test } from 'vitest'
import { isCron, nextCron } from './cron.ts'

test('the next time is that of UTC, and later than the one asked for', () => {
  const monday = Date.parse('2026-03-30T04:00:00Z')
  expect(nextCron('0 4 * * 1', monday - 1)).toBe(monday)
  expect(nextCron('0 4 * * 1', monday)).toBe(monday + 7 * 86_400_000)
})

test.each(['* * * *', '* * * * * *', '61 * * * *', 'soon', '', '0 0 31 2 *'])('%s is no schedule', (text) => {
  expect(isCron(text)).toBe(false)
})

test.each(['0 4 * * 1', '*/15 8-18 * * mon-fri', '0 0 29 2 *'])('%s is one', (text) => {
  expect(isCron(text)).toBe(true)
})
