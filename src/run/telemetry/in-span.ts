import type { JsonObject } from '#lib/json.ts'
import type { FailureJson } from '#lib/failure.ts'
import type { RunState } from '#model/run.ts'
import { findRun } from '#store/runs.ts'
import type { RunRow } from '#store/runs.ts'
import type { Parts } from '../parts.ts'
import type { Told, Tracer } from './tracer.ts'

/** A step with a span around it, where traces are asked for. */
export function inSpan<T>({ tracer }: Pick<Parts, 'tracer'>, name: string, attributes: JsonObject, work: () => Promise<T>, tell?: (result: T) => Told): Promise<T> {
  return tracer === undefined ? work() : tracer.span(name, attributes, work, tell)
}

/** A go at a run; when it has ended by it, the span of the whole of it, too. What another run replaced, or a person cancelled, `record` tells: nobody is at work on that. */
export async function traced(parts: Pick<Parts, 'tracer' | 'sql'>, id: string, work: () => Promise<void>): Promise<void> {
  const { tracer, sql } = parts
  if (tracer === undefined) return work()
  const before = await findRun(sql, id)
  await tracer.attempt(id, work)
  const after = await findRun(sql, id)
  if (before?.endedAt !== null || after === undefined || after.endedAt === null || endsUnattended(after.state)) return
  wholeSpan(tracer, after, after.state, after.failure, after.endedAt)
}

/** Where a run ends without a go at it. */
export function endsUnattended(state: RunState): boolean {
  return state === 'cancelled' || state === 'superseded'
}

/** The span of the whole of a run. */
export function wholeSpan(tracer: Tracer, { id, environment, kind, snapshot, createdAt }: RunRow, state: RunState, failure: FailureJson | null, endedAt: number): void {
  tracer.whole(id, createdAt, endedAt, { environment, kind, state, snapshot }, state === 'succeeded' ? undefined : failure === null ? state : `${failure.code}: ${failure.message}`)
}
