import type { JsonObject } from '#lib/json.ts'
import type { Condition, Stored } from '#playground/controllers/kinds.ts'
import type { Kind } from '#playground/controllers/typed-objects.ts'

export type ClusterSpec = JsonObject & {
  instances: number
  imageName?: string
  bootstrap?: { initdb?: { database?: string; owner?: string; secret?: { name: string } } & JsonObject; recovery?: JsonObject; pg_basebackup?: JsonObject }
  storage?: { size?: string } & JsonObject
}

export type ClusterStatus = JsonObject & { currentPrimaryTimestamp?: string; targetPrimaryTimestamp?: string; latestGeneratedNode?: number; conditions?: Condition[] }

export type PostgresCluster = Stored<ClusterSpec, ClusterStatus>

export const postgresClusters: Kind<PostgresCluster> = {
  group: 'postgresql.cnpg.io',
  version: 'v1',
  apiVersion: 'postgresql.cnpg.io/v1',
  kind: 'Cluster',
  plural: 'clusters',
  namespaced: true,
}
