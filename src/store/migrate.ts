import type { Clock } from '#lib/clock.ts'
import { digestOfBytes } from '#lib/digest.ts'
import { Failure } from '#lib/failure.ts'
import type { Migration } from './migrations/migration.ts'
import type { Sql, Store } from './sql.ts'

/** The advisory lock under which one replica migrates and the others wait. */
const migrationLock = 7_305_001

type Applied = { version: number; name: string; digest: string }

/**
 * Brings the store's shape up to the code's, each migration in a transaction of its own. Replicas may start together.
 * Failures: `migration-changed` (an applied migration is not what it was), `store-newer` (the store knows migrations that this code does not).
 */
export async function migrate(store: Store, migrations: readonly Migration[], clock: Clock): Promise<void> {
  while (await store.transaction((sql) => applyNext(sql, migrations, clock)));
}

/** Whether one was applied. Under the lock it looks again what is there: another replica may have been faster. */
async function applyNext(sql: Sql, migrations: readonly Migration[], clock: Clock): Promise<boolean> {
  await sql.query(`set local statement_timeout = 0`)
  await sql.query(`select pg_advisory_xact_lock(${migrationLock})`)
  await sql.query(`create table if not exists migration (version integer primary key, name text not null, digest text not null, applied_at bigint not null)`)
  const applied = await sql.query<Applied>(`select version, name, digest from migration order by version`)
  check(applied, migrations)
  const next = migrations[applied.length]
  if (next === undefined) return false
  for (const statement of statements(next.sql)) await sql.query(statement)
  await sql.query(`insert into migration (version, name, digest, applied_at) values ($1, $2, $3, $4)`, [next.version, next.name, digestOf(next), clock.now()])
  return true
}

function check(applied: readonly Applied[], migrations: readonly Migration[]): void {
  for (const [index, row] of applied.entries()) {
    const known = migrations[index]
    if (known === undefined) {
      throw new Failure({
        code: 'store-newer',
        subject: `migration ${row.version} (${row.name})`,
        message: `The store was used by a newer Plumbline: it knows ${applied.length} migrations, and this one ${migrations.length}.`,
        hint: 'Run the newer version, or restore a backup from before it was used.',
      })
    }
    if (known.version !== row.version || digestOf(known) !== row.digest) {
      throw new Failure({
        code: 'migration-changed',
        subject: `migration ${row.version} (${row.name})`,
        message: 'The store was given another text of this migration than the code has now.',
        hint: 'Never change a released migration: put the old text back, and add a new one.',
      })
    }
  }
}

function digestOf(migration: Migration): string {
  return digestOfBytes(`${migration.name}\n${migration.sql}`)
}

/** A statement ends with a semicolon at the end of a line, outside dollar quotes. */
export function statements(text: string): string[] {
  const found: string[] = []
  let current = ''
  for (const line of text.split('\n')) {
    current += `${line}\n`
    const quoted = (current.match(/\$\w*\$/g)?.length ?? 0) % 2 === 1
    if (!quoted && /;\s*$/.test(line)) {
      found.push(current)
      current = ''
    }
  }
  return [...found, current].filter((statement) => statement.replace(/--.*$/gm, '').trim() !== '')
}
