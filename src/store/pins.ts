import type { Pin } from '#model/pin.ts'
import type { Delivered } from '#model/rollback.ts'
import { announce } from './events.ts'
import type { Sql } from './sql.ts'

/** Keeps a pin with the status of its module, or (null) none. */
export async function savePin(sql: Sql, environment: string, module: string, pin: Pin | null, at: number): Promise<void> {
  await sql.query('update module_status set pinned = $3 where environment = $1 and module = $2', [environment, module, pin])
  await announce(sql, at, 'status', { environment, module, pinned: pin?.snapshot ?? null })
}

/** What of a module was delivered to an environment by runs that ended, each with its verdict; the newest first. */
export async function deliveries(sql: Sql, environment: string, module: string): Promise<(Delivered & { readonly verification: string })[]> {
  return sql.query(
    `select coalesce(run.modules -> $2 ->> 'snapshot', run.snapshot) as snapshot, run.modules -> $2 ->> 'intent' as intent, run.id as run, of_run.outcome ->> 'verification' as verification
     from run join run_module of_run on of_run.run = run.id and of_run.module = $2
     where run.environment = $1 and run.ended_at is not null and run.kind in ('change', 'deploy', 'rollback')
       and run.modules -> $2 ->> 'changed' = 'true' and of_run.outcome ->> 'delivery' = 'delivered'
     order by run.seq desc`,
    [environment, module],
  )
}

/** Whether a verdict has opened a rollback before from just what Git says of a module. */
export async function wasRolledBack(sql: Sql, environment: string, module: string, bad: string): Promise<boolean> {
  const rows = await sql.query(`select 1 from run where environment = $1 and kind = 'rollback' and rollback ->> 'by' = 'verdict' and rollback -> 'bad' ->> $2 = $3 limit 1`, [environment, module, bad])
  return rows.length > 0
}
