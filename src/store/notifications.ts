import type { JsonObject } from '#lib/json.ts'
import type { Sql } from './sql.ts'

/**
 * What people are told of: another verdict of a module, a probe that flaps, a delivery that went on although its verification failed,
 * a module that goes back.
 * Written in the transaction of what it tells of, so that it is neither lost nor said of what did not happen; sending it is for whoever reads the table.
 */
export type Notification = {
  readonly kind: 'verdict' | 'flapping' | 'alert' | 'rollback'
  readonly environment: string
  readonly module: string
  /** What is said: `message` in one sentence, and whatever a reader needs beside it. No secrets. */
  readonly body: JsonObject & { readonly message: string }
}

export async function notify(sql: Sql, at: number, { kind, environment, module, body }: Notification): Promise<void> {
  await sql.query('insert into notification (at, kind, environment, module, body) values ($1, $2, $3, $4, $5)', [at, kind, environment, module, body])
}
