import { endpointSlices, ingresses, services, type EndpointSlice, type Service } from '#playground/controllers/kinds.ts'
import type { TypedObjects } from '#playground/controllers/typed-objects.ts'
import type { DnsAnswer, DnsRecord } from './dns-message.ts'

const zone = '.svc.cluster.local'

/**
 * What a cluster's name server knows: Services by the specification of Kubernetes' DNS (`<service>.<namespace>.svc.cluster.local`, SRV records of named
 * ports, the pods of headless ones), and the hosts of Ingresses, as an external-dns would publish them, at the entrance.
 */
export function answerFor(name: string, objects: TypedObjects, entrance: string): DnsAnswer {
  if (name === 'cluster.local' || name.endsWith('.cluster.local')) return inCluster(name, objects)
  const hosts = objects.list(ingresses).flatMap(({ spec }) => spec.rules?.flatMap(({ host }) => host?.toLowerCase() ?? []) ?? [])
  const parent = name.slice(name.indexOf('.'))
  if (hosts.some((host) => host === name || host === `*${parent}`)) return [{ type: 'A', address: entrance }]
  // A name beside one that is known is not there; what belongs to others is theirs to tell.
  return hosts.some((host) => host.endsWith(parent)) ? 'no-such-name' : 'refused'
}

function inCluster(name: string, objects: TypedObjects): DnsAnswer {
  if (!name.endsWith(zone)) return 'no-such-name'
  const [namespace, service, ...before] = name.slice(0, -zone.length).split('.').toReversed()
  const found = namespace === undefined || service === undefined ? undefined : objects.get(services, namespace, service)
  if (found === undefined) return 'no-such-name'
  const { spec } = found
  if (spec.type === 'ExternalName') return before.length === 0 && typeof spec.externalName === 'string' ? [{ type: 'CNAME', name: spec.externalName }] : 'no-such-name'
  const headless = spec.clusterIP === 'None'
  const pods = headless ? endpointsOf(found, objects) : []
  if (before.length === 0) return headless ? addresses(pods.map(({ ip }) => ip)) : addresses([spec.clusterIP ?? ''])
  const [second, first] = before
  if (before.length === 1) {
    const own = pods.filter(({ hostname, ip }) => hostname === second || ip.replaceAll('.', '-') === second)
    return own.length === 0 ? 'no-such-name' : addresses(own.map(({ ip }) => ip))
  }
  const port = spec.ports?.find((each) => before.length === 2 && first === `_${each.name ?? ''}` && second === `_${(each.protocol ?? 'TCP').toLowerCase()}`)
  return port === undefined ? 'no-such-name' : [{ type: 'SRV', port: port.port, name: `${service}.${namespace}${zone}` }]
}

const addresses = (all: readonly string[]): DnsRecord[] => all.filter((address) => address !== '').map((address) => ({ type: 'A', address }))

function endpointsOf({ metadata }: Service, objects: TypedObjects): { hostname: string | undefined; ip: string }[] {
  const slices = objects.list(endpointSlices, metadata.namespace).filter((slice: EndpointSlice) => slice.metadata.labels?.['kubernetes.io/service-name'] === metadata.name)
  return slices
    .flatMap(({ endpoints }) => endpoints)
    .filter(({ conditions }) => conditions.ready)
    .flatMap(({ addresses: ips, targetRef }) => ips.map((ip) => ({ hostname: targetRef?.name, ip })))
}
