import { expect, test } from 'vitest'
import { rollbackDecision } from './rollback.ts'
import type { Failed } from './rollback.ts'

const good = { snapshot: 's-1', intent: 'i-1', run: 'run-1' }
const failed: Failed = { module: 'web', track: 'declarative', verification: 'failed', intent: 'i-2', good, again: false, pinned: false }

test('a verdict that fails goes back to what was delivered and verified last', () => {
  expect(rollbackDecision(failed)).toEqual({ to: good })
})

test.each<[string, Partial<Failed>, string]>([
  ['what is unknown', { verification: 'unknown' }, 'unknown is not failed'],
  ['an imperative module', { track: 'imperative' }, 'its track is imperative'],
  ['one that an operator manages', { track: 'operator' }, 'its track is operator'],
  ['what was rolled back before', { again: true }, 'a second time a person decides'],
  ['what is held already', { pinned: true }, 'held at an older snapshot already'],
  ['what worked before just as it is', { intent: 'i-1' }, 'this delivery is not what broke it'],
  ['what never worked', { good: undefined }, 'nothing else of it was ever delivered here and verified'],
])('%s is not rolled back, and it is said why', (_, change, why) => {
  expect(rollbackDecision({ ...failed, ...change })).toEqual({ why: expect.stringContaining(why) })
})
