import { isObject, type Json, type JsonObject } from '#lib/json.ts'
import { parseKey, type ObjectKey } from '#model/resource.ts'
import type { Call } from './call.ts'
import { nameOf } from './observed.ts'

/** The mutating webhooks of a cluster that may change objects of the kinds of these keys as they are written, by key: `MutatingWebhookConfiguration images`. */
export async function rewriters(call: Call, keys: readonly ObjectKey[]): Promise<Map<ObjectKey, string[]>> {
  const client = call.clients.kubernetes
  const kind = await client.preferredKind('admissionregistration.k8s.io', 'MutatingWebhookConfiguration', call.signal)
  const configurations = kind === undefined ? [] : (await client.list(kind, undefined, {}, call.signal)).items
  const plurals = new Map((await client.recentKinds(call.signal)).map((one) => [`${one.group}/${one.kind}`, one.plural]))
  return new Map(
    keys.map((key) => {
      const { group, kind: named } = parseKey(key)
      const plural = plurals.get(`${group}/${named}`)
      const found = plural === undefined ? [] : configurations.filter((one) => rulesOf(one).some((rule) => includes(rule['apiGroups'], group) && includes(rule['resources'], plural)))
      return [key, found.map((one) => `MutatingWebhookConfiguration ${nameOf(one)}`).sort()]
    }),
  )
}

function rulesOf(configuration: JsonObject): JsonObject[] {
  return objects(configuration['webhooks']).flatMap((webhook) => objects(webhook['rules']))
}

function includes(list: Json | undefined, wanted: string): boolean {
  return Array.isArray(list) && list.some((one) => one === '*' || one === '*/*' || one === wanted)
}

function objects(list: Json | undefined): JsonObject[] {
  return Array.isArray(list) ? list.filter(isObject) : []
}
