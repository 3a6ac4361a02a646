import type { JsonObject } from '#lib/json.ts'
import type { ClusterSpec } from './kind.ts'

/** Of CloudNativePG 1.30 (pkg/versions/versions.go). */
const defaultImage = 'ghcr.io/cloudnative-pg/postgresql:18.6-system-trixie'

/** What its defaulting adds to `postgresql.parameters` (pkg/postgres/configuration.go), beside what the user says; fixed ones (`ssl`, `port`) are not written. */
const parameters = {
  archive_mode: 'on',
  archive_timeout: '5min',
  dynamic_shared_memory_type: 'posix',
  full_page_writes: 'on',
  log_destination: 'csvlog',
  log_directory: '/controller/log',
  log_filename: 'postgres',
  log_rotation_age: '0',
  log_rotation_size: '0',
  log_truncate_on_rotation: 'false',
  logging_collector: 'on',
  max_parallel_workers: '32',
  max_replication_slots: '32',
  max_worker_processes: '32',
  shared_memory_type: 'mmap',
  shared_preload_libraries: '',
  ssl_max_protocol_version: 'TLSv1.3',
  ssl_min_protocol_version: 'TLSv1.3',
  wal_keep_size: '512MB',
  wal_level: 'logical',
  wal_log_hints: 'on',
  wal_receiver_timeout: '5s',
  wal_sender_timeout: '5s',
}

/**
 * The spec with what CloudNativePG's mutating webhook writes into it (api/v1/cluster_defaults.go), where the user has not said it. What the definition
 * itself defaults is there already. A second time it changes nothing.
 */
export function withDefaults(spec: ClusterSpec): ClusterSpec {
  const initdb = spec.bootstrap?.initdb
  const database = initdb?.database ?? 'app'
  const owner = initdb?.owner ?? database
  const fresh = spec.bootstrap?.recovery === undefined && spec.bootstrap?.pg_basebackup === undefined
  const affinity = part(spec['affinity'])
  const slots = part(spec['replicationSlots'])
  const monitoring = part(spec['monitoring'])
  const queries = { name: 'cnpg-default-monitoring', key: 'queries' }
  const custom = monitoring['customQueriesConfigMap'] as { name: string }[] | undefined
  const isolationCheck = { enabled: true, requestTimeout: 1000, connectionTimeout: 1000 }
  const probes = part(spec['probes'])
  return {
    ...spec,
    ...(spec.imageName === undefined && spec['imageCatalogRef'] === undefined ? { imageName: defaultImage } : {}),
    ...(fresh ? { bootstrap: { ...spec.bootstrap, initdb: { encoding: 'UTF8', localeCollate: 'C', localeCType: 'C', ...initdb, database, owner } } } : {}),
    affinity: affinity['enablePodAntiAffinity'] === false ? affinity : { podAntiAffinityType: 'preferred', ...affinity },
    postgresql: { ...part(spec['postgresql']), parameters: { ...parameters, ...part(part(spec['postgresql'])['parameters']) } },
    monitoring: monitoring['disableDefaultQueries'] === true || custom?.some(({ name }) => name === queries.name) === true ? monitoring : { ...monitoring, customQueriesConfigMap: [queries, ...(custom ?? [])] },
    replicationSlots: { ...slots, highAvailability: { enabled: true, slotPrefix: '_cnpg_', ...part(slots['highAvailability']) }, synchronizeReplicas: { enabled: true, ...part(slots['synchronizeReplicas']) } },
    probes: { ...probes, liveness: { isolationCheck, ...part(probes['liveness']) } },
  } as ClusterSpec
}

const part = (value: unknown): JsonObject => (typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : {})
