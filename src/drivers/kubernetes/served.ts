import type { ServedKind } from '#clients/kubernetes/client.ts'
import { asFailure, Failure, type FailureJson } from '#lib/failure.ts'
import { isObject, type JsonObject } from '#lib/json.ts'
import { parseKey, showKey, type Desired, type ObjectKey } from '#model/resource.ts'
import type { Call } from './call.ts'

/** How a kind is served, for one object: `not-served` is a proof, `unknown` is none. */
export type Serving =
  | { readonly state: 'served'; readonly kind: ServedKind }
  | { readonly state: 'not-served'; readonly reason: string }
  | { readonly state: 'unknown'; readonly failure: FailureJson }

/** The kind of each key: in the version that is desired, or the one that the server prefers. Each kind is asked for once. */
export async function servedKinds(call: Call, keys: readonly ObjectKey[], desired: readonly Desired[]): Promise<Map<ObjectKey, Serving>> {
  const versions = new Map(desired.map((one) => [one.key, String(one.body['apiVersion'])]))
  const asked = new Map<string, Promise<Serving>>()
  const answers = await Promise.all(
    keys.map(async (key): Promise<[ObjectKey, Serving]> => {
      const { group, kind } = parseKey(key)
      const version = versions.get(key)
      const name = `${version ?? `*.${group}`} ${kind}`
      const asking = asked.get(name) ?? serving(call, group, kind, version)
      asked.set(name, asking)
      return [key, scoped(key, await asking)]
    }),
  )
  return new Map(answers)
}

async function serving(call: Call, group: string, kind: string, apiVersion: string | undefined): Promise<Serving> {
  const client = call.clients.kubernetes
  try {
    const served = apiVersion === undefined ? await client.preferredKind(group, kind, call.signal) : await client.kind(apiVersion, kind, call.signal)
    if (served !== undefined) return { state: 'served', kind: served }
    if (apiVersion !== undefined) return { state: 'not-served', reason: `${apiVersion} ${kind} is not served yet` }
    return await withoutDefinition(call, group, kind)
  } catch (error) {
    call.signal.throwIfAborted()
    return { state: 'unknown', failure: asFailure(error, `${kind}${group === '' ? '' : `.${group}`}`).toJSON() }
  }
}

/**
 * A kind that is not served has no objects only if it is not defined either: one whose definition is there, but is not established just now (or
 * serves no version), keeps its objects.
 */
async function withoutDefinition(call: Call, group: string, kind: string): Promise<Serving> {
  const client = call.clients.kubernetes
  const subject = `${kind}${group === '' ? '' : `.${group}`}`
  const definitions = await client.preferredKind('apiextensions.k8s.io', 'CustomResourceDefinition', call.signal)
  if (definitions === undefined) {
    return { state: 'unknown', failure: new Failure({ code: 'kubernetes-failing', subject, message: 'it is not served, and the server has no definitions that would tell whether it has objects', retry: 'later' }).toJSON() }
  }
  const { items } = await client.list(definitions, undefined, {}, call.signal)
  if (!items.some((item) => defines(item, group, kind))) return { state: 'not-served', reason: `${subject} is neither served nor defined` }
  return { state: 'unknown', failure: new Failure({ code: 'kubernetes-failing', subject, message: 'it is defined but not served just now', hint: 'Look at the conditions of its CustomResourceDefinition.', retry: 'later' }).toJSON() }
}

function defines(definition: JsonObject, group: string, kind: string): boolean {
  const spec = isObject(definition['spec']) ? definition['spec'] : {}
  return spec['group'] === group && isObject(spec['names']) && spec['names']['kind'] === kind
}

/** An object of a namespaced kind needs a namespace, and one of a cluster-scoped kind has none: sent anyway, it would be another object. */
function scoped(key: ObjectKey, serving: Serving): Serving {
  const { namespace } = parseKey(key)
  if (serving.state !== 'served' || serving.kind.namespaced === (namespace !== '')) return serving
  const missing = serving.kind.namespaced
  return {
    state: 'unknown',
    failure: new Failure({
      code: 'object-scope',
      subject: showKey(key),
      message: missing ? `a ${serving.kind.kind} lives in a namespace, and this one names none` : `a ${serving.kind.kind} lives in no namespace, and this one names ${namespace}`,
      hint: missing ? 'Give it a metadata.namespace.' : 'Remove its metadata.namespace.',
    }).toJSON(),
  }
}
