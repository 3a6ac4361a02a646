import { expect, test } from 'vitest'
import { FakeClock } from '#lib/clock.ts'
import type { Verdict } from '#model/probe.ts'
import type { JobPlace, ProbeCapabilities } from '#probes/probe.ts'
import { commandStep } from './command-step.ts'
import type { StepCall } from './step.ts'
import { findOut } from './steps.ts'

const never = new AbortController().signal

/** A step, whose (fake) probe gives that verdict: at once, or when its time is over. */
function stepThat(verdict: Verdict, ends: 'at once' | 'never' = 'at once') {
  const places: JobPlace[] = []
  const clock = new FakeClock()
  const probe = {
    kind: 'command',
    sample: async ({ clients, signal }: { clients: ProbeCapabilities; signal: AbortSignal }, config: { target: string; image?: string }) => {
      if (config.image !== undefined) places.push(await clients.jobs(config.target, config.image))
      if (ends === 'never') await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()))
      return { signal: 'boolean', target: 'mark on here', verdict, message: 'it ended so', collectedAt: clock.now(), durationMs: 1 }
    },
  }
  const parts = { clock, probes: [probe], resolve: async () => [], cel: async () => true, kubernetes: async () => ({}) }
  const cluster = { kubernetes: { context: 'dev', jobs: { namespace: 'jobs', serviceAccount: 'probe', images: ['tools/*'] } } }
  const environment = { metadata: { name: 'dev' }, spec: { addresses: {}, reach: [], targets: { cluster } } }
  const call = (more: Partial<StepCall> = {}, row: object = {}) =>
    ({ place: { parts, environment, run: { id: 'run-1' }, claim: { signal: never, fence: async () => {}, assertLease: async () => {} } }, owner: { name: 'x', repository: 'platform', limits: 'everything' }, row: { name: 'mark', kind: 'command', state: 'started', startedAt: clock.now(), ...row }, timeout: undefined, signal: never, ...more }) as unknown as StepCall
  return { call, places }
}
const onHost = { target: 'here', run: 'mark' } as never
const inCluster = { target: 'cluster', image: 'tools/task:1' } as never

test('a command is run once, and what it ends with decides', async () => {
  expect(await commandStep.carryOut(stepThat('passed').call(), onHost)).toMatchObject({ state: 'done', message: 'it ended so', probes: [{ kind: 'command', asked: 1 }] })
  expect(await commandStep.carryOut(stepThat('failed').call(), onHost)).toMatchObject({ state: 'failed', failure: { code: 'command-failed', message: 'it ended so' } })
})

test('where nobody can tell how it ended, nobody knows what it did: also where its time ended it', async () => {
  expect(await commandStep.carryOut(stepThat('unknown').call(), onHost)).toMatchObject({ state: 'unknown', failure: { code: 'command-failed' } })
  expect(await commandStep.carryOut(stepThat('failed', 'never').call({ timeout: 20 }), onHost)).toMatchObject({ state: 'unknown', failure: { code: 'command-failed' } })
})

test('its Job is of this step of this run, stays when it is over, and may take as long as the step says', async () => {
  const { call, places } = stepThat('passed')
  await commandStep.carryOut(call({ timeout: 3_600_000 }), inCluster)
  await commandStep.carryOut(call({}, { name: 'again' }), inCluster)
  expect(places).toMatchObject([
    { namespace: 'jobs', owner: 'dev/run-1/mark', step: { begin: 'makes', timeoutMs: 3_600_000 } },
    { owner: 'dev/run-1/again', step: { begin: 'makes', timeoutMs: 600_000 } },
  ])
})

test('of one that was begun and not finished a Job still tells, and is not begun again; of a program on a host nobody can', async () => {
  const { call, places } = stepThat('passed')
  expect(await findOut(call(), { steps: [{ name: 'mark', command: inCluster } as never] })).toMatchObject({ state: 'done' })
  expect(places).toMatchObject([{ owner: 'dev/run-1/mark', step: { begin: 'finds' } }])
  expect(findOut(call(), { steps: [{ name: 'mark', command: onHost } as never] })).toBeUndefined()
  expect(findOut(call({}, { state: 'unknown' }), { steps: [{ name: 'mark', command: inCluster } as never] })).toBeUndefined()
})
