import { expect, test } from 'vitest'
import { matchesGlob } from './glob.ts'

test.each([
  ['**/module.yaml', 'module.yaml', true],
  ['**/module.yaml', 'a/b/module.yaml', true],
  ['**/module.yaml', 'a/my-module.yaml', false],
  ['environments/*.yaml', 'environments/production.yaml', true],
  ['environments/*.yaml', 'environments/old/production.yaml', false],
  ['environments/*.yaml', 'environments/.yaml', true],
  ['orders-*', 'orders-api', true],
  ['orders-*', 'orders', false],
  ['orders-*', 'my-orders-api', false],
  ['*', 'anything', true],
  ['*', 'a/b', false],
  ['**', 'a/b', true],
  ['a/**/b', 'a/b', true],
  ['a/**/b', 'a/x/y/b', true],
  ['a/**/b', 'a/xb', false],
  ['vault:kv/*/orders*', 'vault:kv/prod/orders#url', true],
  ['vault:kv/*/orders*', 'vault:kv/a/b/orders', false],
  ['a?c', 'abc', true],
  ['a?c', 'a/c', false],
  ['a.c', 'abc', false],
  ['', '', true],
  ['', 'a', false],
])('%s and %s: %s', (glob, text, matches) => {
  expect(matchesGlob(glob, text)).toBe(matches)
})

test('a glob made to be slow is not', () => {
  const started = performance.now()
  expect(matchesGlob('*a'.repeat(127) + 'b', 'a'.repeat(2_000))).toBe(false)
  expect(performance.now() - started).toBeLessThan(500)
})
