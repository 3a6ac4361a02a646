import type { FailureJson } from '#lib/failure.ts'
import type { JsonObject } from '#lib/json.ts'
import type { Commit, Snapshot } from '#model/snapshot.ts'
import { announce } from './events.ts'
import type { Sql } from './sql.ts'

export type RepositoryRow = { name: string; url: string; branch: string; head: string | null; commit: Commit | null; checkedAt: number | null; failure: FailureJson | null }

export async function repositories(sql: Sql): Promise<RepositoryRow[]> {
  return sql.query<RepositoryRow>('select name, url, branch, head, commit, checked_at as "checkedAt", failure from repository order by name')
}

/** What is known of a repository's head. A failed look leaves the last head standing. */
export async function saveRepository(sql: Sql, row: RepositoryRow): Promise<void> {
  const [before] = await sql.query<{ failing: boolean }>('select failure is not null as failing from repository where name = $1', [row.name])
  await sql.query(
    `insert into repository (name, url, branch, head, commit, checked_at, failure) values ($1, $2, $3, $4, $5, $6, $7)
     on conflict (name) do update set url = excluded.url, branch = excluded.branch, head = coalesce(excluded.head, repository.head),
       commit = coalesce(excluded.commit, repository.commit), checked_at = excluded.checked_at, failure = excluded.failure`,
    [row.name, row.url, row.branch, row.head, row.commit, row.checkedAt, row.failure],
  )
  if ((before?.failing ?? false) !== (row.failure !== null)) await announce(sql, row.checkedAt ?? 0, 'repository', { repository: row.name, failure: row.failure?.code ?? null })
}

export async function forgetRepository(sql: Sql, name: string): Promise<void> {
  await sql.query('delete from repository where name = $1', [name])
}

export type SnapshotRow = Snapshot & { seq: number; at: number; problems: FailureJson[] }

const columns = 'seq, id, commits, at, problems'

export async function newestSnapshot(sql: Sql): Promise<SnapshotRow | undefined> {
  const [row] = await sql.query<SnapshotRow>(`select ${columns} from snapshot order by seq desc limit 1`)
  return row
}

export async function findSnapshot(sql: Sql, id: string): Promise<SnapshotRow | undefined> {
  const [row] = await sql.query<SnapshotRow>(`select ${columns} from snapshot where id = $1`, [id])
  return row
}

/**
 * Keeps a snapshot as the newest. One that was seen before (a branch that was forced back) gets a new number: it is what is wanted now.
 */
export async function saveSnapshot(sql: Sql, snapshot: Snapshot, at: number): Promise<void> {
  await sql.query(
    `insert into snapshot (id, commits, at) values ($1, $2, $3)
     on conflict (id) do update set at = excluded.at, seq = nextval(pg_get_serial_sequence('snapshot', 'seq'))`,
    [snapshot.id, snapshot.commits, at],
  )
  await announce(sql, at, 'snapshot', { snapshot: snapshot.id, commits: { ...snapshot.commits } })
}

/** Snapshots are taken one after the other, until the transaction ends. */
export async function lockSnapshots(sql: Sql): Promise<void> {
  await sql.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', ['snapshots'])
}

export async function saveProblems(sql: Sql, snapshot: string, problems: readonly FailureJson[], at: number): Promise<void> {
  await sql.query('update snapshot set problems = $2 where id = $1', [snapshot, problems])
  await announce(sql, at, 'problems', { snapshot, problems: problems.length })
}

/** The part of an environment's configuration that its gate stands on, as it was accepted. */
export async function policyOf(sql: Sql, environment: string): Promise<{ config: JsonObject; snapshot: string; at: number } | undefined> {
  const [row] = await sql.query<{ config: JsonObject; snapshot: string; at: number }>('select config, snapshot, at from policy where environment = $1', [environment])
  return row
}

/** The environments that a policy was accepted for, and that were not forgotten. */
export async function policyEnvironments(sql: Sql): Promise<string[]> {
  return (await sql.query<{ environment: string }>('select environment from policy order by environment')).map(({ environment }) => environment)
}

export async function forgetPolicy(sql: Sql, environment: string): Promise<void> {
  await sql.query('delete from policy where environment = $1', [environment])
}

export async function acceptPolicy(sql: Sql, environment: string, config: JsonObject, snapshot: string, at: number): Promise<void> {
  await sql.query(
    `insert into policy (environment, config, snapshot, at) values ($1, $2, $3, $4)
     on conflict (environment) do update set config = excluded.config, snapshot = excluded.snapshot, at = excluded.at`,
    [environment, config, snapshot, at],
  )
}

/** Adds to a policy what was no part of one when it was accepted; nothing where another was accepted meanwhile. */
export async function completePolicy(sql: Sql, environment: string, config: JsonObject, accepted: { readonly snapshot: string; readonly at: number }): Promise<void> {
  await sql.query('update policy set config = $2 where environment = $1 and snapshot = $3 and at = $4', [environment, config, accepted.snapshot, accepted.at])
}
