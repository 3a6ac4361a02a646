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
