import type { Finding, FindingEvent, FindingState } from '#model/finding.ts'
import { announceAll } from './events.ts'
import { textArray } from './sql.ts'
import type { Sql } from './sql.ts'

type Row = { body: Finding }

/**
 * What is known of some objects: what is not resolved, and what was resolved since `resolvedAfter`. Locked until the transaction ends, so that a person’s
 * word and a look never overwrite each other.
 */
export async function knownFindings(tx: Sql, environment: string, place: string, objects: readonly string[], resolvedAfter: number): Promise<Finding[]> {
  const rows = await tx.query<Row>(
    `select body from finding where environment = $1 and place = $2 and object = any($3::text[]) and (state <> 'resolved' or updated_at > $4) order by id for update`,
    [environment, place, textArray(objects), resolvedAfter],
  )
  return rows.map(({ body }) => body)
}

/** Those of some objects that were resolved since then. Locked until the transaction ends. */
export async function resolvedSince(tx: Sql, environment: string, objects: readonly string[], since: number): Promise<Finding[]> {
  if (objects.length === 0) return []
  const rows = await tx.query<Row>(`select body from finding where environment = $1 and object = any($2::text[]) and state = 'resolved' and updated_at > $3 order by id for update`, [environment, textArray(objects), since])
  return rows.map(({ body }) => body)
}

export async function findingNow(sql: Sql, id: string): Promise<Finding | undefined> {
  const [row] = await sql.query<Row>('select body from finding where id = $1', [id])
  return row?.body
}

export async function lockFinding(tx: Sql, id: string): Promise<Finding | undefined> {
  const [row] = await tx.query<Row>('select body from finding where id = $1 for update', [id])
  return row?.body
}

/** Writes findings as they are now, and says so to whoever listens. What is resolved is written first: another may take its place. */
export async function saveFindings(sql: Sql, findings: readonly Finding[], at: number): Promise<void> {
  if (findings.length === 0) return
  const rows = [...findings].sort((a, b) => Number(b.state === 'resolved') - Number(a.state === 'resolved')).map((body) => ({ ...body, body }))
  for (const some of [rows.filter(({ state }) => state === 'resolved'), rows.filter(({ state }) => state !== 'resolved')]) {
    if (some.length === 0) continue
    await sql.query(
      `insert into finding (id, environment, place, object, cause, module, state, run, updated_at, body)
       select id, environment, place, object, cause, module, state, run, "updatedAt", body
       from jsonb_to_recordset($1::jsonb) as row (id text, environment text, place text, object text, cause text, module text, state text, run text, "updatedAt" bigint, body jsonb)
       on conflict (id) do update set cause = excluded.cause, module = excluded.module, state = excluded.state, run = excluded.run, updated_at = excluded.updated_at, body = excluded.body`,
      [some],
    )
  }
  await announceAll(sql, at, 'finding', findings.map(({ id, environment, module, object, cause, state }) => ({ finding: id, environment, module, object, cause, state })))
}

/** The newest finding of these modules that was opened, or became another, by then; and when. */
export async function lastFinding(sql: Sql, environment: string, modules: readonly string[], since: number, by: number): Promise<{ id: string; message: string; at: number } | undefined> {
  const [row] = await sql.query<{ id: string; message: string; at: number }>(
    `select finding as id, body->>'message' as message, at from finding_change
     where environment = $1 and body->>'module' = any($2::text[]) and what in ('opened', 'changed') and at <= $3 and at >= $4 order by seq desc limit 1`,
    [environment, textArray(modules), by, since],
  )
  return row
}

export type FindingFilter = { readonly environments?: readonly string[]; readonly environment?: string; readonly module?: string; readonly states?: readonly FindingState[]; readonly limit: number }

/** The newest change first. All but `limit` narrow it. */
export async function listFindings(sql: Sql, filter: FindingFilter): Promise<Finding[]> {
  const rows = await sql.query<Row>(
    `select body from finding
     where ($1::text is null or environment = $1) and ($2::text[] is null or environment = any($2::text[])) and ($3::text is null or module = $3)
       and ($4::text[] is null or state = any($4::text[]))
     order by updated_at desc, id limit $5`,
    [filter.environment ?? null, filter.environments === undefined ? null : textArray(filter.environments), filter.module ?? null, filter.states === undefined ? null : textArray(filter.states), filter.limit],
  )
  return rows.map(({ body }) => body)
}

/** How findings are put in order: by state, then by environment, then by cause, each as listed; then the newest change first. */
export type FindingOrder = { readonly states: readonly FindingState[]; readonly environments: readonly string[]; readonly causes: readonly string[] }

/** The most serious of those that a filter lets through; how many there are, and how many of them are in one of the states `counted`. */
export async function worstFindings(sql: Sql, filter: FindingFilter & Pick<Required<FindingFilter>, 'environments' | 'states'>, order: FindingOrder, counted: readonly FindingState[]): Promise<{ findings: Finding[]; total: number; counted: number }> {
  const where = `($1::text is null or environment = $1) and environment = any($2::text[]) and ($3::text is null or module = $3) and state = any($4::text[])`
  const given = [filter.environment ?? null, textArray(filter.environments), filter.module ?? null, textArray(filter.states)]
  const rows = await sql.query<Row>(
    `select body from finding where ${where}
     order by array_position($5::text[], state), array_position($6::text[], environment), array_position($7::text[], cause), updated_at desc, id limit $8`,
    [...given, textArray(order.states), textArray(order.environments), textArray(order.causes), filter.limit],
  )
  const [all] = await sql.query<{ total: number; counted: number }>(`select count(*)::int as total, count(*) filter (where state = any($5::text[]))::int as counted from finding where ${where}`, [...given, textArray(counted)])
  return { findings: rows.map(({ body }) => body), total: all?.total ?? 0, counted: all?.counted ?? 0 }
}

/** The environments that anything was ever found in. */
export async function environmentsWithFindings(sql: Sql): Promise<string[]> {
  return (await sql.query<{ environment: string }>('select distinct environment from finding order by 1')).map(({ environment }) => environment)
}

/** Those whose id is this, or ends so. */
export async function findingsNamed(sql: Sql, name: string): Promise<Finding[]> {
  const rows = await sql.query<Row>(`select body from finding where id = $1 or (length($1) >= 4 and right(id, length($1)) = $1) order by updated_at desc limit 20`, [name])
  return rows.map(({ body }) => body)
}

/** The objects at a place, all or of these, that have a finding which is not resolved. */
export async function objectsWithFindings(sql: Sql, environment: string, place: string, of?: readonly string[]): Promise<string[]> {
  const rows = await sql.query<{ object: string }>(
    `select distinct object from finding where environment = $1 and place = $2 and state <> 'resolved' and ($3::text[] is null or object = any($3::text[]))`,
    [environment, place, of === undefined ? null : textArray(of)],
  )
  return rows.map(({ object }) => object)
}

/** Those of some objects that have a finding in an environment, at whatever place. */
export async function withFindings(sql: Sql, environment: string, objects: readonly string[]): Promise<string[]> {
  if (objects.length === 0) return []
  const rows = await sql.query<{ object: string }>(`select distinct object from finding where environment = $1 and state <> 'resolved' and object = any($2::text[])`, [environment, textArray(objects)])
  return rows.map(({ object }) => object)
}

export async function findingsOfRun(sql: Sql, run: string): Promise<Finding[]> {
  const rows = await sql.query<Row>(`select body from finding where run = $1 and state <> 'resolved'`, [run])
  return rows.map(({ body }) => body)
}

export type FindingCount = { readonly findings: number; readonly adopting: number; readonly reverting: number }

/** How many findings of each module are neither resolved nor accepted, and how many of these are on their way back. */
export async function countFindings(sql: Sql): Promise<({ environment: string; module: string } & FindingCount)[]> {
  return sql.query(`select environment, module, count(*)::integer as findings, count(*) filter (where state = 'adopting')::integer as adopting, count(*) filter (where state = 'reverting')::integer as reverting
    from finding where state not in ('resolved', 'accepted') group by environment, module`)
}

/** One thing that became of a finding: `body` is how it was then. */
export type FindingChange = { readonly finding: string; readonly environment: string; readonly at: number; readonly what: FindingEvent; readonly actor: string; readonly reason: string; readonly body: Finding }

export async function addFindingChanges(sql: Sql, changes: readonly FindingChange[]): Promise<void> {
  if (changes.length === 0) return
  await sql.query(
    `insert into finding_change (finding, environment, at, what, actor, reason, body)
     select finding, environment, at, what, actor, reason, body
     from jsonb_to_recordset($1::jsonb) as row (finding text, environment text, at bigint, what text, actor text, reason text, body jsonb)`,
    [changes],
  )
}

const changeColumns = 'seq, finding, environment, at, what, actor, reason, body'

/** The newest last. */
export async function changesOfFinding(sql: Sql, finding: string, limit: number): Promise<(FindingChange & { seq: number })[]> {
  const rows = await sql.query<FindingChange & { seq: number }>(`select ${changeColumns} from finding_change where finding = $1 order by seq desc limit $2`, [finding, limit])
  return rows.reverse()
}

/** What is not on the environment’s chain yet, in order. */
export async function unrecordedChanges(sql: Sql, environment: string, limit: number): Promise<(FindingChange & { seq: number })[]> {
  return sql.query(`select ${changeColumns} from finding_change where environment = $1 and not recorded order by seq limit $2 for update`, [environment, limit])
}

export async function setRecorded(sql: Sql, changes: readonly number[]): Promise<void> {
  await sql.query('update finding_change set recorded = true where seq = any($1::bigint[])', [textArray(changes)])
}

/** What became of findings after a change, in order. */
export async function changesAfter(sql: Sql, environment: string, seq: number): Promise<(FindingChange & { seq: number })[]> {
  return sql.query(`select ${changeColumns} from finding_change where environment = $1 and seq > $2 order by seq limit 10000`, [environment, seq])
}

export async function hasChanged(sql: Sql, environment: string, since: number): Promise<boolean> {
  const rows = await sql.query('select 1 from finding_change where environment = $1 and seq > $2 limit 1', [environment, since])
  return rows.length > 0
}

/** When people were told of an environment’s findings last, and up to which change. */
export async function driftTold(tx: Sql, environment: string): Promise<{ at: number; seq: number } | undefined> {
  const [row] = await tx.query<{ at: number; seq: number }>('select at, seq from drift_told where environment = $1 for update', [environment])
  return row
}

export async function saveDriftTold(tx: Sql, environment: string, at: number, seq: number): Promise<void> {
  await tx.query('insert into drift_told (environment, at, seq) values ($1, $2, $3) on conflict (environment) do update set at = excluded.at, seq = excluded.seq', [environment, at, seq])
}
