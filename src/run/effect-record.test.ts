import { expect, test } from 'vitest'
import type { Effect, Held } from '#model/plan.ts'
import { effectRecord } from './effect-record.ts'

const deployment = 'apps/Deployment/shop/web'
const effectOn = (key: string): Effect => ({
  key, module: 'web', action: 'configured', omit: [], force: false, holdsState: false,
  changes: [{ path: 'data.password', state: 'changed', from: 'hmac:1', to: 'hmac:2' }],
  sealed: { uid: 'u-1', paths: [{ path: 'data.password', live: 'hmac:1', owners: ['plumbline'] }, { path: 'spec.text', live: 'x'.repeat(3_000), owners: [] }] },
})
const heldOf = (key: string): Held => ({
  place: 'cluster', key, uid: 'u-1', environment: 'staging', module: 'web', desired: 'sha256:1', run: 'run-1',
  fields: [{ path: 'data.password', git: 'hmac:2' }, { path: 'spec.replicas', git: 2, answered: 3, mark: 'yielded' }],
})
const done = { state: 'done', outcome: { state: 'applied', action: 'configured', uid: 'u-1' } } as const

test('tells what was there before and what is declared since, as the server answered; long values by their digest', () => {
  expect(effectRecord({ effect: effectOn(deployment), ...done }, heldOf(deployment))).toMatchObject({
    outcome: 'configured',
    before: [{ path: 'data.password', value: 'hmac:1', owners: ['plumbline'] }, { path: 'spec.text', digest: expect.stringMatching(/^sha256:/) }],
    after: [{ path: 'data.password', value: 'hmac:2' }, { path: 'spec.replicas', value: 3, mark: 'yielded' }],
  })
})

test('of a Secret it tells which fields, and no value and no digest of one', () => {
  const told = effectRecord({ effect: effectOn('core/Secret/shop/web'), ...done }, heldOf('core/Secret/shop/web'))
  expect(told.changes).toEqual([{ path: 'data.password', state: 'changed' }])
  expect(JSON.stringify(told)).not.toMatch(/hmac|xxx|value|digest/)
})

test('what was not there, is not there any more, or did not begin says so', () => {
  const created = { ...effectOn(deployment), action: 'created', sealed: { uid: null, paths: [] } } as const
  expect(effectRecord({ effect: created, state: 'pending', outcome: null }, undefined)).toMatchObject({ before: null, after: null, outcome: 'skipped' })
  expect(effectRecord({ effect: effectOn(deployment), state: 'started', outcome: null }, undefined).outcome).toBe('unknown')
  const unchanged = effectRecord({ effect: { ...effectOn(deployment), action: 'unchanged', changes: [] }, ...done }, heldOf(deployment))
  expect(Object.keys(unchanged)).not.toContain('before')
})
