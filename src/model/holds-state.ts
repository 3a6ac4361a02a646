import type { JsonObject } from '#lib/json.ts'
import { readPath } from './field-path.ts'
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
