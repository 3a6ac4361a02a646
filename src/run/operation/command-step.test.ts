import { expect, test } from 'vitest'
import { FakeClock } from '#lib/clock.ts'
import type { Verdict } from '#model/probe.ts'
import { commandStep } from './command-step.ts'
import type { StepCall } from './step.ts'

const signal = new AbortController().signal

/** What becomes of a command whose (fake) probe gives that verdict. */
async function carriedOut(verdict: Verdict) {
  let asked = 0
  const clock = new FakeClock()
  const probe = { kind: 'command', sample: async () => ({ signal: 'boolean', target: 'mark on here', verdict, message: `it ended so: ${++asked}`, collectedAt: clock.now(), durationMs: 1 }) }
  const parts = { clock, probes: [probe], resolve: async () => [], cel: async () => true }
  const environment = { metadata: { name: 'dev' }, spec: { addresses: {}, reach: [], targets: {} } }
  const call = { place: { parts, environment, claim: { signal, fence: async () => {}, assertLease: async () => {} } }, owner: { name: 'x', repository: 'platform', limits: 'everything' }, row: { name: 'mark' }, signal } as unknown as StepCall
  return commandStep.carryOut(call, { target: 'here', run: 'mark' } as never)
}

test('a command is run once, and what it ends with decides', async () => {
  expect(await carriedOut('passed')).toMatchObject({ state: 'done', message: 'it ended so: 1', probes: [{ kind: 'command', asked: 1 }] })
  expect(await carriedOut('failed')).toMatchObject({ state: 'failed', failure: { code: 'command-failed', message: 'it ended so: 1' } })
})

test('where nobody can tell how it ended, nobody knows what it did', async () => {
  expect(await carriedOut('unknown')).toMatchObject({ state: 'unknown', failure: { code: 'command-failed' } })
})
