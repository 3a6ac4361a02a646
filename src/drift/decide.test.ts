import { describe, expect, test } from 'vitest'
import { findingCauses, type DriftPolicy } from '#model/finding.ts'
import { decide, type DecideInput } from './decide.ts'

const usual: DecideInput = { cause: 'manual', tier: 'sandbox', environment: {}, module: {}, holdsState: false, wasYielded: false, isLeaving: false, elevated: false }

describe('what is done about a drift', () => {
  test.each<[string, Partial<DecideInput>, DriftPolicy]>([
    ['the sandbox reverts', {}, 'revert'],
    ['staging reports', { tier: 'staging' }, 'report'],
    ['production reports', { tier: 'production' }, 'report'],
    ['a hotfix is held everywhere', { tier: 'production', cause: 'hotfix' }, 'hold'],
    ['the environment says otherwise', { tier: 'production', environment: { manual: 'revert' } }, 'revert'],
    ['the module’s word counts first', { environment: { manual: 'revert' }, module: { manual: 'ignore' } }, 'ignore'],
    ['what holds data is never reverted by itself', { holdsState: true, environment: { manual: 'revert' } }, 'report'],
    ['what holds data may be ignored', { holdsState: true, environment: { manual: 'ignore' } }, 'ignore'],
    ['what is being deleted cannot be made again before it is gone', { isLeaving: true, cause: 'missing' }, 'report'],
    ['nothing is reverted under an elevation', { elevated: true }, 'hold'],
    ['what was left to an autoscaler that is gone waits for a person', { wasYielded: true, cause: 'controller' }, 'hold'],
    ['another object of that name is not reverted by itself', { cause: 'recreated', environment: { recreated: 'revert' } }, 'report'],
    ['what is not ours is not deleted by itself', { cause: 'orphan', environment: { orphan: 'revert' } }, 'report'],
    ['an object that is gone has nothing to adopt', { cause: 'missing', environment: { missing: 'adopt' } }, 'report'],
    ['fields are adopted', { environment: { manual: 'adopt' } }, 'adopt'],
  ])('%s', (_, more, wished) => {
    expect(decide({ ...usual, ...more })).toBe(wished)
  })

  test('production and staging revert nothing where nobody says so', () => {
    for (const cause of findingCauses) for (const tier of ['staging', 'production'] as const) expect(decide({ ...usual, cause, tier })).not.toBe('revert')
  })
})
