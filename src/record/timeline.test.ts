import { expect, test } from 'vitest'
import type { ModuleOutcome } from '#model/run.ts'
import type { ProbeResult, Verdict } from '#model/probe.ts'
import { notesOf } from './note.ts'
import { aRun, aVerdictChange } from './records-fixture.ts'
import { momentsOf, momentsOfAll } from './timeline.ts'

const link = { environment: 'staging', seq: 3, previous: null } as const
const module = (delivery: ModuleOutcome['delivery'], verification: ModuleOutcome['verification']): ModuleOutcome => ({ module: 'web', delivery, verification, readinessOnly: false })
const probe = (name: string, verdict: Verdict, ...samples: [number, Verdict][]): ProbeResult & { module: string } =>
  ({ module: 'web', probe: name, kind: 'http', verdict, asked: 1, samples: samples.map(([collectedAt, one]) => ({ signal: 'boolean', target: 'x', verdict: one, message: one, collectedAt, durationMs: 1 })) })

const commit = { repository: 'orders', sha: 'c'.repeat(40), author: { name: 'Ada', email: 'a@b' }, at: 1, subject: 'x', trailers: {} }

test.each<[string, ModuleOutcome[], string]>([
  ['delivered, and does not work', [module('delivered', 'failed')], 'failed: delivered, verification failed'],
  ['not delivered', [module('delivered', 'passed'), module('failed', 'pending')], 'failed: not delivered, verification passed'],
  ['held back by another', [module('delivered', 'failed'), module('halted', 'pending')], 'failed: halted, verification failed'],
  ['nothing', [], 'failed: nothing delivered, not verified'],
])('a run tells two facts, in notes and on the line of time: %s', (_, modules, says) => {
  const run = aRun(link, { state: 'failed', modules, changes: [commit] })
  expect(notesOf(run, 'sha256:0')[0]?.line).toContain(`staging ${says};`)
  const delivered = modules.length === 0 ? 'failed' : `failed (${/: (.*),/.exec(says)?.[1]})`
  expect(momentsOf(run).at(-1)?.text).toBe(delivered)
})

test.each<[string, ModuleOutcome['verification'], (ProbeResult & { module: string })[], number | null]>([
  ['since the last of its probes passes', 'passed', [probe('a', 'passed', [5, 'failed'], [8, 'passed']), probe('b', 'passed', [6, 'passed'])], 8],
  ['since the first of those that fail does', 'failed', [probe('a', 'failed', [5, 'failed'], [8, 'failed']), probe('b', 'passed', [6, 'passed'])], 5],
  ['by readiness alone', 'passed', [], null],
])('what a run found has an onset: %s', (_, verification, probes, onset) => {
  const verdict = momentsOf(aRun(link, { modules: [module('delivered', verification)], probes })).find((moment) => moment.verdict !== null)
  expect(verdict).toMatchObject({ verdict: verification, onset })
})

test('what stood so before a run asked did not begin with it, and is not told as first seen by it', () => {
  const at = (seq: number) => ({ ...link, seq })
  const failing = (seq: number) => aRun(at(seq), { modules: [module('delivered', 'failed')], probes: [probe('lag', 'failed', [5, 'warned'], [8, 'failed'])] })
  const change = (seq: number, to: 'passed' | 'failed') => aVerdictChange(at(seq), { module: 'web', from: to === 'failed' ? 'passed' : 'failed', to, onset: 2 })
  const onsets = (...records: Parameters<typeof momentsOfAll>) => momentsOfAll(...records).flatMap(({ verdict, onset }) => (verdict === null ? [] : [[verdict, onset]]))
  expect(onsets([change(0, 'failed'), failing(1), failing(2)])).toEqual([['failed', 2], ['failed', null], ['failed', null]])
  expect(onsets([change(0, 'passed'), failing(1)])).toEqual([['passed', 2], ['failed', 8]])
  expect(onsets([failing(1)], new Map([['staging web', 'failed']]))).toEqual([['failed', null]])
  const both = aRun(at(1), { modules: [module('delivered', 'failed'), { ...module('delivered', 'failed'), module: 'api' }], probes: [probe('lag', 'failed', [5, 'failed']), { ...probe('page', 'failed', [7, 'failed']), module: 'api' }] })
  expect(onsets([both], new Map([['staging web', 'failed']]))).toEqual([['failed', null], ['failed', 7]])
  expect(momentsOf(failing(1)).map(({ text }) => text)).toContain('lag warned: warned')
})
