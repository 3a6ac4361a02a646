import type { KubernetesClient, ServedKind } from '#clients/kubernetes/client.ts'
import { Failure } from '#lib/failure.ts'
import type { Json, JsonObject } from '#lib/json.ts'
import { isObject } from '#lib/json.ts'
import type { Probe, ProbeCapabilities } from '../probe.ts'
import { probeFailed, takeSample } from '../sample.ts'
import type { Asking, Found } from '../sample.ts'
import { judge, show, worstOf } from '../thresholds.ts'
import { schema } from './schema.ts'
import type { KubernetesConfig } from './schema.ts'

/** Reads one object, or those that a selector finds, and holds them against a rule. */
export const kubernetes: Probe<KubernetesConfig, 'kubernetes' | 'cel'> = {
  kind: 'kubernetes',
  needs: ['kubernetes', 'cel'],
  schema,
  sample: (call, config) => {
    const { signal, clients } = call
    const threshold = ruleText(config)
    const asking: Asking = {
      signal: config.count === undefined ? 'boolean' : 'count',
      target: `${describe(config)} in ${config.target}`,
      // What is probed is the object: a cluster that does not answer leaves it unknown.
      phase: { name: `cluster ${config.target}`, of: 'way' },
      threshold,
    }
    return takeSample(call, asking, async (): Promise<Found> => {
      const client = await clients.kubernetes(config.target)
      const kind = await client.kind(config.apiVersion, config.kind, signal)
      if (kind === undefined) throw probeFailed(config.kind, `the cluster serves no kind ${config.kind} in ${config.apiVersion}`)
      if (kind.namespaced && config.name !== undefined && config.namespace === undefined) {
        throw new Failure({ code: 'object-scope', subject: config.kind, message: `${config.kind} is a namespaced kind, and the probe names no namespace` })
      }
      const objects = (await read(client, kind, config, signal)).map(withoutSecrets)
      return judgeObjects(config, objects, clients.cel)
    })
  },
}

async function read(client: KubernetesClient, kind: ServedKind, config: KubernetesConfig, signal: AbortSignal): Promise<JsonObject[]> {
  const namespace = kind.namespaced ? config.namespace : undefined
  if (config.name === undefined) return [...(await client.list(kind, namespace, { labels: config.selector ?? '' }, signal)).items]
  const object = await client.get(kind, namespace ?? '', config.name, signal)
  if (object === undefined) throw probeFailed(config.kind, `${describe(config)} does not exist`)
  return [object]
}

async function judgeObjects(config: KubernetesConfig, objects: readonly JsonObject[], cel: ProbeCapabilities['cel']): Promise<Found> {
  const what = describe(config)
  const found: [Found, ...Found[]] = [{ verdict: 'passed', message: config.selector === undefined ? `${what} exists` : `${what}: ${objects.length} found`, value: objects.length }]
  if (config.count !== undefined) found.push(judge(`the number of ${what}`, objects.length, config.count))
  else if (config.selector !== undefined && objects.length === 0) return { verdict: 'failed', value: 0, message: `${what}: none found` }
  if (config.condition !== undefined) found.push(...objects.map((object) => conditionFound(config, object)))
  if (config.cel !== undefined) found.push(celFound(await cel(config.cel, config.selector === undefined ? { object: objects[0] ?? null } : { objects }), what))
  const worst = worstOf(found)
  const { value: _left, ...rest } = worst.verdict === 'passed' ? (found.at(-1) ?? worst) : worst
  const value = config.cel !== undefined || config.condition !== undefined ? worst.verdict === 'passed' || worst.verdict === 'warned' : objects.length
  return { ...rest, value: config.count === undefined ? value : objects.length, threshold: ruleText(config) }
}

function celFound(value: unknown, what: string): Found {
  if (value === true) return { verdict: 'passed', message: `${what} is as the expression says` }
  if (value === false) return { verdict: 'failed', message: `${what} is not as the expression says` }
  throw new Failure({ code: 'cel-failed', subject: what, message: `the CEL expression gives ${show(value as Json)}, expected true or false` })
}

function conditionFound(config: KubernetesConfig, object: JsonObject): Found {
  const { type, status } = config.condition ?? { type: '', status: 'True' }
  const what = `${config.kind} ${nameOf(object)}`
  const conditions = isObject(object['status']) && Array.isArray(object['status']['conditions']) ? object['status']['conditions'] : []
  const condition = conditions.filter(isObject).find((one) => one['type'] === type)
  if (condition === undefined) return { verdict: 'failed', message: `${what} has no condition ${type}` }
  if (condition['status'] === status) return { verdict: 'passed', message: `${what}: ${type} is ${status}` }
  const reason = typeof condition['reason'] === 'string' ? ` (${condition['reason']})` : ''
  return { verdict: 'failed', message: `${what}: ${type} is ${show(condition['status'] ?? null).replaceAll(/[“”]/g, '')}${reason}, expected ${status}` }
}

/** A Secret's values are not read into anything: what is left of each is that it is there. */
function withoutSecrets(object: JsonObject): JsonObject {
  if (object['kind'] !== 'Secret' && !('data' in object && 'type' in object && object['apiVersion'] === 'v1')) return object
  const names = (data: Json | undefined): JsonObject => Object.fromEntries(Object.keys(isObject(data) ? data : {}).map((key) => [key, '']))
  const metadata = isObject(object['metadata']) ? object['metadata'] : {}
  const { annotations: _left, managedFields: _owners, ...rest } = metadata
  return { ...object, metadata: rest, data: names(object['data']), stringData: {} }
}

function describe(config: KubernetesConfig): string {
  const place = config.namespace === undefined ? '' : `${config.namespace}/`
  return config.name === undefined ? `${config.kind} ${place}[${config.selector ?? ''}]` : `${config.kind} ${place}${config.name}`
}

function nameOf(object: JsonObject): string {
  const { namespace, name } = isObject(object['metadata']) ? object['metadata'] : {}
  return `${typeof namespace === 'string' ? `${namespace}/` : ''}${String(name)}`
}

function ruleText(config: KubernetesConfig): string {
  const { count, condition, cel } = config
  const parts = [
    ...(count === undefined ? [] : [judge('', 0, count).threshold ?? 'any number']),
    ...(condition === undefined ? [] : [`${condition.type} = ${condition.status}`]),
    ...(cel === undefined ? [] : [cel]),
  ]
  return parts.length === 0 ? 'exists' : parts.join(', ')
}
