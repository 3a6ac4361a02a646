import { anything, definitionOf, flag, list, map, object, text, texts, whole } from '#playground/operators/definition-of.ts'
import { simulatedOperator } from './simulation.ts'

/* A SIMULATION of Zalando's postgres-operator: the definition and the status of github.com/zalando/postgres-operator
   (pkg/apis/acid.zalan.do/v1/postgresql_type.go, docs/reference/cluster_manifest.md). No PostgreSQL is run, no StatefulSet, Service or Secret made. The real
   operator writes nothing back to the spec either. */

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
    sidecars: list(anything),
    env: list(anything),
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
  isSettled: ({ status }) => status?.['PostgresClusterStatus'] === 'Running',
  workMs: 3_000,
  status: ({ status }, state) => {
    const first = status?.['PostgresClusterStatus'] === undefined || status['PostgresClusterStatus'] === 'Creating'
    return { PostgresClusterStatus: state === 'done' ? 'Running' : first ? 'Creating' : 'Updating' }
  },
})
