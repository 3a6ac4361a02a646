import { isObject } from '#lib/json.ts'
import type { KubernetesObject } from '#playground/contract.ts'
import { find } from '../backend.ts'
import { valueAt } from '../paths.ts'
import { ApiError, notFound } from '../status.ts'
import type { Verb } from './verb.ts'

/** What a real cluster does inside a container or through a node: here pods are processes of this machine, and there is no such thing. */
const lacking: ReadonlyMap<string, string> = new Map([
  ['exec', 'kubectl exec or cp'],
  ['attach', 'kubectl attach'],
  ['portforward', 'kubectl port-forward'],
  ['proxy', 'way to a pod through the API server'],
  ['ephemeralcontainers', 'kubectl debug'],
])

export const isNotHere = ({ kind, subresource }: Parameters<Verb>[2]): boolean => !kind.custom && kind.plural === 'pods' && lacking.has(subresource)

/** Refuses them with a sentence that says what to do instead: 501, `NotImplemented`. */
export const notHereVerb: Verb = async ({ options, ...backend }, _request, { kind, namespace, name, subresource }) => {
  const pod = find({ options, ...backend }, kind, namespace, name)
  if (pod === undefined) throw notFound(kind, name)
  const places = await Promise.all(placesOf(pod).map(async ({ ip, port }) => options.reach(ip, port)))
  const instead = places.length === 0 ? '' : `it listens at ${places.map(({ host, port }) => `${host}:${port}`).join(' and ')}, and `
  const message = `the playground has no ${lacking.get(subresource)}: pod "${name}" is a process of this machine; ${instead}kubectl logs shows what it says`
  throw new ApiError(501, 'NotImplemented', message, { details: { name, kind: kind.plural } })
}

function placesOf(pod: KubernetesObject): { ip: string; port: number }[] {
  const ip = valueAt(pod, 'status.podIP')
  const containers = valueAt(pod, 'spec.containers')
  if (typeof ip !== 'string' || !Array.isArray(containers)) return []
  const ports = containers.filter(isObject).flatMap((container) => (Array.isArray(container.ports) ? container.ports.filter(isObject) : []))
  return ports.flatMap(({ containerPort }) => (typeof containerPort === 'number' ? [{ ip, port: containerPort }] : []))
}
