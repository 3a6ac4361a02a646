import { textArray } from './sql.ts'
import type { Sql } from './sql.ts'

/** The environments of which anything is kept: also of those that Git has no more. */
export async function knownEnvironments(sql: Sql): Promise<string[]> {
  const rows = await sql.query<{ environment: string }>(
    `select environment from run union select environment from chain union select environment from policy union select environment from module_status order by 1`,
  )
  return rows.map((row) => row.environment)
}

/** The modules that these environments have, or are to have. */
export async function knownModules(sql: Sql, environments: readonly string[]): Promise<string[]> {
  const rows = await sql.query<{ module: string }>('select distinct module from module_status where environment = any($1::text[]) order by 1', [textArray(environments)])
  return rows.map((row) => row.module)
}

/** Whether anything is kept of a module that these environments have no more: a run, or a finding. */
export async function wasModule(sql: Sql, environments: readonly string[], module: string): Promise<boolean> {
  const rows = await sql.query(
    `select 1 where exists (select from run where environment = any($1::text[]) and jsonb_exists(modules, $2))
       or exists (select from finding where environment = any($1::text[]) and module = $2)`,
    [textArray(environments), module],
  )
  return rows.length > 0
}
