import type { KubernetesClient, ServedKind } from '#clients/kubernetes/client.ts'
import { Failure } from '#lib/failure.ts'
import type { Json, JsonObject } from '#lib/json.ts'
import { isObject } from '#lib/json.ts'
import type { Probe } from '../probe.ts'
import { probeFailed, takeSample } from '../sample.ts'
import type { Asking, Found } from '../sample.ts'
import { describeQuestion, judgeObjects, ruleText } from './judge-objects.ts'
import { schema } from './schema.ts'
import type { KubernetesConfig } from './schema.ts'

/** Reads one object, or those that a selector finds, and holds them against a rule. */
export const kubernetes: Probe<KubernetesConfig, 'kubernetes' | 'cel'> = {
  kind: 'kubernetes',
  needs: ['kubernetes', 'cel'],
  schema,
  sample: (call, config) => {
    const { clock, signal, clients } = call
    const asking: Asking = {
      signal: config.count === undefined && config.restarts === undefined ? 'boolean' : 'count',
      target: `${describeQuestion(config)} in ${config.target}`,
      // What is probed is the object: a cluster that does not answer leaves it unknown.
      phase: { name: `target ${config.target}`, of: 'way' },
      threshold: ruleText(config),
    }
    return takeSample(call, asking, async (): Promise<Found> => {
      const client = await clients.kubernetes(config.target)
      const kind = await client.kind(config.apiVersion, config.kind, signal)
      if (kind === undefined) throw probeFailed(config.kind, `${config.target} serves no kind ${config.kind} in ${config.apiVersion}`)
      return judgeObjects(config, await read(client, kind, config, signal), clients.cel, clock.now())
    })
  },
}

async function read(client: KubernetesClient, kind: ServedKind, config: KubernetesConfig, signal: AbortSignal): Promise<JsonObject[]> {
  if (!kind.namespaced && config.namespace !== undefined) throw scope(`${config.kind} belongs to no namespace, and the probe names one`)
  const shown = kind.group === '' && kind.kind === 'Secret' ? withoutValues : (object: JsonObject) => object
  if (config.name === undefined) return (await client.list(kind, config.namespace, { labels: config.selector ?? '' }, signal)).items.map(shown)
  if (kind.namespaced && config.namespace === undefined) throw scope(`${config.kind} belongs to a namespace, and the probe names none`)
  const object = await client.get(kind, config.namespace ?? '', config.name, signal)
  if (object === undefined) throw probeFailed(config.kind, `${describeQuestion(config)} does not exist`)
  return [shown(object)]
}

function scope(message: string): Failure {
  return new Failure({ code: 'object-scope', subject: 'probe', message })
}

/** A Secret's values are not read into anything, annotations among them (kubectl keeps a copy there): what is left of each is its key. */
function withoutValues(object: JsonObject): JsonObject {
  const keys = (data: Json | undefined): JsonObject => Object.fromEntries(Object.keys(isObject(data) ? data : {}).map((key) => [key, '']))
  const { annotations: _annotations, managedFields: _managedFields, ...metadata } = isObject(object['metadata']) ? object['metadata'] : {}
  const { data, stringData: _stringData, ...rest } = object
  return { ...rest, metadata, data: keys(data) }
}
