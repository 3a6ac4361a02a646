import type { JsonObject } from '#lib/json.ts'
import { anything, definitionOf, flag, list, map, object, text, texts, whole } from '#playground/operators/definition-of.ts'
import { simulatedOperator } from './simulation.ts'

/* A SIMULATION of Zalando's postgres-operator: the definition and the status of github.com/zalando/postgres-operator
   (pkg/apis/acid.zalan.do/v1/postgresql_type.go, docs/reference/cluster_manifest.md). No PostgreSQL is run, no StatefulSet, Service or Secret made.
   The real operator never writes to the spec (its definition defaults parts of it), but to metadata: a finalizer, as an installation with
   `enable_finalizers` has it (pkg/cluster/cluster.go), and when a major upgrade was made (pkg/cluster/majorversionupgrade.go). */

/** As the definition defaults them, deep in the shapes of the core API. */
const named = { ...object({ name: { type: 'string', default: '' }, key: text, optional: flag }), 'x-kubernetes-map-type': 'atomic' as const }
const env = list(object({ name: text, value: text, valueFrom: object({ configMapKeyRef: named, secretKeyRef: named, fieldRef: anything, resourceFieldRef: anything }) }, ['name']))
const ports = {
  ...list(object({ name: text, containerPort: whole, hostPort: whole, hostIP: text, protocol: { type: 'string', default: 'TCP' } }, ['containerPort'])),
  'x-kubernetes-list-type': 'map' as const,
  'x-kubernetes-list-map-keys': ['containerPort', 'protocol'],
}

const spec = object(
  {
    teamId: text,
    numberOfInstances: { type: 'integer', minimum: 0 },
    postgresql: object({ version: { type: 'string', enum: ['13', '14', '15', '16', '17', '18'] }, parameters: map(text) }, ['version']),
    volume: object({ size: text, storageClass: text, iops: whole, throughput: whole }, ['size']),
    users: map({ ...list(text), nullable: true }),
    databases: map(text),
    preparedDatabases: map(anything),
    resources: anything,
    patroni: anything,
    enableConnectionPooler: flag,
    enableReplicaConnectionPooler: flag,
    connectionPooler: anything,
    enableMasterLoadBalancer: flag,
    enableReplicaLoadBalancer: flag,
    enableLogicalBackup: flag,
    logicalBackupSchedule: text,
    allowedSourceRanges: texts,
    maintenanceWindows: texts,
    dockerImage: text,
    clone: anything,
    standby: anything,
    sidecars: list(object({ name: text, image: text, resources: anything, ports, env, command: texts }, ['name'])),
    env,
    tls: anything,
    podAnnotations: map(text),
    serviceAnnotations: map(text),
    nodeAffinity: anything,
    tolerations: list(anything),
  },
  ['numberOfInstances', 'teamId', 'postgresql', 'volume'],
)

export const zalandoPostgres = simulatedOperator({
  definition: definitionOf(
    'acid.zalan.do',
    'v1',
    { kind: 'postgresql', plural: 'postgresqls', singular: 'postgresql', shortNames: ['pg'], categories: ['all'] },
    [
      { name: 'Team', type: 'string', jsonPath: '.spec.teamId' },
      { name: 'Version', type: 'string', jsonPath: '.spec.postgresql.version' },
      { name: 'Pods', type: 'integer', jsonPath: '.spec.numberOfInstances' },
      { name: 'Volume', type: 'string', jsonPath: '.spec.volume.size' },
      { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
      { name: 'Status', type: 'string', jsonPath: '.status.PostgresClusterStatus' },
    ],
    spec,
    object({ PostgresClusterStatus: text }),
  ),
  kind: { group: 'acid.zalan.do', version: 'v1', apiVersion: 'acid.zalan.do/v1', kind: 'postgresql', plural: 'postgresqls', namespaced: true },
  what: 'PostgreSQL',
  manager: 'postgres-operator',
  finalizer: 'postgres-operator.acid.zalan.do',
  whenDone: ({ metadata, spec: live }, before, time) => {
    if (majorOf(live) > majorOf(before)) metadata.annotations = { ...metadata.annotations, 'last-major-upgrade-success': time }
  },
  isSettled: ({ status }) => status?.['PostgresClusterStatus'] === 'Running',
  workMs: 3_000,
  status: ({ status }, state) => {
    const first = status?.['PostgresClusterStatus'] === undefined || status['PostgresClusterStatus'] === 'Creating'
    return { PostgresClusterStatus: state === 'done' ? 'Running' : first ? 'Creating' : 'Updating' }
  },
})

const majorOf = (live: JsonObject): number => Number((live['postgresql'] as { version?: string } | undefined)?.version)
