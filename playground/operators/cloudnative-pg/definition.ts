import type { Schema } from '#playground/contract.ts'
import { anything, conditions, definitionOf, flag, list, map, object, text, texts, whole } from '#playground/operators/definition-of.ts'

/* The fields of CloudNativePG's `Cluster` that people use, with the defaults that its definition has (github.com/cloudnative-pg/cloudnative-pg,
   config/crd/bases/postgresql.cnpg.io_clusters.yaml and api/v1/cluster_types.go, 1.30). */

const number = (value: number): Schema => ({ type: 'integer', default: value })
const storage = object({ size: text, storageClass: text, resizeInUseVolumes: { type: 'boolean', default: true }, pvcTemplate: anything })

const spec: Schema = {
  ...object(
    {
      description: text,
      instances: { type: 'integer', minimum: 1, default: 1 },
      imageName: text,
      imageCatalogRef: anything,
      imagePullPolicy: text,
      minSyncReplicas: { ...number(0), minimum: 0 },
      maxSyncReplicas: { ...number(0), minimum: 0 },
      postgresql: object({ parameters: map(text), pg_hba: texts, shared_preload_libraries: texts, synchronous: anything, enableAlterSystem: flag }),
      replicationSlots: {
        ...object({
          highAvailability: { ...object({ enabled: { type: 'boolean', default: true }, slotPrefix: { type: 'string', default: '_cnpg_' } }), default: { enabled: true } },
          synchronizeReplicas: object({ enabled: { type: 'boolean', default: true }, excludePatterns: texts }),
          updateInterval: { ...number(30), minimum: 1 },
        }),
        default: { highAvailability: { enabled: true } },
      },
      bootstrap: object({
        initdb: object({ database: text, owner: text, secret: object({ name: text }, ['name']), encoding: text, localeCollate: text, localeCType: text, postInitSQL: texts, postInitApplicationSQL: texts, dataChecksums: flag, import: anything }),
        recovery: anything,
        pg_basebackup: anything,
      }),
      superuserSecret: object({ name: text }, ['name']),
      enableSuperuserAccess: { type: 'boolean', default: false },
      enablePDB: { type: 'boolean', default: true },
      storage,
      walStorage: storage,
      resources: anything,
      affinity: { ...object({ enablePodAntiAffinity: flag, podAntiAffinityType: text, topologyKey: text, nodeSelector: map(text) }), 'x-kubernetes-preserve-unknown-fields': true },
      primaryUpdateStrategy: { type: 'string', enum: ['unsupervised', 'supervised'], default: 'unsupervised' },
      primaryUpdateMethod: { type: 'string', enum: ['switchover', 'restart'], default: 'restart' },
      startDelay: number(3600),
      stopDelay: number(1800),
      smartShutdownTimeout: number(180),
      switchoverDelay: number(3600),
      failoverDelay: number(0),
      postgresUID: number(26),
      postgresGID: number(26),
      logLevel: { type: 'string', enum: ['error', 'warning', 'info', 'debug', 'trace'], default: 'info' },
      monitoring: {
        ...object({ enablePodMonitor: { type: 'boolean', default: false }, disableDefaultQueries: { type: 'boolean', default: false }, customQueriesConfigMap: list(object({ name: text, key: text }, ['key', 'name'])) }),
        'x-kubernetes-preserve-unknown-fields': true,
      },
      probes: anything,
      backup: anything,
      managed: anything,
      certificates: anything,
      externalClusters: list(anything),
      replica: anything,
      inheritedMetadata: object({ labels: map(text), annotations: map(text) }),
      imagePullSecrets: list(object({ name: text }, ['name'])),
      env: list(anything),
      nodeMaintenanceWindow: anything,
      topologySpreadConstraints: list(anything),
      priorityClassName: text,
      serviceAccountTemplate: anything,
    },
    ['instances'],
  ),
  'x-kubernetes-validations': [{ rule: '!(has(self.imageCatalogRef) && has(self.imageName))', message: 'imageName and imageCatalogRef are mutually exclusive' }],
}

const status = object({
  instances: whole,
  readyInstances: whole,
  instancesStatus: map(texts),
  instancesReportedState: map(object({ isPrimary: flag, timeLineID: whole, ip: text }, ['isPrimary'])),
  instanceNames: texts,
  timelineID: whole,
  latestGeneratedNode: whole,
  currentPrimary: text,
  currentPrimaryTimestamp: text,
  targetPrimary: text,
  targetPrimaryTimestamp: text,
  phase: text,
  phaseReason: text,
  pvcCount: whole,
  healthyPVC: texts,
  initializingPVC: texts,
  writeService: text,
  readService: text,
  image: text,
  topology: object({ instances: map(map(text)), nodesUsed: whole, successfullyExtracted: flag }),
  secretsResourceVersion: anything,
  managedRolesStatus: anything,
  switchReplicaClusterStatus: anything,
  conditions,
})

const columns = [
  { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
  { name: 'Instances', type: 'integer', jsonPath: '.status.instances' },
  { name: 'Ready', type: 'integer', jsonPath: '.status.readyInstances' },
  { name: 'Status', type: 'string', jsonPath: '.status.phase' },
  { name: 'Primary', type: 'string', jsonPath: '.status.currentPrimary' },
]

export const definition = definitionOf('postgresql.cnpg.io', 'v1', { kind: 'Cluster', plural: 'clusters', singular: 'cluster' }, columns, spec, status)
