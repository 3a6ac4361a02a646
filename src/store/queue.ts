import type { Clock } from '#lib/clock.ts'
import { Failure } from '#lib/failure.ts'
import { textArray, type Param, type Sql } from './sql.ts'

/** The channel that tells that there is work. Its payload is how the key begins that there is work on, or empty where it may be any. */
export const workChannel = 'work'

/** The `due` of a claimed key that nobody has enqueued again since. */
const never = 9_000_000_000_000_000

/** The advisory locks (space, worker's number) that tell which workers live. */
export const workerLockSpace = 7_305_002

/** After this many attempts a key whose worker died is no longer taken over at once: it may be what kills workers. */
const trustedAttempts = 3

/** The right to work on a key: until the lease ends, the worker dies, or it is given back. */
export type Claim = {
  readonly key: string
  /** The generation that was there when it was claimed: what was enqueued later runs again. */
  readonly gen: number
  /** Grows with every claim of any key: a later claim has a larger one. */
  readonly fence: number
  readonly owner: number
  /** 1 for the first time since the key last succeeded. */
  readonly attempts: number
}

/**
 * Says that there is something to do for `key`; in the transaction that made it so, if that is what `sql` is. Many calls before it starts are one
 * run; one that comes while it runs makes it run again. `due`: not before then (ms); the earlier one counts. Never fails on a key that is there.
 */
export async function enqueue(sql: Sql, clock: Pick<Clock, 'now'>, key: string, options: { readonly due?: number } = {}): Promise<void> {
  await enqueueAll(sql, clock, [key], options)
}

export async function enqueueAll(sql: Sql, clock: Pick<Clock, 'now'>, keys: readonly string[], options: { readonly due?: number } = {}): Promise<void> {
  if (keys.length === 0) return
  await sql.query(
    // In key order, so that two callers never wait for each other crosswise.
    `with woken as (
       insert into work as w (key, due)
       select distinct key, $2::bigint from unnest($1::text[]) key order by key
       on conflict (key) do update set gen = w.gen + 1, due = least(w.due, excluded.due)
       returning key)
     select pg_notify('${workChannel}', case count(*) when 1 then left(max(key), 1000) else '' end) from woken`,
    [textArray(keys), Math.floor(options.due ?? clock.now())],
  )
}

/** Takes up to `limit` due keys that begin with one of `prefixes`, the longest due first. */
export async function claim(
  sql: Sql,
  clock: Clock,
  ask: { readonly owner: number; readonly prefixes: readonly string[]; readonly limit: number; readonly leaseMs: number },
): Promise<Claim[]> {
  const now = clock.now()
  const rows = await sql.query<Claim & { waited: number }>(
    `with next as (
       select key, due from work
       where owner is null and due <= $1 and exists (select from unnest($2::text[]) prefix where starts_with(work.key, prefix))
       order by due, key limit $3 for update skip locked)
     update work set owner = $4, lease = $5, due = ${never}, attempts = attempts + 1, fence = nextval('work_fence')
     from next where work.key = next.key
     returning work.key, work.gen, work.fence, work.owner, work.attempts, $1::bigint - next.due as waited`,
    [now, textArray(ask.prefixes), ask.limit, ask.owner, now + ask.leaseMs],
  )
  return rows.sort((a, b) => b.waited - a.waited).map(({ key, gen, fence, owner, attempts }) => ({ key, gen, fence, owner, attempts }))
}

/** The work is done. The key goes, unless it was enqueued again meanwhile, or asks to be run again at `again` (ms). Failure: `lease-lost`. */
export async function finish(sql: Sql, claimed: Claim, again?: number): Promise<void> {
  const params: Param[] = [claimed.key, claimed.fence, claimed.owner, claimed.gen]
  const gone = again === undefined ? await sql.query(`delete from work where key = $1 and fence = $2 and owner = $3 and gen = $4 returning 1`, params) : []
  if (gone.length > 0) return
  const due = Math.floor(again ?? never)
  const [row] = await sql.query<{ due: number }>(
    `update work set owner = null, lease = null, attempts = 0, due = least(due, $4::bigint) where key = $1 and fence = $2 and owner = $3 returning due`,
    [claimed.key, claimed.fence, claimed.owner, due],
  )
  if (row === undefined) throw leaseLost(claimed)
  await wake(sql, claimed.key)
}

/** Gives the key back, to be tried again at `due` (or when it is enqueued with an earlier one). Failure: `lease-lost`. */
export async function giveBack(sql: Sql, claimed: Claim, due: number, attempts = claimed.attempts): Promise<void> {
  const rows = await sql.query(
    `update work set owner = null, lease = null, attempts = $5, due = least(due, $4::bigint) where key = $1 and fence = $2 and owner = $3 returning 1`,
    [claimed.key, claimed.fence, claimed.owner, Math.floor(due), attempts],
  )
  if (rows.length === 0) throw leaseLost(claimed)
  await wake(sql, claimed.key)
}

/** What failed, and waits to be tried again, is due now. */
export async function tryAgain(sql: Sql, clock: Pick<Clock, 'now'>): Promise<void> {
  await sql.query(
    `with tried as (select key from work where owner is null and attempts > 0 order by key for update skip locked)
     update work set due = least(due, $1::bigint) from tried where work.key = tried.key`,
    [clock.now()],
  )
  await wake(sql, '')
}

/** Sets a new end for the leases that still stand, and answers which those are. */
export async function renew(sql: Sql, clock: Clock, owner: number, fences: readonly number[], leaseMs: number): Promise<Set<number>> {
  const rows = await sql.query<{ fence: number }>(
    // A row that a transaction of the claim's own holds is passed over: waiting for it while holding others could be a deadlock.
    `with mine as (select key from work where owner = $1 and fence = any($2::bigint[]) for no key update skip locked),
          renewed as (update work set lease = $3 from mine where work.key = mine.key)
     select fence from work where owner = $1 and fence = any($2::bigint[])`,
    [owner, textArray(fences), clock.now() + leaseMs],
  )
  return new Set(rows.map((row) => row.fence))
}

/**
 * Frees the keys of workers that no longer live (their session lock is gone) or whose lease has ended. Answers how many. What was done by the
 * old worker is refused from now on; what it did is not undone.
 */
export async function takeOver(sql: Sql, clock: Clock): Promise<number> {
  const now = clock.now()
  const rows = await sql.query(
    `with alive as (
       select objid::bigint as owner from pg_locks
       where locktype = 'advisory' and classid = ${workerLockSpace} and objsubid = 2 and granted
         and database = (select oid from pg_database where datname = current_database())),
     gone as (
       select key from work where owner is not null and (lease < $1 or owner not in (select owner from alive)) order by key for update skip locked)
     update work set owner = null, lease = null, due = least(due, $1::bigint + case when attempts > ${trustedAttempts} then $2::bigint else 0 end)
     from gone where work.key = gone.key returning 1`,
    [now, backOff(trustedAttempts + 1)],
  )
  if (rows.length > 0) await wake(sql, '')
  return rows.length
}

/** When the next key that nobody works on is due (ms). */
export async function nextDue(sql: Sql, prefixes: readonly string[]): Promise<number | undefined> {
  const [row] = await sql.query<{ due: number }>(
    `select due from work where owner is null and exists (select from unnest($1::text[]) prefix where starts_with(work.key, prefix)) order by due limit 1`,
    [textArray(prefixes)],
  )
  return row?.due
}

/** How long to wait (ms) before the next attempt: 1 s, 2, 4, … and 5 minutes at most. */
export function backOff(attempts: number): number {
  return Math.min(300_000, 1_000 * 2 ** Math.min(attempts - 1, 20))
}

/**
 * Refuses, with `lease-lost`, unless the claim stands; in a transaction it goes on standing until the commit, since who would take it over has to wait.
 */
export async function assertLease(sql: Sql, claimed: Claim): Promise<void> {
  const rows = await sql.query(`select 1 from work where key = $1 and fence = $2 and owner = $3 for share`, [claimed.key, claimed.fence, claimed.owner])
  if (rows.length === 0) throw leaseLost(claimed)
}

/** The same store, where every statement and every transaction first asserts that the claim stands, in the same transaction. */
export function fenced(sql: Sql, claimed: Claim): Sql {
  const transaction: Sql['transaction'] = (work) =>
    sql.transaction(async (inner) => {
      await assertLease(inner, claimed)
      return work(inner)
    })
  return { kind: sql.kind, transaction, query: (text, params) => transaction((inner) => inner.query(text, params)) }
}

export function leaseLost(claimed: Claim): Failure {
  return new Failure({
    code: 'lease-lost',
    subject: claimed.key,
    message: `Another worker has taken over ${claimed.key}.`,
    hint: 'Nothing to do: the other worker goes on with it.',
    fields: { fence: claimed.fence },
  })
}

async function wake(sql: Sql, key: string): Promise<void> {
  await sql.query(`select pg_notify('${workChannel}', left($1, 1000))`, [key])
}
