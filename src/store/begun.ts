import type { Effect } from '#model/plan.ts'
import type { Desired } from '#model/resource.ts'
import type { Sql } from './sql.ts'
import { textArray } from './sql.ts'

/**
 * A creation that has begun at a place. Written before the driver is called, and gone when the inventory holds the object: what is left tells that an
 * answer never came. `declared` is what was declared then, with a Secret's values as digests.
 */
export type Begun = { place: string; key: string; run: string; environment: string; module: string; effect: Effect; declared: Desired; at: number }

const columns = 'place, key, run, environment, module, effect, declared, at'

/** One that began anew counts from then. */
export async function beginCreation(sql: Sql, begun: Begun): Promise<void> {
  const { place, key, run, environment, module, effect, declared, at } = begun
  await sql.query(
    `insert into begun (${columns}) values ($1, $2, $3, $4, $5, $6, $7, $8)
     on conflict (place, key, run) do update set effect = excluded.effect, declared = excluded.declared, at = excluded.at`,
    [place, key, run, environment, module, effect, declared, at],
  )
}

/** Those of some objects at a place, whichever module began them, and all of one module; the newest first. */
export async function begunAt(sql: Sql, place: string, keys: readonly string[], environment: string, module: string): Promise<Begun[]> {
  return sql.query<Begun>(`select ${columns} from begun where place = $1 and (key = any($2::text[]) or (environment = $3 and module = $4)) order by at desc, run`, [place, textArray(keys), environment, module])
}

/** The modules that have begun to make what is not in the inventory. */
export async function begunIn(sql: Sql, environment: string): Promise<string[]> {
  return (await sql.query<{ module: string }>('select distinct module from begun where environment = $1 order by module', [environment])).map(({ module }) => module)
}

export async function forgetBegun(sql: Sql, environment: string, module: string): Promise<void> {
  await sql.query('delete from begun where environment = $1 and module = $2', [environment, module])
}

/** The object is in the inventory, or was never made: nothing is in doubt any more. */
export async function endCreation(sql: Sql, place: string, key: string): Promise<void> {
  await sql.query('delete from begun where place = $1 and key = $2', [place, key])
}
