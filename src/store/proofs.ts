import type { JsonObject } from '#lib/json.ts'
import type { Sql } from './sql.ts'

/** How each module of an environment was proven when it was last delivered. */
export async function proofsIn(sql: Sql, environment: string): Promise<ReadonlyMap<string, JsonObject>> {
  const rows = await sql.query<{ module: string; how: JsonObject }>('select module, how from proof where environment = $1', [environment])
  return new Map(rows.map(({ module, how }) => [module, how]))
}

export async function saveProof(sql: Sql, environment: string, module: string, how: JsonObject): Promise<void> {
  await sql.query('insert into proof (environment, module, how) values ($1, $2, $3) on conflict (environment, module) do update set how = excluded.how', [environment, module, how])
}
