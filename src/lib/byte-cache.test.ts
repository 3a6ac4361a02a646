import { expect, test } from 'vitest'
import { ByteCache } from './byte-cache.ts'

test('what was used longest ago goes first, and an entry that is too large is not kept', () => {
  const cache = new ByteCache<string>(10)
  cache.set('a', 'A', 4)
  cache.set('b', 'B', 4)
  expect(cache.get('a')).toBe('A')
  cache.set('c', 'C', 4)
  expect([cache.get('a'), cache.get('b'), cache.get('c')]).toEqual(['A', undefined, 'C'])
  cache.set('a', 'A2', 11)
  expect([cache.get('a'), cache.get('c')]).toEqual([undefined, 'C'])
  cache.set('d', 'D', 6)
  expect([cache.get('c'), cache.get('d')]).toEqual(['C', 'D'])
})
