import type { JsonObject } from '#lib/json.ts'
import { isObject } from '#lib/json.ts'
import { celFound } from '../cel-found.ts'
import type { ProbeCapabilities } from '../probe.ts'
import type { Found } from '../sample.ts'
import { judge, thresholdText, worstOf } from '../thresholds.ts'
import { inWords, judgeRestarts } from './restarts.ts'
import type { KubernetesConfig } from './schema.ts'

/** Holds what was read against the probe's rules: the worst of what they say. */
export async function judgeObjects(config: KubernetesConfig, read: readonly JsonObject[], cel: ProbeCapabilities['cel'], now: number): Promise<Found> {
  const what = describeQuestion(config)
  // What is on its way out counts no more among many; asked for by name, it is still what it is.
  const objects = config.selector === undefined ? read : read.filter((object) => metadataOf(object)['deletionTimestamp'] === undefined)
  const threshold = ruleText(config)
  if (config.count === undefined && objects.length === 0) return { verdict: 'failed', value: 0, threshold, message: `${what}: none found` }
  const found = rulesFound(config, objects, what)
  if (config.cel !== undefined) found.push(celFound(await cel(config.cel, config.selector === undefined ? { object: objects[0] ?? null } : { objects }), what))
  if (config.restarts !== undefined) found.push(judgeRestarts(config.restarts, objects, what, now))
  const stale = config.cel === undefined && config.condition === undefined ? undefined : objects.find(isStale)
  if (stale !== undefined) found.push(staleFound(config, stale))
  const there: Found = config.selector === undefined ? { verdict: 'passed', message: `${what} exists` } : { verdict: 'passed', message: `${what}: ${objects.length} found`, value: objects.length }
  const [first = there, ...others] = found
  const worst = worstOf([first, ...others])
  return { value: worst.verdict === 'passed' || worst.verdict === 'warned', ...(worst.verdict === 'passed' ? first : worst), threshold }
}

function rulesFound(config: KubernetesConfig, objects: readonly JsonObject[], what: string): Found[] {
  const { condition, count } = config
  const conditions = condition === undefined ? [] : objects.map((object) => conditionFound(config, condition, object))
  if (count === undefined) return conditions
  const counted = condition === undefined ? objects.length : conditions.filter(({ verdict }) => verdict === 'passed').length
  return [judge(condition === undefined ? `${what}: the number of objects` : `${what}: the number with ${condition.type} = ${condition.status}`, counted, count)]
}

function conditionFound(config: KubernetesConfig, { type, status }: NonNullable<KubernetesConfig['condition']>, object: JsonObject): Found {
  const what = `${config.kind} ${nameOf(object)}`
  const conditions = isObject(object['status']) && Array.isArray(object['status']['conditions']) ? object['status']['conditions'] : []
  const condition = conditions.filter(isObject).find((one) => one['type'] === type)
  if (condition === undefined) return { verdict: 'failed', message: `${what} has no condition ${type}` }
  if (condition['status'] === status) return { verdict: 'passed', message: `${what}: ${type} is ${status}` }
  const reason = typeof condition['reason'] === 'string' ? ` (${condition['reason']})` : ''
  return { verdict: 'failed', message: `${what}: ${type} is ${String(condition['status'])}${reason}, expected ${status}` }
}

/** Whether the status tells of an older generation: it would be judged for what is there no more. */
function isStale(object: JsonObject): boolean {
  const { generation } = metadataOf(object)
  const observed = isObject(object['status']) ? object['status']['observedGeneration'] : undefined
  return typeof generation === 'number' && typeof observed === 'number' && observed < generation
}

function staleFound(config: KubernetesConfig, object: JsonObject): Found {
  const observed = isObject(object['status']) ? object['status']['observedGeneration'] : undefined
  return { verdict: 'unknown', message: `${config.kind} ${nameOf(object)}: its status is of generation ${String(observed)}, and it is at ${String(metadataOf(object)['generation'])}` }
}

/** `Deployment orders/orders-api`, `Pod orders/[app=orders]`. */
export function describeQuestion(config: KubernetesConfig): string {
  const place = config.namespace === undefined ? '' : `${config.namespace}/`
  return config.name === undefined ? `${config.kind} ${place}[${config.selector ?? ''}]` : `${config.kind} ${place}${config.name}`
}

export function ruleText({ count, condition, cel, restarts }: KubernetesConfig): string {
  const parts = [
    ...(restarts === undefined ? [] : [`at most ${restarts.max} restarts within ${inWords(restarts.within)}`]),
    ...(count === undefined ? [] : [`count ${thresholdText(count) ?? 'any'}`]),
    ...(condition === undefined ? [] : [`${condition.type} = ${condition.status}`]),
    ...(cel === undefined ? [] : [cel]),
  ]
  return parts.length === 0 ? 'exists' : parts.join(', ')
}

function nameOf(object: JsonObject): string {
  const { namespace, name } = metadataOf(object)
  return `${typeof namespace === 'string' ? `${namespace}/` : ''}${String(name)}`
}

function metadataOf(object: JsonObject): JsonObject {
  return isObject(object['metadata']) ? object['metadata'] : {}
}
