import type { Environment } from '#model/config/environment.ts'
import { isGood } from '#model/judge-samples.ts'
import { environmentItself } from '#model/probe-state.ts'
import { probeStates } from '#store/probe-states.ts'
import { lastEnd } from '#store/runs.ts'
import type { Sql } from '#store/sql.ts'

/**
 * Whether an environment itself is known to work: each of its own probes has passed, lately, and since a run last changed something there; and the last change
 * as a whole, if there are probes of that. One that was not asked is not known to pass.
 */
export async function environmentWorks(sql: Sql, { metadata, spec }: Environment, now: number): Promise<boolean> {
  const states = await probeStates(sql, metadata.name, environmentItself)
  if (!states.every(isGood)) return false
  const since = Math.max((await lastEnd(sql, metadata.name)) ?? 0, now - freshForItself(spec))
  const asked = new Map(states.map(({ probe, askedAt }) => [probe, askedAt]))
  return spec.probes.every(({ name }) => (asked.get(name) ?? -1) >= since)
}

/** How long what was found of an environment itself counts (ms). */
export function freshForItself({ freshFor, verifyEvery }: Pick<Environment['spec'], 'freshFor' | 'verifyEvery'>): number {
  return freshFor ?? 2 * verifyEvery
}
