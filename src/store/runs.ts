import type { Digest } from '#lib/digest.ts'
import type { FailureJson } from '#lib/failure.ts'
import type { Approval, GateDecision } from '#model/gate.ts'
import type { OperationOf } from '#model/operation.ts'
import type { Effect, Plan } from '#model/plan.ts'
import type { ProbeResult } from '#model/probe.ts'
import type { RollbackOf } from '#model/rollback.ts'
import type { RunSelection } from '#model/latest-run.ts'
import { isEnded } from '#model/run.ts'
import type { ModuleOutcome, RunState } from '#model/run.ts'
import type { Commit } from '#model/snapshot.ts'
import { announce } from './events.ts'
import { textArray } from './sql.ts'
import type { Param, Sql } from './sql.ts'

/**
 * Why a run exists: a change in Git, a person's word, only to verify what is there, to accept another policy of the environment; or, once Git no longer has
 * it, to delete what is held, or to hold it no more and leave it. `revert`: to make the fields of a finding as declared again. `rollback`: to go back to an
 * older snapshot. `operation`: to carry out the steps of one.
 */
export type RunKind = 'change' | 'deploy' | 'verify' | 'policy' | 'prune' | 'forget' | 'revert' | 'rollback' | 'operation'

/** A run as the store keeps it. Times are milliseconds since 1970. */
export type RunRow = {
  seq: number
  id: string
  environment: string
  kind: RunKind
  state: RunState
  /** With `waiting`: the decisions that hold it. */
  waiting: GateDecision[]
  snapshot: string
  actor: string
  reason: string
  ticket: string | null
  /** The person who asked for it (`plumb deploy`), where one did. */
  startedBy: string | null
  changes: (Commit & { repository: string })[]
  /** Module -> the intent that it carries out, for those that changed and those that depend on them; and the snapshot that it is held at, where that is not the run's. */
  modules: Record<string, { intent: string; changed: boolean; snapshot?: string }>
  /** With the kind `rollback`. */
  rollback: RollbackOf | null
  /** With the kind `operation`. */
  operation: OperationOf | null
  plan: Plan | null
  planDigest: Digest | null
  gates: GateDecision[]
  failure: FailureJson | null
  createdAt: number
  updatedAt: number
  endedAt: number | null
  recordSeq: number | null
  recordDigest: string | null
}

const columns = `seq, id, environment, kind, state, waiting, snapshot, actor, reason, ticket, started_by as "startedBy", changes, modules, rollback, operation,
  plan, plan_digest as "planDigest", gates, failure, created_at as "createdAt", updated_at as "updatedAt", ended_at as "endedAt",
  record_seq as "recordSeq", record_digest as "recordDigest"`

export type NewRun = Pick<
  RunRow,
  'id' | 'environment' | 'kind' | 'snapshot' | 'actor' | 'reason' | 'ticket' | 'startedBy' | 'changes' | 'modules' | 'createdAt'
> &
  Partial<Pick<RunRow, 'planDigest' | 'rollback' | 'operation'>>

export async function createRun(sql: Sql, run: NewRun): Promise<void> {
  await sql.query(
    `insert into run (id, environment, kind, state, snapshot, actor, reason, ticket, started_by, changes, modules, created_at, updated_at, plan_digest, rollback, operation)
     values ($1, $2, $3, 'planning', $4, $5, $6, $7, $8, $9, $10, $11, $11, $12, $13, $14)`,
    [run.id, run.environment, run.kind, run.snapshot, run.actor, run.reason, run.ticket, run.startedBy, run.changes, run.modules, run.createdAt, run.planDigest ?? null, run.rollback ?? null, run.operation ?? null],
  )
  await announce(sql, run.createdAt, 'run', { run: run.id, environment: run.environment, state: 'planning' })
}

export async function findRun(sql: Sql, id: string): Promise<RunRow | undefined> {
  const [row] = await sql.query<RunRow>(`select ${columns} from run where id = $1`, [id])
  return row
}

/** Makes decisions on which runs an environment has come one after the other, until the transaction ends: each sees what the one before it decided. */
export async function lockRuns(sql: Sql, environment: string): Promise<void> {
  await sql.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [`runs/${environment}`])
}

export type RunFilter = { environment?: string; environments?: readonly string[]; module?: string; kind?: RunKind; only?: RunSelection; limit: number }

/** The newest first. All but `limit` narrow it. */
export async function listRuns(sql: Sql, filter: RunFilter): Promise<RunRow[]> {
  const environments = filter.environments === undefined ? null : textArray(filter.environments)
  return sql.query<RunRow>(
    `select ${columns} from run
     where ($1::text is null or environment = $1) and ($2::text is null or jsonb_exists(modules, $2)) and ($4::text is null or kind = $4)
       and ($5::text[] is null or environment = any($5::text[])) and ($6::text is distinct from 'open' or ended_at is null)
       and ($6::text is distinct from 'to-approve' or (state = 'waiting' and waiting @> '[{"waitingFor": "approval"}]'))
       and ($6::text is distinct from 'begun' or (kind not in ('verify', 'policy', 'forget') and state not in ('planning', 'waiting', 'superseded', 'cancelled')))
     order by seq desc limit $3`,
    [filter.environment ?? null, filter.module ?? null, filter.limit, filter.kind ?? null, environments, filter.only ?? null],
  )
}

/** The environments that have had a run. */
export async function runEnvironments(sql: Sql): Promise<string[]> {
  const rows = await sql.query<{ environment: string }>('select distinct environment from run')
  return rows.map((row) => row.environment)
}

/** Those that have not ended, the oldest first. */
export async function openRuns(sql: Sql, environment?: string): Promise<RunRow[]> {
  return sql.query<RunRow>(`select ${columns} from run where ended_at is null and ($1::text is null or environment = $1) order by seq`, [environment ?? null])
}

/** The newest run that changed one of these modules between two times, and when it last did. */
export async function lastChange(sql: Sql, environment: string, modules: readonly string[], since: number, by: number): Promise<{ id: string; reason: string; at: number } | undefined> {
  const [row] = await sql.query<{ id: string; reason: string; at: number }>(
    `select run.id, run.reason, touched.at from run
       cross join lateral (select max(coalesce(effect.ended_at, effect.started_at)) as at from effect where effect.run = run.id and effect.module = any($2::text[]) and effect.started_at <= $3) touched
     where run.environment = $1 and jsonb_exists_any(run.modules, $2::text[]) and touched.at >= $4 order by run.seq desc limit 1`,
    [environment, textArray(modules), by, since],
  )
  return row
}

/**
 * Which of the newest runs of an environment, beside this one, have begun to change one of its modules, and how far they are. Another answer later means that
 * something may have been done meanwhile. Of runs alone, and not of their effects: those may be many.
 */
export async function workOfOthers(sql: Sql, run: Pick<RunRow, 'id' | 'environment' | 'modules'>): Promise<string> {
  const [row] = await sql.query<{ work: string }>(
    `select coalesce(string_agg(id || ' ' || state, ', ' order by seq), '') as work from (select seq, id, state, kind, modules from run where environment = $1 order by seq desc limit 100) newest
     where id <> $2 and jsonb_exists_any(modules, $3::text[]) and kind not in ('verify', 'policy') and state not in ('planning', 'waiting', 'superseded', 'cancelled')`,
    [run.environment, run.id, textArray(Object.keys(run.modules))],
  )
  return row?.work ?? ''
}

/** When the last run that may have changed something in an environment ended; null before the first. */
export async function lastEnd(sql: Sql, environment: string): Promise<number | null> {
  const [row] = await sql.query<{ at: number | null }>(`select max(ended_at) as at from run where environment = $1 and kind not in ('verify', 'forget') and state in ('succeeded', 'failed', 'halted', 'interrupted', 'rolled-back')`, [environment])
  return row?.at ?? null
}

type RunChange = Partial<Pick<RunRow, 'waiting' | 'plan' | 'planDigest' | 'gates' | 'failure' | 'recordSeq' | 'recordDigest'>>

/**
 * Moves a run to a state, with whatever changes beside it, and says so to whoever listens. A run that has ended stays as it is: its record says so.
 * Tells whether it was open.
 */
export async function updateRun(sql: Sql, id: string, state: RunState, at: number, change: RunChange = {}): Promise<boolean> {
  const sets = ['state = $2', 'updated_at = $3', `ended_at = ${isEnded(state) ? '$3' : 'null'}`]
  const params: Param[] = [id, state, at]
  const set = (column: string, value: Param): void => {
    params.push(value)
    sets.push(`${column} = $${params.length}`)
  }
  set('waiting', change.waiting ?? [])
  if (change.plan !== undefined) set('plan', change.plan)
  if (change.planDigest !== undefined) set('plan_digest', change.planDigest)
  if (change.gates !== undefined) set('gates', change.gates)
  if (change.failure !== undefined) set('failure', change.failure)
  if (change.recordSeq !== undefined) set('record_seq', change.recordSeq)
  if (change.recordDigest !== undefined) set('record_digest', change.recordDigest)
  const [row] = await sql.query<{ environment: string }>(`update run set ${sets.join(', ')} where id = $1 and ended_at is null returning environment`, params)
  if (row === undefined) return false
  await announce(sql, at, 'run', { run: id, environment: row.environment, state })
  return true
}

/** A run whose effects have not begun does its work without some modules from now on. */
export async function leaveOut(sql: Sql, id: string, modules: RunRow['modules'], at: number): Promise<void> {
  await sql.query('update run set modules = $2, updated_at = $3 where id = $1 and ended_at is null', [id, modules, at])
}

/** What a run had delivered was rolled back after its end: its record stays as it is. */
export async function markRolledBack(sql: Sql, id: string, at: number): Promise<void> {
  const [row] = await sql.query<{ environment: string }>(`update run set state = 'rolled-back', updated_at = $2 where id = $1 and state = 'failed' returning environment`, [id, at])
  if (row !== undefined) await announce(sql, at, 'run', { run: id, environment: row.environment, state: 'rolled-back' })
}

export type RunModuleRow = { module: string; outcome: ModuleOutcome; probes: ProbeResult[] }

export async function saveModuleOutcome(sql: Sql, run: string, outcome: ModuleOutcome, probes: readonly ProbeResult[], at: number): Promise<void> {
  await sql.query(
    `insert into run_module (run, module, outcome, probes) values ($1, $2, $3, $4)
     on conflict (run, module) do update set outcome = excluded.outcome, probes = excluded.probes`,
    [run, outcome.module, outcome, probes],
  )
  await announce(sql, at, 'module', { run, module: outcome.module, delivery: outcome.delivery, verification: outcome.verification })
}

export async function moduleOutcomes(sql: Sql, run: string): Promise<RunModuleRow[]> {
  return sql.query<RunModuleRow>('select module, outcome, probes from run_module where run = $1 order by module', [run])
}

/** An effect in the journal. `state` is `pending` until the moment before the driver is called. */
export type EffectRow = { module: string; key: string; position: number; state: 'pending' | 'started' | 'done'; effect: Effect; outcome: EffectOutcome | null; startedAt: number | null; endedAt: number | null }

/** What is kept of a driver's outcome. */
export type EffectOutcome = { state: string; action?: string; uid?: string; generation?: number; warnings?: readonly string[]; failure?: FailureJson }

const effectColumns = 'module, key, position, state, effect, outcome, started_at as "startedAt", ended_at as "endedAt"'

export async function journal(sql: Sql, run: string): Promise<EffectRow[]> {
  return sql.query<EffectRow>(`select ${effectColumns} from effect where run = $1 order by module, position`, [run])
}

/** Writes a plan's effects down, once and all together: what is there already stays as it is. */
export async function openJournal(sql: Sql, run: string, effects: readonly Effect[]): Promise<void> {
  if (effects.length === 0) return
  await sql.query(
    `insert into effect (run, module, key, position, state, effect)
     select $1, effect ->> 'module', effect ->> 'key', position - 1, 'pending', effect from jsonb_array_elements($2::jsonb) with ordinality given (effect, position)
     on conflict (run, module, key) do nothing`,
    [run, effects],
  )
}

/** The last thing before the driver is called. A deferred effect is written as it was sealed. */
export async function startEffect(sql: Sql, run: string, effect: Effect, at: number): Promise<void> {
  await sql.query(`update effect set state = 'started', started_at = $4, effect = $5 where run = $1 and module = $2 and key = $3`, [
    run,
    effect.module,
    effect.key,
    at,
    effect,
  ])
}

export async function endEffect(sql: Sql, run: string, effect: Effect, outcome: EffectOutcome, at: number): Promise<void> {
  await sql.query(`update effect set state = 'done', ended_at = $4, outcome = $5 where run = $1 and module = $2 and key = $3`, [
    run,
    effect.module,
    effect.key,
    at,
    outcome,
  ])
  await announce(sql, at, 'effect', { run, module: effect.module, key: effect.key, outcome: outcome.action ?? outcome.state })
}

export async function approve(sql: Sql, run: string, approval: Approval): Promise<void> {
  await sql.query(
    `insert into approval (run, principal, plan_digest, reason, objects, at) values ($1, $2, $3, $4, $5, $6)
     on conflict (run, principal, plan_digest) do update set reason = excluded.reason, objects = excluded.objects, at = excluded.at`,
    [run, approval.principal, approval.planDigest, approval.reason, approval.objects, approval.at],
  )
}

/** What was approved of one run counts for another: the gate holds each approval's digest against the plan. */
export async function inheritApprovals(sql: Sql, from: string, to: string): Promise<void> {
  await sql.query(
    `insert into approval (run, principal, plan_digest, reason, objects, at)
     select $2, principal, plan_digest, reason, objects, at from approval where run = $1 on conflict (run, principal, plan_digest) do nothing`,
    [from, to],
  )
}

export async function approvalsOf(sql: Sql, run: string): Promise<Approval[]> {
  return sql.query<Approval>(`select principal, plan_digest as "planDigest", reason, objects, at from approval where run = $1 order by at`, [run])
}

/** What is kept beside each of some runs. */
export type RunParts = { readonly modules: RunModuleRow[]; readonly effects: EffectRow[]; readonly approvals: Approval[] }

/** What `moduleOutcomes`, `journal` and `approvalsOf` give, of many runs at the cost of one. */
export async function partsOfRuns(sql: Sql, runs: readonly string[]): Promise<(run: string) => RunParts> {
  const those = [textArray(runs)]
  const [modules, effects, approvals] = await Promise.all([
    sql.query<RunModuleRow & { run: string }>('select run, module, outcome, probes from run_module where run = any($1::text[]) order by module', those),
    sql.query<EffectRow & { run: string }>(`select run, ${effectColumns} from effect where run = any($1::text[]) order by module, position`, those),
    sql.query<Approval & { run: string }>('select run, principal, plan_digest as "planDigest", reason, objects, at from approval where run = any($1::text[]) order by at', those),
  ])
  const ofEach = <Row extends { run: string }>(rows: readonly Row[]): ((run: string) => Omit<Row, 'run'>[]) => {
    const byRun = Map.groupBy(rows, (row) => row.run)
    return (run) => (byRun.get(run) ?? []).map(({ run: _run, ...row }) => row)
  }
  const [modulesOf, effectsOf, approvalsOfRun] = [ofEach(modules), ofEach(effects), ofEach(approvals)]
  return (run) => ({ modules: modulesOf(run), effects: effectsOf(run), approvals: approvalsOfRun(run) })
}
