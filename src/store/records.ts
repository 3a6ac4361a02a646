import type { Digest } from '#lib/digest.ts'
import { announce } from './events.ts'
import type { Sql } from './sql.ts'

/** A DSSE envelope, as `record/` makes it. */
export type Envelope = { payloadType: string; payload: string; signatures: { keyid: string; sig: string }[] }

export type RecordRow = { environment: string; seq: number; digest: Digest; run: string; text: string }

/**
 * Locks an environment's chain for the transaction that this runs in, so that records are appended one at a time, and tells where it ends.
 */
export async function chainEnd(sql: Sql, environment: string): Promise<{ seq: number; digest: Digest } | undefined> {
  await sql.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [`record/${environment}`])
  const [row] = await sql.query<{ seq: number; digest: Digest }>('select seq, digest from record where environment = $1 order by seq desc limit 1', [environment])
  return row
}

export async function appendRecord(sql: Sql, row: RecordRow, at: number): Promise<void> {
  await sql.query('insert into record (environment, seq, digest, run, text) values ($1, $2, $3, $4, $5)', [row.environment, row.seq, row.digest, row.run, row.text])
  await announce(sql, at, 'record', { run: row.run, environment: row.environment, seq: row.seq, digest: row.digest })
}

/** A signed checkpoint of the chain's first `size` records, with the frontier from which the next one grows. */
export async function appendCheckpoint(sql: Sql, environment: string, size: number, envelope: object, frontier: object): Promise<void> {
  await sql.query('insert into checkpoint (environment, size, envelope, frontier) values ($1, $2, $3, $4)', [environment, size, envelope, frontier])
}

/** The frontier of the newest checkpoint; `undefined` before the first. */
export async function lastFrontier(sql: Sql, environment: string): Promise<{ size: number; roots: string[] } | undefined> {
  const [row] = await sql.query<{ frontier: { size: number; roots: string[] } }>('select frontier from checkpoint where environment = $1 order by size desc limit 1', [environment])
  return row?.frontier
}

export async function chain(sql: Sql, environment: string): Promise<{ records: string[]; checkpoints: Envelope[] }> {
  const records = await sql.query<{ text: string }>('select text from record where environment = $1 order by seq', [environment])
  const checkpoints = await sql.query<{ envelope: Envelope }>('select envelope from checkpoint where environment = $1 order by size', [environment])
  return { records: records.map((row) => row.text), checkpoints: checkpoints.map((row) => row.envelope) }
}

export async function chains(sql: Sql): Promise<string[]> {
  const rows = await sql.query<{ environment: string }>('select distinct environment from record order by environment')
  return rows.map((row) => row.environment)
}
