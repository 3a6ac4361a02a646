import type { Held } from '#model/plan.ts'
import { textArray } from './sql.ts'
import type { Sql } from './sql.ts'

const columns = 'place, key, uid, environment, module, desired, fields, run, api_version as "apiVersion"'

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
    `insert into inventory (place, key, uid, environment, module, desired, fields, run, api_version) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
     on conflict (place, key) do update set uid = excluded.uid, environment = excluded.environment, module = excluded.module,
       desired = excluded.desired, fields = excluded.fields, run = excluded.run, api_version = coalesce(excluded.api_version, inventory.api_version)`,
    [held.place, held.key, held.uid, held.environment, held.module, held.desired, held.fields, held.run, held.apiVersion ?? null],
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

/** What an environment holds at a place, in pages: those after `after`, by key. */
export async function heldAfter(sql: Sql, place: string, environment: string, after: string, limit: number): Promise<Held[]> {
  return sql.query<Held>(`select ${columns} from inventory where place = $1 and environment = $2 and key > $3 order by key limit $4`, [place, environment, after, limit])
}

/** The last effect that was begun on an object that a module holds, or was to hold. */
export type LastEffect = {
  readonly key: string
  readonly module: string
  readonly action: string
  readonly state: 'started' | 'done'
  readonly outcome: string | null
  readonly runIsOpen: boolean
  /** When it ended, where it did. */
  readonly endedAt: number | null
}

/** What was last done to some objects in an environment, by whichever module. */
export async function lastEffects(sql: Sql, environment: string, keys: readonly string[]): Promise<LastEffect[]> {
  return sql.query<LastEffect>(
    `select distinct on (e.key, e.module) e.key, e.module, e.effect->>'action' as action, e.state, e.outcome->>'state' as outcome, r.ended_at is null as "runIsOpen", e.ended_at as "endedAt"
     from effect e join run r on r.id = e.run
     where e.key = any($2::text[]) and r.environment = $1 and e.state <> 'pending'
     order by e.key, e.module, r.seq desc`,
    [environment, textArray(keys)],
  )
}
