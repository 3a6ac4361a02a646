import type { AuditEntry } from '#model/finding.ts'
import { announce } from './events.ts'
import { textArray } from './sql.ts'
import type { Sql } from './sql.ts'

export type IdentifiedEntry = AuditEntry & { readonly id: string }

/**
 * Keeps what an audit source told of objects that an environment holds; what was kept already stays as it is. An entry with `*` in its object’s key is of each that is
 * held there. Tells of which objects there was something new.
 */
export async function saveAudit(sql: Sql, environment: string, target: string, entries: readonly IdentifiedEntry[]): Promise<string[]> {
  if (entries.length === 0) return []
  const rows = await sql.query<{ object: string }>(
    `with told as (select * from jsonb_to_recordset($3::jsonb) as row (id text, object text, verb text, "user" text, manager text, at bigint)),
       meant as (
         select id, object, verb, "user", manager, at from told where object not like '%*%' and exists (select from inventory where environment = $1 and key = told.object)
         union
         select id || '/' || key, key, verb, "user", manager, at from told join inventory on key like replace(replace(object, '_', '\\_'), '*', '%') where environment = $1 and object like '%*%'),
       kept as (
         insert into audit_entry (environment, target, id, object, verb, by_user, manager, at)
         select $1, $2, id, object, verb, "user", manager, at from meant
         on conflict (environment, target, id) do nothing returning object)
     select distinct object from kept`,
    [environment, target, entries],
  )
  return rows.map(({ object }) => object)
}

/** Says that more is known of who did something to objects. */
export async function announceAudit(sql: Sql, environment: string, target: string, objects: readonly string[], at: number): Promise<void> {
  await announce(sql, at, 'audit', { environment, target, objects: [...objects] })
}

/** What was told of some objects, the newest last. */
export async function auditEntries(sql: Sql, environment: string, target: string, objects: readonly string[]): Promise<AuditEntry[]> {
  return sql.query<AuditEntry>(`select object, verb, by_user as "user", manager, at from audit_entry where environment = $1 and target = $2 and object = any($3::text[]) order by at`, [
    environment, target, textArray(objects),
  ])
}

export async function forgetAudit(sql: Sql, before: number): Promise<void> {
  await sql.query('delete from audit_entry where at < $1', [before])
}
