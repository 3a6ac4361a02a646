import type { JsonObject } from '#lib/json.ts'
import { isWithin, readPath } from './field-path.ts'
import type { DeclaredField } from './plan.ts'
import { parseKey, type ObjectKey } from './resource.ts'

/**
 * Kinds whose objects hold data, or whose operator deletes the data with them, as `<group>/<kind>`. Deleting one needs a person who names it.
 * A StatefulSet is not among them: its claims survive it, unless it says otherwise.
 */
const stateful: ReadonlySet<string> = new Set([
  'core/PersistentVolume',
  'core/PersistentVolumeClaim',
  'snapshot.storage.k8s.io/VolumeSnapshot',
  'snapshot.storage.k8s.io/VolumeSnapshotContent',
  'acid.zalan.do/postgresql',
  'postgresql.cnpg.io/Cluster',
  'postgresql.cnpg.io/Database',
  'postgres-operator.crunchydata.com/PostgresCluster',
  'mysql.oracle.com/InnoDBCluster',
  'pxc.percona.com/PerconaXtraDBCluster',
  'psmdb.percona.com/PerconaServerMongoDB',
  'k8s.mariadb.com/MariaDB',
  'k8s.mariadb.com/Database',
  'mongodbcommunity.mongodb.com/MongoDBCommunity',
  'cassandra.datastax.com/CassandraDatacenter',
  'scylla.scylladb.com/ScyllaCluster',
  'elasticsearch.k8s.elastic.co/Elasticsearch',
  'opensearch.opster.io/OpenSearchCluster',
  'clickhouse.altinity.com/ClickHouseInstallation',
  'redis.redis.opstreelabs.in/Redis',
  'redis.redis.opstreelabs.in/RedisCluster',
  'rabbitmq.com/RabbitmqCluster',
  'rabbitmq.com/Queue',
  'kafka.strimzi.io/Kafka',
  'kafka.strimzi.io/KafkaTopic',
  'minio.min.io/Tenant',
  'ceph.rook.io/CephCluster',
  'ceph.rook.io/CephBlockPool',
  'ceph.rook.io/CephFilesystem',
])

/** Whether deleting the object deletes data. `live` is the live object, where there is one. */
export function holdsState(key: ObjectKey, live?: JsonObject): boolean {
  const { group, kind } = parseKey(key)
  if (group === 'apps' && kind === 'StatefulSet') return readPath(live, 'spec.persistentVolumeClaimRetentionPolicy.whenDeleted') === 'Delete'
  return stateful.has(`${group === '' ? 'core' : group}/${kind}`)
}

const claimPolicy = 'spec.persistentVolumeClaimRetentionPolicy'

/**
 * Whether making an object as declared again may delete data: it holds some itself; or it is a StatefulSet that deletes claims when it goes or is scaled down, as
 * it is or as it was declared (a revert may bring that very policy back).
 */
export function revertMayLoseState(key: ObjectKey, declared: readonly DeclaredField[], live: JsonObject | undefined): boolean {
  if (holdsState(key, live)) return true
  const { group, kind } = parseKey(key)
  if (group !== 'apps' || kind !== 'StatefulSet') return false
  const policies = [readPath(live, claimPolicy), ...declared.flatMap(({ path, git }) => (isWithin(path, claimPolicy) ? [git] : []))]
  return policies.some((policy) => JSON.stringify(policy)?.includes('"Delete"') === true)
}
