import type { ControllerContext } from './controller.ts'
import { pods, type Endpoint, type EndpointPort, type Pod, type Service } from './kinds.ts'
import { matchesLabels } from './labels.ts'
import { isFinished, isLeaving, isReady } from './pods-of.ts'

export type Backends = { readonly ports: EndpointPort[]; readonly endpoints: Endpoint[] }

/** The pods behind a Service, by the ports that its target ports come to: pods that name a port differently stand in groups of their own. */
export function backendsOf({ objects }: ControllerContext, service: Service): Backends[] {
  const { selector, ports = [] } = service.spec
  if (selector === undefined || Object.keys(selector).length === 0) return []
  const groups = new Map<string, Backends>()
  const selected = objects.list(pods, service.metadata.namespace).filter((pod) => matchesLabels(selector, pod.metadata.labels))
  for (const pod of selected.sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))) {
    if (pod.status?.podIP === undefined || isFinished(pod)) continue
    const resolved = ports.flatMap((port) => {
      const number = targetOf(pod, port.targetPort ?? port.port)
      return number === undefined ? [] : [{ name: port.name ?? '', port: number, protocol: port.protocol ?? 'TCP' }]
    })
    const key = JSON.stringify(resolved)
    const group = groups.get(key) ?? { ports: resolved, endpoints: [] }
    group.endpoints.push(endpointOf(pod, pod.status.podIP))
    groups.set(key, group)
  }
  return [...groups.values()]
}

function targetOf(pod: Pod, target: number | string): number | undefined {
  if (typeof target === 'number') return target
  return pod.spec.containers.flatMap(({ ports }) => ports ?? []).find(({ name }) => name === target)?.containerPort
}

function endpointOf(pod: Pod, ip: string): Endpoint {
  const { name, namespace, uid } = pod.metadata
  const serving = isReady(pod)
  const terminating = isLeaving(pod)
  return {
    addresses: [ip],
    conditions: { ready: serving && !terminating, serving, terminating },
    ...(pod.spec.nodeName === undefined ? {} : { nodeName: pod.spec.nodeName }),
    targetRef: { kind: 'Pod', namespace, name, uid },
  }
}

/** The Services whose selector takes this pod, as keys. */
export function servicesOf(list: readonly Service[], pod: Pod): Service[] {
  return list.filter(({ spec }) => spec.selector !== undefined && matchesLabels(spec.selector, pod.metadata.labels))
}
