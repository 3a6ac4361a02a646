import { expect, test } from 'vitest'
import type { Moment, Timeline } from '#api/client.ts'
import { printTimeline } from './timeline.ts'

const at = (time: string): string => `2026-11-21T${time}.000Z`
const moment = (time: string, kind: Moment['kind'], text: string, more: Partial<Moment> = {}): Moment => ({
  at: at(time), environment: 'production', kind, modules: ['orders-database'], text, verdict: null, onset: null, by: null, ref: null, record: null, ...more,
})
const timeline: Timeline = {
  since: at('11:00:00'), until: at('13:00:00'), whole: true,
  standing: [{ environment: 'production', module: 'orders-database', verdict: 'passed' }],
  moments: [
    moment('11:59:02', 'change', 'orders d0422392: Replicate to the other side', { by: 'Ada' }),
    moment('12:00:00', 'run', 'began: Replicate to the other side', { by: 'Ada', ref: 'run-1', modules: ['orders-api', 'orders-database'] }),
    moment('12:00:10', 'approval', 'approved: It went well', { by: 'noor', ref: 'run-1' }),
    moment('12:00:31', 'verdict', 'verification passed', { verdict: 'passed', modules: ['orders-api', 'orders-database'], ref: 'run-1' }),
    moment('12:00:31', 'run', 'succeeded', { ref: 'run-1' }),
    moment('12:20:12', 'verdict', 'passed -> failed: replica lag 47 s, threshold 10 s', { verdict: 'failed', onset: at('12:20:00'), ref: 'run-1' }),
    moment('12:30:00', 'context', `paused until later: \u001b[31mred ${'word '.repeat(40)}`, { modules: [], by: 'noor' }),
  ],
}
const print = (width: number, more: Partial<Timeline> = {}): string[] => printTimeline({ ...timeline, ...more }, { colours: false, width, now: 0 })

test('a line of time has a lane for each module, and shows how each stood', () => {
  expect(print(110).slice(0, 12)).toEqual([
    '          ┌ orders-api in production',
    '          │ ┌ orders-database in production',
    '2026-11-21',
    '11:59:02  · ○ change    orders-database: orders d0422392: Replicate to the other side  Ada',
    '12:00:00  ○ ○ run       2 modules: began: Replicate to the other side  Ada  run-1',
    '12:00:10  · ○ approval  orders-database: approved: It went well  noor  run-1',
    '12:00:31  ● ● verdict   2 modules: verification passed  run-1',
    '12:00:31  │ ○ run       orders-database: succeeded  run-1',
    '12:20:00  │ ┬ since     orders-database: so it is from here on, which was known 12s later',
    '12:20:12  │ ✗ verdict   orders-database: passed -> failed: replica lag 47 s, threshold 10 s  run-1',
    expect.stringContaining('12:30:00  ○ ○ context   paused until later: red word word'),
    expect.stringMatching(/^ {10}│ ┃ {11}word/),
  ])
})

test('what people wrote moves no cursor, and no line is wider than the terminal', () => {
  for (const width of [60, 80, 120]) {
    for (const line of print(width)) expect(line).not.toMatch(/[\u0000-\u001f\u007f]/)
    expect(Math.max(...print(width).map((line) => line.length))).toBeLessThanOrEqual(width + 20)
  }
})

test('it says so where nothing happened, and where older moments are left out', () => {
  expect(print(80, { moments: [] })).toEqual(['Nothing happened between 2026-11-21 11:00:00Z and 2026-11-21 13:00:00Z.'])
  expect(print(80, { whole: false })).toContain('Older moments are left out: there are too many.')
})

test('a commit that is older than what was asked for says why it is told', () => {
  const [, , , commit, run] = print(200, { since: at('11:59:30') })
  expect(commit).toBe('11:59:02  · ○ change    orders-database: orders d0422392: Replicate to the other side (made earlier, delivered since)  Ada')
  expect(run).not.toContain('made earlier')
})
