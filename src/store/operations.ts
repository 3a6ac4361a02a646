import type { FailureJson } from '#lib/failure.ts'
import type { OperationStepRow } from '#model/operation.ts'
import type { ProbeResult } from '#model/probe.ts'
import type { RunState } from '#model/run.ts'
import { announce } from './events.ts'
import type { Sql } from './sql.ts'

const columns = 'position, name, kind, state, message, failure, probes, started_at as "startedAt", ended_at as "endedAt"'

/** The journal of an operation, in order. */
export async function operationSteps(sql: Sql, run: string): Promise<OperationStepRow[]> {
  return sql.query<OperationStepRow>(`select ${columns} from operation_step where run = $1 order by position`, [run])
}

/** Writes the steps down, once: what is there already stays as it is. */
export async function openSteps(sql: Sql, run: string, steps: readonly Pick<OperationStepRow, 'name' | 'kind' | 'state'>[]): Promise<void> {
  for (const [position, { name, kind, state }] of steps.entries())
    await sql.query('insert into operation_step (run, position, name, kind, state) values ($1, $2, $3, $4, $5) on conflict (run, position) do nothing', [run, position, name, kind, state])
}

/** The last thing before a step begins. One that is begun again keeps the time at which it first did. */
export async function startStep(sql: Sql, run: string, { position, name }: Pick<OperationStepRow, 'position' | 'name'>, at: number): Promise<void> {
  await sql.query(`update operation_step set state = 'started', started_at = coalesce(started_at, $3) where run = $1 and position = $2`, [run, position, at])
  await announce(sql, at, 'effect', { run, step: name, outcome: 'started' })
}

export type StepEnd = { readonly state: 'done' | 'failed' | 'unknown' | 'waiting'; readonly message: string | null; readonly failure: FailureJson | null; readonly probes: readonly ProbeResult[] }

export async function endStep(sql: Sql, run: string, { position, name }: Pick<OperationStepRow, 'position' | 'name'>, { state, message, failure, probes }: StepEnd, at: number): Promise<void> {
  await sql.query('update operation_step set state = $3, message = $4, failure = $5, probes = $6, ended_at = $7 where run = $1 and position = $2', [run, position, state, message, failure, probes, state === 'waiting' ? null : at])
  await announce(sql, at, 'effect', { run, step: name, outcome: state })
}

/** The newest run of an operation in an environment. */
export async function lastOperation(sql: Sql, environment: string, name: string): Promise<{ id: string; state: RunState; planDigest: string | null } | undefined> {
  const [row] = await sql.query<{ id: string; state: RunState; planDigest: string | null }>(
    `select id, state, plan_digest as "planDigest" from run where kind = 'operation' and environment = $1 and operation ->> 'name' = $2 order by seq desc limit 1`,
    [environment, name],
  )
  return row
}

/** The newest step that did something, of any operation in an environment, begun between two times. */
export async function lastOperationStep(sql: Sql, environment: string, since: number, by: number): Promise<{ run: string; operation: string; step: string; reason: string; at: number } | undefined> {
  const [row] = await sql.query<{ run: string; operation: string; step: string; reason: string; at: number }>(
    `select run.id as run, run.operation ->> 'name' as operation, step.name as step, run.reason, step.started_at as at
     from operation_step step join run on run.id = step.run
     where run.environment = $1 and step.kind in ('command', 'sql', 'patch') and step.started_at >= $2 and step.started_at <= $3 order by step.started_at desc limit 1`,
    [environment, since, by],
  )
  return row
}

/** When an operation is due next; undefined where that is not known yet. */
export async function scheduleOf(sql: Sql, environment: string, operation: string): Promise<{ schedule: string; nextAt: number } | undefined> {
  const [row] = await sql.query<{ schedule: string; nextAt: number }>('select schedule, next_at as "nextAt" from operation_schedule where environment = $1 and operation = $2', [environment, operation])
  return row
}

export async function saveSchedule(sql: Sql, environment: string, operation: string, schedule: string, nextAt: number): Promise<void> {
  await sql.query(
    `insert into operation_schedule (environment, operation, schedule, next_at) values ($1, $2, $3, $4)
     on conflict (environment, operation) do update set schedule = excluded.schedule, next_at = excluded.next_at`,
    [environment, operation, schedule, nextAt],
  )
}

export async function forgetSchedule(sql: Sql, environment: string, operation: string): Promise<void> {
  await sql.query('delete from operation_schedule where environment = $1 and operation = $2', [environment, operation])
}
