import { expect, test } from 'vitest'
import type { FailureJson } from '#lib/failure.ts'
import type { OperationStepRow } from '#model/operation.ts'
import { environmentItself } from '#model/probe-state.ts'
import type { ProbeResult, Sample, Verdict } from '#model/probe.ts'
import type { EffectRow, RunModuleRow } from '#store/runs.ts'
import { notFoundOut, unknownOf } from './not-known.ts'

const failure = (code: string): FailureJson => ({ code, subject: 'x', message: `${code} it is`, retry: 'never' })
const probe = (name: string, verdict: Verdict, ...said: [Verdict, string][]): ProbeResult =>
  ({ probe: name, kind: 'sql', verdict, asked: said.length, samples: said.map(([one, message]) => ({ verdict: one, message }) as Sample) })
const step = (name: string, state: OperationStepRow['state'], kind: OperationStepRow['kind'], more: Partial<OperationStepRow> = {}): OperationStepRow =>
  ({ position: 0, name, kind, state, message: null, failure: null, probes: [], startedAt: 0, endedAt: null, ...more })
const module = (code: string | undefined, probes: ProbeResult[] = []): RunModuleRow =>
  ({ module: 'web', probes, outcome: { module: 'web', delivery: 'failed', verification: 'unknown', readinessOnly: false, ...(code === undefined ? {} : { failure: failure(code) }) } })
const effect = (state: string, code: string): EffectRow => ({ outcome: { state, failure: failure(code) } }) as EffectRow

const lines = (of: FailureJson[]): string[] => of.map(({ code, subject, message }) => `${code} ${subject}: ${message}`)

test('a probe without an answer was not known, by what it met last; what passed or failed was', () => {
  const probes = [probe('lag', 'unknown', ['failed', 'lag 12 s'], ['unknown', 'no address for db'], ['passed', 'ok']), probe('up', 'passed', ['passed', 'ok']), probe('down', 'failed', ['failed', 'no']), probe('window', 'unknown', ['passed', 'ok'])]
  expect(lines(notFoundOut('web', probes))).toEqual(['probe-unknown probe lag of web: no address for db', 'probe-unknown probe window of web: it was not asked often enough to tell'])
  expect(lines(notFoundOut(environmentItself, probes.slice(0, 1)))[0]).toMatch(/^probe-unknown probe lag of the environment itself: /)
})

test.each<[string, Parameters<typeof unknownOf>[0], string[]]>([
  ['an effect that may have been written', { effects: [effect('unknown', 'effect-interrupted'), effect('failed', 'kubernetes-conflict')], modules: [], steps: [] }, ['effect-interrupted x: effect-interrupted it is']],
  ['a module that could not be read, not one that is not ready', { effects: [], modules: [module('kubernetes-unreachable'), module('not-ready')], steps: [] }, ['kubernetes-unreachable x: kubernetes-unreachable it is']],
  ['a module whose probe found nothing out', { effects: [], modules: [module(undefined, [probe('lag', 'unknown', ['unknown', 'denied'])])], steps: [] }, ['probe-unknown probe lag of web: denied']],
  [
    'a step that may have taken effect, and one in whose middle the process ended',
    { effects: [], modules: [], steps: [step('drain', 'unknown', 'sql', { failure: failure('connection-lost') }), step('restart', 'started', 'command'), step('wait', 'started', 'wait'), step('patch', 'done', 'patch')] },
    ['connection-lost step drain: nobody can tell whether it took effect: connection-lost it is', 'operation-interrupted step restart: nobody can tell whether it took effect: the process ended in the middle of it'],
  ],
  ['a step that asked, and was not answered', { effects: [], modules: [], steps: [step('look', 'failed', 'probe', { probes: [probe('up', 'unknown', ['unknown', 'denied'])] })] }, ['probe-unknown probe up of step look: denied']],
])('a record of a run names %s', (_, went, expected) => {
  expect(lines(unknownOf(went))).toEqual(expected)
})
