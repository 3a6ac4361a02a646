import { expect, test } from 'vitest'
import { decided, goesOn, strictest } from './on-failure.ts'

test.each([
  ['halt', undefined, 'halt'],
  ['continue', undefined, 'continue'],
  ['continue', 'halt', 'halt'],
  ['continue', 'alert', 'alert'],
  ['halt', 'continue', 'halt'],
  ['alert', 'continue', 'alert'],
  ['halt', 'rollback', 'rollback'],
] as const)('environment %s, module %s: %s', (environment, module, policy) => expect(strictest(environment, module)).toBe(policy))

test.each([
  ['passed', 'halt', undefined, true],
  ['warned', 'halt', undefined, true],
  ['failed', 'halt', 'halt', false],
  ['unknown', 'halt', 'halt', false],
  ['failed', 'rollback', 'rollback', false],
  ['unknown', 'rollback', 'halt', false],
  ['failed', 'alert', 'alert', true],
  ['unknown', 'continue', 'continue', true],
] as const)('%s under %s decides %s; what depends on it goes on: %s', (verdict, policy, decision, on) => {
  expect(decided(verdict, policy)).toBe(decision)
  expect(goesOn(decided(verdict, policy))).toBe(on)
})
