import type { Digest } from '#lib/digest.ts'
import { announce } from './events.ts'
import { textArray } from './sql.ts'
import type { Sql } from './sql.ts'

/** A DSSE envelope, as `record/` makes it. */
export type Envelope = { payloadType: string; payload: string; signatures: { keyid: string; sig: string }[] }

export type RecordRow = { environment: string; seq: number; digest: Digest; kind: string; run: string | null; modules: readonly string[]; at: number; text: string }

/** Where a chain ends. `frontier`: the roots of the tree's full subtrees, in hexadecimal, the largest first. `signer`: the id of the key that signs from here on. */
export type ChainEnd = { size: number; head: Digest | null; frontier: { size: number; roots: string[] }; signer: string | null }

/** What is left of pruned records. */
export type ChainStart = { size: number; head: Digest; roots: string[] }

/** Locks an environment's chain for the transaction that this runs in, so that records are appended one at a time, and tells where it ends. */
export async function lockChain(sql: Sql, environment: string): Promise<ChainEnd> {
  const [row] = await sql.query<ChainEnd>(
    `insert into chain as c (environment, size, head, frontier) values ($1, 0, null, '{"size": 0, "roots": []}')
     on conflict (environment) do update set size = c.size returning size, head, frontier, signer`,
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
  await sql.query('update chain set size = $2, head = $3, frontier = $4, signer = $5 where environment = $1', [environment, end.size, end.head, end.frontier, end.signer])
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

export type ChainState = ChainEnd & { start: ChainStart | null; published: number; publishedAt: number; sealed: number }

/** Where a chain ends, how far its head was published, and how far it is under a signed checkpoint. */
export async function chainEnd(sql: Sql, environment: string): Promise<ChainState | undefined> {
  const [row] = await sql.query<ChainState>(
    `select size, head, frontier, signer, start, published, published_at as "publishedAt",
       (select coalesce(max(checkpoint.size), 0) from checkpoint where checkpoint.environment = chain.environment) as sealed
     from chain where environment = $1`,
    [environment],
  )
  return row
}

/** The ids of the keys that sign the chains of this store from here on. */
export async function signing(sql: Sql): Promise<string[]> {
  return (await sql.query<{ signer: string }>('select distinct signer from chain where signer is not null')).map((row) => row.signer)
}

export async function savePublished(sql: Sql, environment: string, size: number, at: number): Promise<void> {
  await sql.query('update chain set published = greatest(published, $2), published_at = $3 where environment = $1', [environment, size, at])
}

export type ChainPage = {
  environment: string
  size: number
  start: ChainStart | null
  rotations: { record: string; checkpoint: Envelope }[]
  checkpoints: Envelope[]
  records: string[]
}

/** A page of records is about so large (bytes), or one record. */
const pageBytes = 4_000_000

/**
 * A chain as it stands, and its records from number `from` on: as many as fit a page. In one statement: what is appended meanwhile is in all of it, or in none.
 */
export async function chainPage(sql: Sql, environment: string, from: number): Promise<ChainPage | undefined> {
  const [row] = await sql.query<ChainPage>(
    `select c.environment, c.size, c.start,
       coalesce((select jsonb_agg(k.envelope order by k.size) from checkpoint k where k.environment = c.environment and k.size > coalesce((c.start->>'size')::bigint, 0)), '[]') as checkpoints,
       coalesce((select jsonb_agg(jsonb_build_object('record', r.text, 'checkpoint', k.envelope) order by r.seq)
         from record r join checkpoint k on k.environment = r.environment and k.size = r.seq + 1
         where r.environment = c.environment and r.kind = 'key-rotation' and r.seq < (c.start->>'size')::bigint), '[]') as rotations,
       coalesce((select jsonb_agg(page.text order by page.seq) from (
         select r.seq, r.text, sum(octet_length(r.text)) over (order by r.seq) - octet_length(r.text) as before
         from (select seq, text from record where environment = c.environment and seq >= greatest($2::bigint, coalesce((c.start->>'size')::bigint, 0)) order by seq limit 10000) r) page
         where page.before < ${pageBytes}), '[]') as records
     from chain c where c.environment = $1`,
    [environment, from],
  )
  return row
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
