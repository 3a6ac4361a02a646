import { describe, expect, test } from 'vitest'
import type { JsonObject } from '#lib/json.ts'
import { judgeRestarts, restartsWithin } from './restarts.ts'

const now = Date.parse('2026-01-01T12:00:00Z')
const ago = (minutes: number): string => new Date(now - minutes * 60_000).toISOString()
const tenMinutes = 600_000
/** A pod of an hour, with one container. Runs began so many minutes ago; the last one goes on, or waits to be started again. */
const pod = (restartCount: number, { running, last }: { running?: number; last?: number }, startTime = ago(60)): JsonObject => ({
  status: {
    startTime,
    containerStatuses: [
      {
        restartCount,
        state: running === undefined ? { waiting: { reason: 'CrashLoopBackOff' } } : { running: { startedAt: ago(running) } },
        ...(last === undefined ? {} : { lastState: { terminated: { startedAt: ago(last), finishedAt: ago(last - 0.5), exitCode: 1 } } }),
      },
    ],
  },
})

describe('restarts within a time', () => {
  test.each([
    ['never restarted', pod(0, { running: 60 }), 0, 0],
    ['restarted long ago', pod(4, { running: 30, last: 40 }), 0, 0],
    ['restarted once, after a long run', pod(4, { running: 5, last: 40 }), 1, 1],
    ['restarted twice or more often', pod(9, { running: 2, last: 5 }), 2, 9],
    ['restarted once from its first run, which began within the time', pod(1, { running: 2, last: 9 }, ago(60)), 1, 1],
    ['waits to be started again, after a run that was itself a restart', pod(3, { last: 4 }), 1, 3],
    ['waits, and nobody knows when it ran', pod(3, {}), 0, 3],
    ['a young pod', pod(3, { running: 1, last: 2 }, ago(8)), 3, 3],
    ['no statuses yet', { status: { phase: 'Pending' } }, 0, 0],
    ['nothing that makes sense', { status: { startTime: 'x', containerStatuses: [5, { restartCount: 'x' }] } }, 0, 0],
  ])('%s', (_name, object, least, most) => {
    expect(restartsWithin(object, tenMinutes, now)).toEqual({ least, most })
  })

  test('containers that initialise, and several pods, are counted together', () => {
    const both = { status: { ...(pod(0, { running: 60 })['status'] as JsonObject), initContainerStatuses: (pod(2, { running: 3, last: 40 })['status'] as JsonObject)['containerStatuses'] ?? [] } }
    expect(judgeRestarts({ within: tenMinutes, max: 0 }, [both, pod(1, { running: 4, last: 50 })], 'Pod orders/[app=api]', now)).toEqual({ value: 2, verdict: 'failed', message: 'Pod orders/[app=api]: 2 restarts within 10 min, at most 0 expected' })
  })

  test('what cannot be told is unknown, and what is certain is not', () => {
    const many = [pod(9, { running: 2, last: 5 })]
    expect(judgeRestarts({ within: tenMinutes, max: 1 }, many, 'Pod a', now)).toMatchObject({ verdict: 'failed' })
    expect(judgeRestarts({ within: tenMinutes, max: 3 }, many, 'Pod a', now)).toMatchObject({ verdict: 'unknown', message: 'Pod a: 2 to 9 restarts within 10 min: Kubernetes keeps the times of the last two runs alone' })
    expect(judgeRestarts({ within: tenMinutes, max: 9 }, many, 'Pod a', now)).toMatchObject({ verdict: 'passed' })
  })
})
