import type { FailureJson } from '#lib/failure.ts'
import type { Digest } from '#lib/digest.ts'
import { announceAll } from './events.ts'
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

/** Records of one environment, in order, and where its chain ends with them. */
export async function appendRecords(sql: Sql, environment: string, rows: readonly RecordRow[], end: ChainEnd, at: number): Promise<void> {
  await sql.query(
    `insert into record (environment, seq, digest, kind, run, modules, at, text)
     select environment, seq, digest, kind, run, array(select jsonb_array_elements_text(modules)), at, text
     from jsonb_to_recordset($1::jsonb) as row (environment text, seq bigint, digest text, kind text, run text, modules jsonb, at bigint, text text)`,
    [rows],
  )
  await sql.query('update chain set size = $2, head = $3, frontier = $4, signer = $5 where environment = $1', [environment, end.size, end.head, end.frontier, end.signer])
  await announceAll(sql, at, 'record', rows.map(({ run, seq, digest, kind }) => ({ run, environment, seq, digest, kind })))
}

/** Every so many records a checkpoint stays when the next one is signed, so that what is bad is found near to where it is. */
const keepEvery = 256

/** For a transaction that waits for signers, which may take a minute each: a server would else take its process for frozen (`postgres.ts`). */
export async function waitForSigners(sql: Sql): Promise<void> {
  await sql.query(`set local idle_in_transaction_session_timeout = '150s'`)
}

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
  await sql.query('update chain set published = greatest(published, $2), published_at = $3, publish_failure = null where environment = $1', [environment, size, at])
}

/** Why the newest head of a chain could not be published; told until one is. */
export async function saveUnpublished(sql: Sql, environment: string, failure: FailureJson): Promise<void> {
  await sql.query('update chain set publish_failure = $2 where environment = $1', [environment, failure])
}

/** By environment: those whose newest head could not be published. */
export async function unpublished(sql: Sql): Promise<ReadonlyMap<string, FailureJson>> {
  const rows = await sql.query<{ environment: string; failure: FailureJson }>('select environment, publish_failure as failure from chain where publish_failure is not null')
  return new Map(rows.map(({ environment, failure }) => [environment, failure]))
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

/** The runs' records of a chain from number `from` on. */
export async function runRecords(sql: Sql, environment: string, from: number, limit: number): Promise<{ seq: number; digest: Digest; text: string }[]> {
  return sql.query(`select seq, digest, text from record where environment = $1 and seq >= $2 and kind = 'run' order by seq limit $3`, [environment, from, limit])
}

/** How many records of a chain a repository was told of. */
export async function noteCursor(sql: Sql, environment: string, repository: string): Promise<number> {
  const [row] = await sql.query<{ size: number }>('select size from note_cursor where environment = $1 and repository = $2', [environment, repository])
  return row?.size ?? 0
}

export async function saveNoteCursor(sql: Sql, environment: string, repository: string, size: number): Promise<void> {
  await sql.query(
    `insert into note_cursor as c (environment, repository, size) values ($1, $2, $3) on conflict (environment, repository) do update set size = greatest(c.size, excluded.size)`,
    [environment, repository, size],
  )
}

/** The oldest records of a chain, as long as each is older than `before`, and so many at most: in order, from `from` on. */
export async function oldestRecords(sql: Sql, environment: string, from: number, before: number, limit: number): Promise<{ seq: number; digest: Digest }[]> {
  return sql.query(
    `select seq, digest from record where environment = $1 and seq >= $2
       and seq < (select coalesce(min(seq), 0) from record where environment = $1 and seq >= $2 and at >= $3)
     order by seq limit $4`,
    [environment, from, before, limit],
  )
}

/** Removes what is before `start`, but for the replacements of keys, which lead from the first key to the one of today. */
export async function pruneChain(sql: Sql, environment: string, start: ChainStart): Promise<void> {
  await sql.query(`delete from record where environment = $1 and seq < $2 and kind <> 'key-rotation'`, [environment, start.size])
  await sql.query(
    `delete from checkpoint where environment = $1 and size <= $2
       and not exists (select from record where record.environment = $1 and record.seq = checkpoint.size - 1)`,
    [environment, start.size],
  )
  await sql.query('update chain set start = $2 where environment = $1', [environment, start])
}

/** Until when days are summed up in a chain, not looking further back than `from`. */
export async function summarizedUntil(sql: Sql, environment: string, from: number): Promise<number | undefined> {
  const [row] = await sql.query<{ at: number | null }>(`select max(at) as at from record where environment = $1 and kind = 'verification-summary' and at >= $2`, [environment, from])
  return row?.at ?? undefined
}

/** The records of some environments whose time lies between two, the newest first: about one module (or none in particular), or of all. */
export async function recordsBetween(sql: Sql, ask: { environments: readonly string[]; module: string | null; from: number; to: number; limit: number; /** Those alone. */ kinds?: readonly string[] }): Promise<{ text: string }[]> {
  return sql.query(
    `select text from record where environment = any($1::text[]) and ($2::text is null or $2 = any(modules) or modules = '{}') and at >= $3 and at <= $4 and ($6::text[] is null or kind = any($6::text[]))
     order by at desc, environment, seq desc limit $5`,
    [textArray([...ask.environments]), ask.module, ask.from, ask.to, ask.limit, ask.kinds === undefined ? null : textArray([...ask.kinds])],
  )
}
