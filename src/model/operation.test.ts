import { expect, test } from 'vitest'
import { nextStep } from './operation.ts'
import type { OperationStepRow } from './operation.ts'

const row = (position: number, kind: OperationStepRow['kind'], state: OperationStepRow['state']): OperationStepRow => ({ position, name: `${kind}-${position}`, kind, state, message: null, failure: null, probes: [], startedAt: null, endedAt: null })

test('steps come one after the other; what is done, or left out, is not done again', () => {
  const rows = [row(0, 'pre', 'done'), row(1, 'sql', 'skipped'), row(2, 'patch', 'pending'), row(3, 'post', 'pending')]
  expect(nextStep(rows)).toEqual({ next: rows[2] })
  expect(nextStep(rows.map((one) => ({ ...one, state: 'done' as const })))).toEqual({ end: 'succeeded' })
})

test.each(['sql', 'command'] as const)('a step %s that was begun and not finished is never begun again: a person is asked', (kind) => {
  const rows = [row(0, kind, 'started'), row(1, 'post', 'pending')]
  expect(nextStep(rows)).toEqual({ end: 'interrupted', at: rows[0] })
})

test.each(['probe', 'patch', 'wait', 'approval', 'pre', 'post'] as const)('a step %s that was begun is begun again: it is the same twice', (kind) => {
  const rows = [row(0, kind, 'started')]
  expect(nextStep(rows)).toEqual({ next: rows[0] })
})

test('what failed ends it, and so does what nobody knows', () => {
  expect(nextStep([row(0, 'sql', 'failed'), row(1, 'sql', 'pending')])).toMatchObject({ end: 'failed', at: { position: 0 } })
  expect(nextStep([row(0, 'sql', 'unknown'), row(1, 'sql', 'pending')])).toMatchObject({ end: 'interrupted', at: { position: 0 } })
})
