import type { Held } from '#model/plan.ts'
import { textArray } from './sql.ts'
import type { Sql } from './sql.ts'

const columns = 'place, key, uid, environment, module, desired, fields, run'

/** What a module holds, by key. */
export async function heldBy(sql: Sql, environment: string, module: string): Promise<Held[]> {
  return sql.query<Held>(`select ${columns} from inventory where environment = $1 and module = $2 order by place, key`, [environment, module])
}

/** The rows of some objects in one place, whoever holds them. */
export async function heldAt(sql: Sql, place: string, keys: readonly string[]): Promise<Held[]> {
  return sql.query<Held>(`select ${columns} from inventory where place = $1 and key = any($2::text[]) order by key`, [place, textArray(keys)])
}

export async function hold(sql: Sql, held: Held): Promise<void> {
  await sql.query(
    `insert into inventory (${columns}) values ($1, $2, $3, $4, $5, $6, $7, $8)
     on conflict (place, key) do update set uid = excluded.uid, environment = excluded.environment, module = excluded.module,
       desired = excluded.desired, fields = excluded.fields, run = excluded.run`,
    [held.place, held.key, held.uid, held.environment, held.module, held.desired, held.fields, held.run],
  )
}

/** What an environment holds: how many objects of each module. */
export async function heldIn(sql: Sql, environment: string): Promise<{ module: string; objects: number }[]> {
  return sql.query<{ module: string; objects: number }>('select module, count(*) as objects from inventory where environment = $1 group by module order by module', [environment])
}

/** Only once its deletion is confirmed: what is not confirmed stays. */
export async function release(sql: Sql, place: string, key: string, uid: string): Promise<void> {
  await sql.query('delete from inventory where place = $1 and key = $2 and uid = $3', [place, key, uid])
}
