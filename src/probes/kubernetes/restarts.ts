import type { Json, JsonObject } from '#lib/json.ts'
import { isObject } from '#lib/json.ts'
import type { Found } from '../sample.ts'

type Bounds = { readonly least: number; readonly most: number }

/**
 * How often a pod's containers were restarted in the last so many milliseconds. Kubernetes keeps a count since the pod began, and the times of the last two
 * runs alone, so that what lies between is not known: at least so many, at most so many.
 */
export function restartsWithin(pod: JsonObject, withinMs: number, now: number): Bounds {
  const status = isObject(pod['status']) ? pod['status'] : {}
  const since = now - withinMs
  const isYoung = timeOf(status['startTime'], Infinity) >= since
  const containers = [status['containerStatuses'], status['initContainerStatuses']].flatMap((list) => (Array.isArray(list) ? list.filter(isObject) : []))
  return containers.map((container) => ofContainer(container, since, isYoung)).reduce<Bounds>((sum, one) => ({ least: sum.least + one.least, most: sum.most + one.most }), { least: 0, most: 0 })
}

function ofContainer({ restartCount, state, lastState }: JsonObject, since: number, isYoung: boolean): Bounds {
  const count = typeof restartCount === 'number' ? restartCount : 0
  if (count === 0) return { least: 0, most: 0 }
  if (isYoung) return { least: count, most: count }
  const present = startOf(state)
  const previous = startOf(lastState)
  // A container that waits to be started again has its last run in lastState.
  const runs = [present, previous].filter((at) => at !== undefined)
  const [last, before] = runs
  if (last === undefined) return { least: 0, most: count }
  if (last < since) return { least: 0, most: 0 }
  // The run before the last is a restart, too, unless it was the first run of all.
  const two = before !== undefined && before >= since && count > 1
  if (!two) return before !== undefined && before < since ? { least: 1, most: 1 } : { least: 1, most: count }
  return { least: 2, most: count }
}

function startOf(state: Json | undefined): number | undefined {
  if (!isObject(state)) return undefined
  const run = isObject(state['running']) ? state['running'] : isObject(state['terminated']) ? state['terminated'] : {}
  const at = timeOf(run['startedAt'], Number.NaN)
  return Number.isNaN(at) ? undefined : at
}

function timeOf(text: Json | undefined, otherwise: number): number {
  const at = typeof text === 'string' ? Date.parse(text) : Number.NaN
  return Number.isNaN(at) ? otherwise : at
}

/** All the pods' restarts, held against the most that there may be. */
export function judgeRestarts({ within, max }: { readonly within: number; readonly max: number }, pods: readonly JsonObject[], what: string, now: number): Found {
  const all = pods.map((pod) => restartsWithin(pod, within, now))
  const least = all.reduce((sum, one) => sum + one.least, 0)
  const most = all.reduce((sum, one) => sum + one.most, 0)
  const said = `${what}: ${least === most ? least : `${least} to ${most}`} restarts within ${inWords(within)}`
  if (least > max) return { value: least, verdict: 'failed', message: `${said}, at most ${max} expected` }
  if (most <= max) return { value: most, verdict: 'passed', message: said }
  return { value: least, verdict: 'unknown', message: `${said}: Kubernetes keeps the times of the last two runs alone` }
}

export function inWords(ms: number): string {
  return ms % 60_000 === 0 ? `${ms / 60_000} min` : `${ms / 1000} s`
}
