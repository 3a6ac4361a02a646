import { expect, test } from 'vitest'
import { memoryRenderCache, rememberingCache } from './cache.ts'

test('what is remembered is not asked again, and what failed to be kept is not remembered', async () => {
  const asked: string[] = []
  const store = memoryRenderCache()
  let isDown = false
  const behind = {
    get: async (key: string) => {
      asked.push(key)
      return store.get(key)
    },
    set: async (key: string, value: never) => (isDown ? Promise.reject(new Error('down')) : store.set(key, value)),
  }
  await store.set('rendered/a', ['x'])
  const cache = rememberingCache(behind as never, 1_000)
  expect([await cache.get('rendered/a'), await cache.get('rendered/a'), await cache.get('rendered/b')]).toEqual([['x'], ['x'], undefined])
  expect(asked).toEqual(['rendered/a', 'rendered/b'])
  isDown = true
  await expect(cache.set('rendered/b', ['y'])).rejects.toThrow('down')
  expect(await cache.get('rendered/b')).toBeUndefined()
})
