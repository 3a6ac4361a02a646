import type { Adoption } from '#model/adoption.ts'
import { announce } from './events.ts'
import { textArray } from './sql.ts'
import type { Sql } from './sql.ts'

export async function findAdoption(sql: Sql, finding: string): Promise<Adoption | undefined> {
  const [row] = await sql.query<{ body: Adoption }>('select body from adoption where finding = $1', [finding])
  return row?.body
}

export async function adoptionsOf(sql: Sql, findings: readonly string[]): Promise<Adoption[]> {
  if (findings.length === 0) return []
  return (await sql.query<{ body: Adoption }>('select body from adoption where finding = any($1::text[])', [textArray(findings)])).map(({ body }) => body)
}

/** Says so to whoever listens: somebody waits for it. */
export async function saveAdoption(sql: Sql, adoption: Adoption, at: number): Promise<void> {
  await sql.query('insert into adoption (finding, state, body) values ($1, $2, $3) on conflict (finding) do update set state = excluded.state, body = excluded.body', [adoption.finding, adoption.state, adoption])
  await announce(sql, at, 'finding', { finding: adoption.finding, environment: adoption.environment, adoption: adoption.state })
}

/** Those whose work a process may have left in the middle. */
export async function adoptionsUnderWay(sql: Sql): Promise<string[]> {
  return (await sql.query<{ finding: string }>(`select finding from adoption where state in ('asked', 'proposed')`, [])).map(({ finding }) => finding)
}
