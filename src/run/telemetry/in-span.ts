import type { JsonObject } from '#lib/json.ts'
import { findRun } from '#store/runs.ts'
import type { Parts } from '../parts.ts'
import type { Told } from './tracer.ts'

/** A step with a span around it, where traces are asked for. */
export function inSpan<T>({ tracer }: Pick<Parts, 'tracer'>, name: string, attributes: JsonObject, work: () => Promise<T>, tell?: (result: T) => Told): Promise<T> {
  return tracer === undefined ? work() : tracer.span(name, attributes, work, tell)
}

/** A go at a run; when it has ended by it, the span of the whole of it, too. */
export async function traced(parts: Pick<Parts, 'tracer' | 'sql'>, id: string, work: () => Promise<void>): Promise<void> {
  const { tracer, sql } = parts
  if (tracer === undefined) return work()
  const before = await findRun(sql, id)
  await tracer.attempt(id, work)
  const after = await findRun(sql, id)
  if (before?.endedAt !== null || after === undefined || after.endedAt === null) return
  const { environment, kind, state, snapshot, failure, createdAt, endedAt } = after
  tracer.whole(id, createdAt, endedAt, { environment, kind, state, snapshot }, state === 'succeeded' ? undefined : failure === null ? state : `${failure.code}: ${failure.message}`)
}
