import { isObject, type JsonObject } from '#lib/json.ts'
import type { KubernetesObject } from '#playground/contract.ts'
import { valueAt } from '../paths.ts'
import { age } from './age.ts'
import type { Column } from './column.ts'
import { at, countAt, created, createdAt, joined, listAt, numberAt, selectorText, show, textAt } from './read.ts'

const modes: Readonly<Record<string, string>> = { ReadWriteOnce: 'RWO', ReadOnlyMany: 'ROX', ReadWriteMany: 'RWX', ReadWriteOncePod: 'RWOP' }

const accessModes = (path: string): Column =>
  show('Access Modes', (object) => {
    const value = valueAt(object, path)
    return Array.isArray(value) ? value.map((mode) => modes[String(mode)] ?? String(mode)).join(',') : ''
  })

/** The kinds of the core group. */
export const coreColumns: Readonly<Record<string, readonly Column[]>> = {
  '/ConfigMap': [show('Data', (object) => countAt(object, 'data') + countAt(object, 'binaryData')), created],
  '/Secret': [at('Type', 'type'), show('Data', (object) => countAt(object, 'data')), created],
  '/ServiceAccount': [created],
  '/LimitRange': [createdAt],
  '/ResourceQuota': [show('Request', (object) => quotas(object, 'requests')), show('Limit', (object) => quotas(object, 'limits')), created],
  '/Namespace': [at('Status', 'status.phase', ''), created],
  '/Pod': [
    show('Ready', (object) => {
      const statuses = listAt(object, 'status.containerStatuses')
      return `${statuses.filter((status) => status.ready === true).length}/${listAt(object, 'spec.containers').length}`
    }),
    show('Status', podStatus),
    show('Restarts', restarts),
    created,
    at('IP', 'status.podIP', '<none>', 1),
    at('Node', 'spec.nodeName', '<none>', 1),
    at('Nominated Node', 'status.nominatedNodeName', '<none>', 1),
    show('Readiness Gates', (object) => (countAt(object, 'spec.readinessGates') === 0 ? '<none>' : String(countAt(object, 'spec.readinessGates'))), 1),
  ],
  '/Service': [
    at('Type', 'spec.type'),
    at('Cluster-IP', 'spec.clusterIP'),
    show('External-IP', externalAddress),
    show('Port(s)', (object) =>
      joined(
        listAt(object, 'spec.ports').map(
          (port) => `${String(port.port)}${port.nodePort === undefined ? '' : `:${String(port.nodePort)}`}/${String(port.protocol ?? 'TCP')}`,
        ),
      ),
    ),
    created,
    show('Selector', (object) => selectorText(valueAt(object, 'spec.selector')), 1),
  ],
  '/Endpoints': [show('Endpoints', endpoints), created],
  '/Event': [
    show('Last Seen', (object, now) => age(valueAt(object, 'lastTimestamp') ?? valueAt(object, 'eventTime') ?? object.metadata.creationTimestamp, now)),
    at('Type', 'type', ''),
    at('Reason', 'reason', ''),
    show('Object', (object) => `${textAt(object, 'involvedObject.kind').toLowerCase()}/${textAt(object, 'involvedObject.name')}`),
    at('Subobject', 'involvedObject.fieldPath', '', 1),
    show('Source', (object) => joined([textAt(object, 'source.component') || textAt(object, 'reportingComponent'), textAt(object, 'source.host')], ''), 1),
    show('Message', (object) => textAt(object, 'message').trim()),
    show('First Seen', (object, now) => age(valueAt(object, 'firstTimestamp') ?? object.metadata.creationTimestamp, now), 1),
    at('Count', 'count', 1, 1),
    { ...at('Name', 'metadata.name', '', 1), format: 'name' },
  ],
  '/Node': [
    show('Status', (object) => {
      const ready = listAt(object, 'status.conditions').find((condition) => condition.type === 'Ready')
      const state = ready === undefined ? 'Unknown' : ready.status === 'True' ? 'Ready' : 'NotReady'
      return valueAt(object, 'spec.unschedulable') === true ? `${state},SchedulingDisabled` : state
    }),
    show('Roles', (object) =>
      joined(Object.keys((object.metadata.labels ?? {}) as JsonObject).flatMap((label) => /^node-role\.kubernetes\.io\/(.+)$/.exec(label)?.[1] ?? [])),
    ),
    created,
    at('Version', 'status.nodeInfo.kubeletVersion', ''),
    show('Internal-IP', (object) => String(listAt(object, 'status.addresses').find((address) => address.type === 'InternalIP')?.address ?? '<none>'), 1),
    show('External-IP', (object) => String(listAt(object, 'status.addresses').find((address) => address.type === 'ExternalIP')?.address ?? '<none>'), 1),
    at('OS-Image', 'status.nodeInfo.osImage', '<unknown>', 1),
    at('Kernel-Version', 'status.nodeInfo.kernelVersion', '<unknown>', 1),
    at('Container-Runtime', 'status.nodeInfo.containerRuntimeVersion', '<unknown>', 1),
  ],
  '/PersistentVolumeClaim': [
    show('Status', (object) => (object.metadata.deletionTimestamp === undefined ? textAt(object, 'status.phase') : 'Terminating')),
    at('Volume', 'spec.volumeName', ''),
    at('Capacity', 'status.capacity.storage', ''),
    accessModes('status.accessModes'),
    at('StorageClass', 'spec.storageClassName', ''),
    at('VolumeAttributesClass', 'spec.volumeAttributesClassName', '<unset>'),
    created,
    at('VolumeMode', 'spec.volumeMode', '<unset>', 1),
  ],
  '/PersistentVolume': [
    at('Capacity', 'spec.capacity.storage', ''),
    accessModes('spec.accessModes'),
    at('Reclaim Policy', 'spec.persistentVolumeReclaimPolicy', ''),
    show('Status', (object) => (object.metadata.deletionTimestamp === undefined ? textAt(object, 'status.phase') : 'Terminating')),
    show('Claim', (object) => (isObject(valueAt(object, 'spec.claimRef')) ? `${textAt(object, 'spec.claimRef.namespace')}/${textAt(object, 'spec.claimRef.name')}` : '')),
    at('StorageClass', 'spec.storageClassName', ''),
    at('VolumeAttributesClass', 'spec.volumeAttributesClassName', '<unset>'),
    at('Reason', 'status.reason', ''),
    created,
    at('VolumeMode', 'spec.volumeMode', '<unset>', 1),
  ],
}

function podStatus(object: KubernetesObject): string {
  let shown = textAt(object, 'status.reason') || textAt(object, 'status.phase') || 'Unknown'
  if (listAt(object, 'status.conditions').some(({ type, reason }) => type === 'PodScheduled' && reason === 'SchedulingGated')) shown = 'SchedulingGated'
  const statuses = listAt(object, 'status.containerStatuses')
  for (const status of statuses.toReversed()) {
    const waiting = textAt(status, 'state.waiting.reason')
    const ended = textAt(status, 'state.terminated.reason')
    if (waiting !== '') shown = waiting
    else if (ended !== '') shown = ended
    else if (isObject(valueAt(status, 'state.terminated'))) {
      const signal = numberAt(status, 'state.terminated.signal')
      shown = signal === 0 ? `ExitCode:${numberAt(status, 'state.terminated.exitCode')}` : `Signal:${signal}`
    }
  }
  return object.metadata.deletionTimestamp === undefined ? shown : 'Terminating'
}

function restarts(object: KubernetesObject, now: number): string {
  const statuses = listAt(object, 'status.containerStatuses')
  const count = statuses.reduce((sum, status) => sum + numberAt(status, 'restartCount'), 0)
  const last = statuses
    .map((status) => textAt(status, 'lastState.terminated.finishedAt'))
    .filter((time) => time !== '')
    .sort()
    .at(-1)
  return last === undefined || count === 0 ? String(count) : `${count} (${age(last, now)} ago)`
}

function externalAddress(object: KubernetesObject): string {
  const type = textAt(object, 'spec.type')
  if (type === 'ExternalName') return textAt(object, 'spec.externalName')
  const given = valueAt(object, 'spec.externalIPs')
  const external = Array.isArray(given) ? given.map(String) : []
  if (type !== 'LoadBalancer') return joined(external)
  const assigned = listAt(object, 'status.loadBalancer.ingress').map((ingress) => String(ingress.ip ?? ingress.hostname ?? ''))
  return joined([...assigned, ...external], '<pending>')
}

/** What is used of what is allowed, of limits or of everything else. */
function quotas(object: KubernetesObject, of: 'requests' | 'limits'): string {
  const [hard, used] = ['status.hard', 'status.used'].map((path) => valueAt(object, path))
  if (!isObject(hard)) return ''
  const names = Object.keys(hard).filter((name) => name.startsWith('limits.') === (of === 'limits'))
  return names.sort().map((name) => `${name}: ${String(isObject(used) ? (used[name] ?? 0) : 0)}/${String(hard[name])}`).join(', ')
}

function endpoints(object: KubernetesObject): string {
  const all = listAt(object, 'subsets').flatMap((subset) =>
    listAt(subset, 'addresses').flatMap((address) => listAt(subset, 'ports').map((port) => `${String(address.ip)}:${String(port.port)}`)),
  )
  return all.length > 3 ? `${all.slice(0, 3).join(',')} + ${all.length - 3} more...` : joined(all)
}
