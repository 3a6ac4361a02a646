import { expect, test } from 'vitest'
import type { ModuleOutcome } from '#model/run.ts'
import type { ProbeResult, Verdict } from '#model/probe.ts'
import { notesOf } from './note.ts'
import { aRun } from './records-fixture.ts'
import { momentsOf } from './timeline.ts'

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
