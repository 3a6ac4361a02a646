import { equalJson } from '#lib/json.ts'
import { controllerOf, isControlledBy, keyOf, manager, placeOf, type ControllerContext } from './controller.ts'
import { endpoints, endpointSlices, pods, services, type Service } from './kinds.ts'
import { ownerReference } from './pods-of.ts'
import { backendsOf, servicesOf, type Backends } from './service-backends.ts'
import type { JsonObject } from '#lib/json.ts'

/** Keeps the EndpointSlices of every Service with a selector, and the older Endpoints beside them. */
export const endpointSliceController = controllerOf('endpointslice', (context) => ({
  reconcile: (key) => reconcile(context, key),
  watches: (queue) => [
    context.objects.watch(services, ({ object }) => queue.add(keyOf(object.metadata))),
    context.objects.watch(pods, ({ object }) => {
      for (const service of servicesOf(context.objects.list(services, object.metadata.namespace), object)) queue.add(keyOf(service.metadata))
    }),
  ],
}))

function reconcile(context: ControllerContext, key: string): undefined {
  const { namespace, name } = placeOf(key)
  const service = context.objects.get(services, namespace, name)
  if (service === undefined || service.metadata.deletionTimestamp !== undefined || service.spec.selector === undefined) return
  const backends = backendsOf(context, service)
  writeSlices(context, service, backends.length === 0 ? [{ ports: [], endpoints: [] }] : backends)
  writeEndpoints(context, service, backends)
}

const labelsOf = (service: Service): Record<string, string> => ({
  ...service.metadata.labels,
  'kubernetes.io/service-name': service.metadata.name,
  'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io',
})

function writeSlices({ objects }: ControllerContext, service: Service, wanted: readonly Backends[]): void {
  const { name, namespace, uid } = service.metadata
  const known = objects.list(endpointSlices, namespace).filter((slice) => isControlledBy(slice.metadata, uid))
  const free = known.filter((slice) => !wanted.some(({ ports }) => equalJson(slice.ports, ports)))
  for (const { ports, endpoints: list } of wanted) {
    const slice = known.find((candidate) => equalJson(candidate.ports, ports)) ?? free.pop()
    if (slice === undefined) {
      const metadata = { generateName: `${name}-`, namespace, labels: labelsOf(service), ownerReferences: [ownerReference(service)] }
      objects.create(endpointSlices, { metadata, addressType: 'IPv4', endpoints: list, ports }, manager)
      continue
    }
    objects.edit(endpointSlices, slice.metadata, 'object', manager, (object) => {
      object.metadata.labels = labelsOf(service)
      object.endpoints = list
      object.ports = ports
    })
  }
  for (const slice of free) objects.delete(endpointSlices, slice.metadata)
}

function writeEndpoints({ objects }: ControllerContext, service: Service, backends: readonly Backends[]): void {
  const { name, namespace } = service.metadata
  const subsets = backends.map(({ ports, endpoints: list }) => {
    const addresses = (ready: boolean): JsonObject[] =>
      list
        .filter(({ conditions }) => conditions.ready === ready && !conditions.terminating)
        .map(({ addresses: [ip], nodeName, targetRef }) => ({ ip, nodeName, targetRef }) as JsonObject)
    const [ready, notReady] = [addresses(true), addresses(false)]
    return { ...(ready.length > 0 ? { addresses: ready } : {}), ...(notReady.length > 0 ? { notReadyAddresses: notReady } : {}), ports: ports.map((port) => (port.name === '' ? { port: port.port, protocol: port.protocol } : port)) }
  })
  const filled = subsets.filter((subset) => 'addresses' in subset || 'notReadyAddresses' in subset) as JsonObject[]
  const labels = { ...service.metadata.labels, 'endpoints.kubernetes.io/managed-by': 'endpoint-controller' }
  const edited = objects.edit(endpoints, { namespace, name }, 'object', manager, (object) => {
    if (filled.length === 0) delete object.subsets
    else object.subsets = filled
  })
  if (edited !== undefined) return
  // Endpoints have no owner in Kubernetes; here they do, so that a deleted Service takes them along.
  objects.create(endpoints, { metadata: { name, namespace, labels, ownerReferences: [ownerReference(service)] }, ...(filled.length > 0 ? { subsets: filled } : {}) }, manager)
}
