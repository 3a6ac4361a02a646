import type { Digest } from '#lib/digest.ts'
import { announce } from './events.ts'
import { textArray } from './sql.ts'
import type { Sql } from './sql.ts'

/** A DSSE envelope, as `record/` makes it. */
export type Envelope = { payloadType: string; payload: string; signatures: { keyid: string; sig: string }[] }

export type RecordRow = { environment: string; seq: number; digest: Digest; kind: string; run: string | null; modules: readonly string[]; at: number; text: string }

/** Where a chain ends. `roots`: of the tree's full subtrees, in hexadecimal, the largest first. */
export type ChainEnd = { size: number; head: Digest | null; frontier: { size: number; roots: string[] } }

/** Locks an environment's chain for the transaction that this runs in, so that records are appended one at a time, and tells where it ends. */
export async function lockChain(sql: Sql, environment: string): Promise<ChainEnd> {
  const [row] = await sql.query<ChainEnd>(
    `insert into chain as c (environment, size, head, frontier) values ($1, 0, null, '{"size": 0, "roots": []}')
     on conflict (environment) do update set size = c.size returning size, head, frontier`,
    [environment],
  )
  if (row === undefined) throw new Error(`the chain of ${environment} is gone`)
  return row
}

export async function appendRecord(sql: Sql, row: RecordRow, end: ChainEnd, at: number): Promise<void> {
  const { environment, seq, digest, kind, run, modules, text } = row
  await sql.query('insert into record (environment, seq, digest, kind, run, modules, at, text) values ($1, $2, $3, $4, $5, $6::text[], $7, $8)', [
    environment, seq, digest, kind, run, textArray([...modules]), row.at, text,
  ])
  await sql.query('update chain set size = $2, head = $3, frontier = $4 where environment = $1', [environment, end.size, end.head, end.frontier])
  await announce(sql, at, 'record', { run, environment, seq, digest, kind })
}

/** Every so many records a checkpoint stays when the next one is signed, so that what is bad is found near to where it is. */
const keepEvery = 256

/** A signed checkpoint of the chain's first `size` records. It stands in for the one before it, unless that is kept. */
export async function saveCheckpoint(sql: Sql, environment: string, size: number, envelope: Envelope, stays: 'kept' | 'until the next'): Promise<void> {
  await sql.query('delete from checkpoint where environment = $1 and size < $2 and not kept', [environment, size])
  await sql.query('insert into checkpoint (environment, size, envelope, kept) values ($1, $2, $3, $4) on conflict do nothing', [
    environment, size, envelope, stays === 'kept' || size % keepEvery === 0,
  ])
}

/** How far the head of a chain was published, and when. */
export async function publishing(sql: Sql, environment: string): Promise<(ChainEnd & { published: number; publishedAt: number }) | undefined> {
  const [row] = await sql.query<ChainEnd & { published: number; publishedAt: number }>(
    'select size, head, frontier, published, published_at as "publishedAt" from chain where environment = $1',
    [environment],
  )
  return row
}

export async function savePublished(sql: Sql, environment: string, size: number, at: number): Promise<void> {
  await sql.query('update chain set published = greatest(published, $2), published_at = $3 where environment = $1', [environment, size, at])
}

export async function chain(sql: Sql, environment: string): Promise<{ records: string[]; checkpoints: Envelope[] }> {
  const records = await sql.query<{ text: string }>('select text from record where environment = $1 order by seq', [environment])
  const checkpoints = await sql.query<{ envelope: Envelope }>('select envelope from checkpoint where environment = $1 order by size', [environment])
  return { records: records.map((row) => row.text), checkpoints: checkpoints.map((row) => row.envelope) }
}

export async function chains(sql: Sql): Promise<string[]> {
  const rows = await sql.query<{ environment: string }>('select environment from chain where size > 0 order by environment')
  return rows.map((row) => row.environment)
}

/** The chains whose newest records are under no published head. */
export async function unpublished(sql: Sql): Promise<string[]> {
  const rows = await sql.query<{ environment: string }>('select environment from chain where published < size')
  return rows.map((row) => row.environment)
}
