import type { Sql } from './sql.ts'

/** The fingerprint of a key that the store was written with: this one, where it is the first. Processes may ask at once. */
export async function firstFingerprint(sql: Sql, name: string, fingerprint: string, at: number): Promise<string> {
  await sql.query('insert into key_fingerprint (name, fingerprint, at) values ($1, $2, $3) on conflict (name) do nothing', [name, fingerprint, at])
  const [row] = await sql.query<{ fingerprint: string }>('select fingerprint from key_fingerprint where name = $1', [name])
  return row?.fingerprint ?? fingerprint
}
