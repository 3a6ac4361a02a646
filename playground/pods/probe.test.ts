import { setImmediate as turn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { FakeClock } from '#lib/clock.ts'
import { BackOff } from './back-off.ts'
import { LogBuffer } from './log-buffer.ts'
import { runProbe, type ProbeKind } from './probe.ts'

/** Runs a probe against answers that a test turns, and moves time second by second. */
function probing(kind: ProbeKind, spec: { periodSeconds?: number; failureThreshold?: number; successThreshold?: number; initialDelaySeconds?: number }) {
  const clock = new FakeClock()
  const over = new AbortController()
  const seen = { asked: 0, failures: 0, verdicts: [] as string[], healthy: true }
  const done = runProbe({
    kind,
    spec,
    clock,
    signal: over.signal,
    ask: async () => {
      seen.asked += 1
      return seen.healthy ? undefined : 'no'
    },
    decided: (verdict) => void seen.verdicts.push(verdict),
    failed: () => void (seen.failures += 1),
  }).catch(() => {})
  const pass = async (seconds: number): Promise<void> => {
    for (let step = 0; step < seconds * 20; step += 1) {
      clock.advance(50)
      await turn()
    }
  }
  return { seen, pass, done, stop: () => over.abort(new Error('over')) }
}

test('readiness is asked often until it first passes, then by its period', async () => {
  const { seen, pass, stop, done } = probing('Readiness', { periodSeconds: 10 })
  seen.healthy = false
  await pass(2)
  expect(seen.asked).toBeGreaterThan(4)
  expect(seen.failures).toBe(0) // between the periods a failure does not count
  seen.healthy = true
  await pass(4)
  expect(seen.verdicts).toEqual(['passing'])
  const before = seen.asked
  await pass(30)
  expect(seen.asked - before).toBe(3)
  stop()
  await done
})

test('readiness goes after failureThreshold failures and comes back after successThreshold passes', async () => {
  const { seen, pass, stop, done } = probing('Readiness', { periodSeconds: 1, failureThreshold: 2, successThreshold: 2 })
  await pass(3)
  expect(seen.verdicts).toEqual(['passing'])
  seen.healthy = false
  await pass(1)
  expect(seen.verdicts).toEqual(['passing'])
  await pass(1)
  expect(seen.verdicts).toEqual(['passing', 'failing'])
  seen.healthy = true
  await pass(2)
  expect(seen.verdicts).toEqual(['passing', 'failing', 'passing'])
  stop()
  await done
})

test('liveness is not asked before a period has passed, and fails after its threshold', async () => {
  const { seen, pass, stop, done } = probing('Liveness', { periodSeconds: 5, failureThreshold: 3 })
  seen.healthy = false
  await pass(4)
  expect(seen.asked).toBe(0)
  await pass(12)
  expect(seen).toMatchObject({ failures: 3, verdicts: ['failing'] })
  stop()
  await done
})

test('a startup probe ends when it passes', async () => {
  const { seen, pass, done } = probing('Startup', { periodSeconds: 1, initialDelaySeconds: 2 })
  await pass(1)
  expect(seen.asked).toBe(0)
  await pass(2)
  await done
  expect(seen.verdicts).toEqual(['passing'])
})

test('back-off: at once, 10 s, 20 s, ... 5 min; ten good minutes forgive', () => {
  const backOff = new BackOff()
  expect(Array.from({ length: 8 }, () => backOff.next(0))).toEqual([0, 10_000, 20_000, 40_000, 80_000, 160_000, 300_000, 300_000])
  expect(backOff.next(600_000)).toBe(0)
})

test('a log keeps whole lines, the last ones, and no more', () => {
  const log = new LogBuffer()
  log.append('one\ntw', 1)
  log.append(`o\n${'x'.repeat(100_000)}\n`, 2)
  log.append('open', 3)
  expect(log.lines().map(({ text }) => text.length)).toEqual([3, 3, 16_384])
  log.end(4)
  expect(log.lines().at(-1)).toEqual({ at: 4, text: 'open' })
  for (let index = 0; index < 10_000; index += 1) log.append(`${index}\n`, 5)
  expect(log.lines().length).toBeLessThanOrEqual(2_500)
  expect(log.lines().at(-1)?.text).toBe('9999')
})
