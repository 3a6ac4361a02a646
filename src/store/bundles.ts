import type { Clock } from '#lib/clock.ts'
import type { Json } from '#lib/json.ts'
import type { Sql } from './sql.ts'

/**
 * What modules render to, by the Git ids of what was read: there again after a restart, and when Git is away. Nothing with the data of a Secret is
 * handed in, so that nothing here needs a key. `render/cache.ts` has the contract.
 */
export function bundleCache(sql: Sql, clock: Clock): { get(key: string): Promise<Json | undefined>; set(key: string, value: Json): Promise<void> } {
  return {
    get: async (key) => {
      const [row] = await sql.query<{ body: Json }>('select body from bundle where key = $1', [key])
      return row?.body
    },
    set: async (key, value) => {
      await sql.query('insert into bundle (key, body, at) values ($1, $2::jsonb, $3) on conflict (key) do update set body = excluded.body, at = excluded.at', [
        key,
        JSON.stringify(value),
        clock.now(),
      ])
    },
  }
}
