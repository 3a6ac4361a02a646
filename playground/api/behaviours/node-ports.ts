import { randomInt } from 'node:crypto'
import { equalJson, isObject, type Json, type JsonObject } from '#lib/json.ts'
import type { KubernetesObject } from '#playground/contract.ts'
import type { Backend } from '../backend.ts'
import { invalid } from '../status.ts'
import { invalidValue } from './immutable.ts'

/* The ports of the nodes that a Service of type NodePort or LoadBalancer has. Source: kubernetes `pkg/registry/core/service/storage`; words of a kube-apiserver 1.36.3. */

const first = 30_000
const last = 32_767
const firstOwn = 30_086 // below are those that people choose: the server takes them last

export const specOf = (object: KubernetesObject): JsonObject => (isObject(object.spec) ? object.spec : {})
const portsOf = (object: KubernetesObject): JsonObject[] => (Array.isArray(specOf(object).ports) ? (specOf(object).ports as Json[]).filter(isObject) : [])
const keyOf = (nodePort: Json | undefined, protocol: Json | undefined): string => `${String(nodePort)}/${String(protocol ?? 'TCP')}`

const isReachable = ({ type }: JsonObject): boolean => type === 'NodePort' || type === 'LoadBalancer'
const wantsNodePorts = (spec: JsonObject): boolean => spec.type === 'NodePort' || (spec.type === 'LoadBalancer' && spec.allocateLoadBalancerNodePorts !== false)
const wantsHealthCheck = ({ type, externalTrafficPolicy }: JsonObject): boolean => type === 'LoadBalancer' && externalTrafficPolicy === 'Local'

/** Gives a valid Service the ports that it lacks. Throws 422 where one that it names is another's, or none of a node's. */
export function takeNodePorts(service: KubernetesObject, backend: Backend): void {
  const spec = specOf(service)
  if (!isReachable(spec)) return
  const taken = takenByOthers(service, backend)
  const chosen = new Map<Json | undefined, number>() // one for all protocols of a port
  const take = (protocol: Json | undefined, wish?: number): number => {
    const isFree = (port: number): boolean => !taken.has(keyOf(port, protocol))
    const port = wish !== undefined && isFree(wish) ? wish : freePort(isFree)
    taken.add(keyOf(port, protocol))
    return port
  }
  for (const [i, port] of portsOf(service).entries()) if (typeof port.nodePort === 'number') claim(service, taken, port, i)
  if (wantsNodePorts(spec)) {
    spec.ports = portsOf(service).map((port) => {
      const nodePort = typeof port.nodePort === 'number' ? port.nodePort : take(port.protocol, chosen.get(port.port))
      chosen.set(port.port, nodePort)
      return { ...port, nodePort }
    })
  }
  if (wantsHealthCheck(spec)) spec.healthCheckNodePort ??= take('TCP')
}

/** What a changed Service says nothing of it keeps, port by port as they are named; what its new type does not have it loses, unless that was changed too. */
export function keepNodePorts(service: KubernetesObject, live: KubernetesObject): void {
  const [spec, before] = [specOf(service), specOf(live)]
  const nodePorts = (object: KubernetesObject): Json[] => portsOf(object).map(({ nodePort }) => nodePort ?? null)
  if (wantsNodePorts(spec) && wantsNodePorts(before)) {
    const used = new Set(nodePorts(service).filter((port) => nodePorts(live).includes(port)))
    const byName = new Map(portsOf(live).map(({ name, nodePort }) => [name, nodePort]))
    spec.ports = portsOf(service).map((port) => {
      const was = byName.get(port.name)
      if (port.nodePort !== undefined || was === undefined || used.has(was)) return port
      used.add(was)
      return { ...port, nodePort: was }
    })
  } else if (wantsNodePorts(before) && equalJson(nodePorts(service), nodePorts(live))) spec.ports = portsOf(service).map(({ nodePort: _nodePort, ...port }) => port)
  if (wantsHealthCheck(spec) && before.healthCheckNodePort !== undefined) spec.healthCheckNodePort ??= before.healthCheckNodePort
  const lose = (name: string, has: (of: JsonObject) => boolean): void => {
    if (has(before) && !has(spec) && equalJson(spec[name] ?? null, before[name] ?? null)) delete spec[name]
  }
  lose('healthCheckNodePort', wantsHealthCheck)
  lose('allocateLoadBalancerNodePorts', ({ type }) => type === 'LoadBalancer')
  lose('externalTrafficPolicy', isReachable)
}

function takenByOthers({ metadata }: KubernetesObject, { storage }: Backend): Set<string> {
  const others = storage.list('/services').filter((other) => other.metadata.namespace !== metadata.namespace || other.metadata.name !== metadata.name)
  return new Set(
    others.flatMap((other) => {
      const health = specOf(other).healthCheckNodePort
      return [...portsOf(other).flatMap(({ nodePort, protocol }) => (nodePort === undefined ? [] : [keyOf(nodePort, protocol)])), ...(health === undefined ? [] : [keyOf(health, 'TCP')])]
    }),
  )
}

function claim({ metadata }: KubernetesObject, taken: Set<string>, { nodePort, protocol }: JsonObject, i: number): void {
  const refuse = (why: string): never => {
    throw invalid({ group: '', kind: 'Service' }, metadata.name ?? '', [invalidValue(`spec.ports[${i}].nodePort`, nodePort, why)])
  }
  if (Number(nodePort) < first || Number(nodePort) > last) refuse(`provided port is not in the valid range. The range of valid ports is ${first}-${last}`)
  if (taken.has(keyOf(nodePort, protocol))) refuse('provided port is already allocated')
  taken.add(keyOf(nodePort, protocol))
}

function freePort(isFree: (port: number) => boolean): number {
  const start = randomInt(firstOwn, last + 1)
  for (let step = 0; step <= last - first; step += 1) {
    const port = first + ((start - first + step) % (last - first + 1))
    if (isFree(port)) return port
  }
  throw invalid({ group: '', kind: 'Service' }, '', [{ reason: 'InternalError', message: 'Internal error: failed to allocate a nodePort: range is full', field: 'spec.ports[0].nodePort' }])
}
