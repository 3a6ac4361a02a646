import { ByteCache } from '#lib/byte-cache.ts'
import type { Json } from '#lib/json.ts'

/**
 * Where renderings are kept. Keys that begin with `rendered/` name a value by a digest of all that made it: such an entry never changes, and a
 * wrong one would be delivered. Keys that begin with `reads/` hold the questions that a rendering asked last, a hint: they are overwritten.
 * A lost entry costs time alone. Values with the data of Secrets are never handed in.
 */
export type RenderCache = {
  get(key: string): Promise<Json | undefined>
  set(key: string, value: Json): Promise<void>
}

/** Keeps renderings in memory: for commands that need no store, and for tests. */
export function memoryRenderCache(): RenderCache {
  const values = new Map<string, string>()
  return {
    get: async (key) => {
      const text = values.get(key)
      return text === undefined ? undefined : (JSON.parse(text) as Json)
    },
    set: async (key, value) => void values.set(key, JSON.stringify(value)),
  }
}

/** Keeps what was used last in memory before another cache: `maxBytes` of JSON text. Values are shared: whoever gets one never changes it. */
export function rememberingCache(behind: RenderCache, maxBytes: number): RenderCache {
  const near = new ByteCache<Json>(maxBytes)
  const remember = (key: string, value: Json): void => near.set(key, value, JSON.stringify(value).length)
  return {
    get: async (key) => {
      const known = near.get(key)
      if (known !== undefined) return known
      const value = await behind.get(key)
      if (value !== undefined) remember(key, value)
      return value
    },
    set: async (key, value) => {
      await behind.set(key, value) // first, so that memory never knows more than the store after a failure
      remember(key, value)
    },
  }
}
