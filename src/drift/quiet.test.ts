import { expect, test } from 'vitest'
import { quietUntil, type QuietWindow } from './quiet.ts'

const night: QuietWindow = { from: '22:00', to: '06:00', zone: 'UTC' }
const weekend: QuietWindow = { days: ['sat', 'sun'], from: '00:00', to: '00:00', zone: 'UTC' }
const berlin: QuietWindow = { days: ['mon'], from: '12:00', to: '13:30', zone: 'Europe/Berlin' }

// 2026-11-02 is a Monday.
test.each<[string, QuietWindow[], string, string | undefined]>([
  ['no window', [], '2026-11-02T23:00:00Z', undefined],
  ['by day', [night], '2026-11-02T12:00:00Z', undefined],
  ['in the evening', [night], '2026-11-02T23:30:10Z', '2026-11-03T06:00:00.000Z'],
  ['past midnight', [night], '2026-11-03T05:59:59Z', '2026-11-03T06:00:00.000Z'],
  ['at its end', [night], '2026-11-03T06:00:00Z', undefined],
  ['a whole weekend, and the nights around it', [night, weekend], '2026-11-06T22:00:00Z', '2026-11-09T06:00:00.000Z'],
  ['only on its days', [{ ...night, days: ['tue'] }], '2026-11-02T23:00:00Z', undefined],
  ['the night that began on its day', [{ ...night, days: ['mon'] }], '2026-11-03T01:00:00Z', '2026-11-03T06:00:00.000Z'],
  ['in the time of a place', [berlin], '2026-11-02T11:15:00Z', '2026-11-02T12:30:00.000Z'],
  ['always', [{ from: '00:00', to: '00:00', zone: 'UTC' }], '2026-11-02T11:15:00Z', '2026-11-10T00:00:00.000Z'],
])('%s', (_, windows, now, until) => {
  const found = quietUntil(windows, Date.parse(now))
  expect(found === undefined ? undefined : new Date(found).toISOString()).toBe(until)
})
