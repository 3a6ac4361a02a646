import type { JsonObject } from '#lib/json.ts'
import { anything, conditions, definitionOf, list, object, text, whole } from '#playground/operators/definition-of.ts'
import { simulatedOperator, type Simulated } from './simulation.ts'

/* A SIMULATION of Strimzi's cluster operator: the definition and the status of github.com/strimzi/strimzi-kafka-operator
   (io.strimzi.api.kafka.model.kafka.KafkaStatus). No Kafka is run, and nothing else is made. The real operator
   writes nothing back to spec or metadata: it updates the status alone (KafkaAssemblyOperator.updateStatus). */

const operatorVersion = '0.45.0'
const kafkaVersion = '3.9.0'

const listener = object(
  { name: text, port: { type: 'integer', minimum: 9092 }, type: { type: 'string', enum: ['internal', 'route', 'loadbalancer', 'nodeport', 'ingress', 'cluster-ip'] }, tls: { type: 'boolean', default: false }, authentication: anything, configuration: anything },
  ['name', 'port', 'type', 'tls'],
)

const spec = object(
  {
    kafka: object(
      { version: text, metadataVersion: text, replicas: { type: 'integer', minimum: 1 }, image: text, config: anything, storage: anything, listeners: { ...list(listener), minItems: 1 }, authorization: anything, resources: anything, rack: anything, jvmOptions: anything, metricsConfig: anything, logging: anything, template: anything },
      ['listeners'],
    ),
    zookeeper: anything,
    entityOperator: anything,
    cruiseControl: anything,
    kafkaExporter: anything,
    clusterCa: anything,
    clientsCa: anything,
    maintenanceTimeWindows: list(text),
  },
  ['kafka'],
)

const status = object({
  conditions,
  observedGeneration: whole,
  listeners: list(object({ name: text, addresses: list(object({ host: text, port: whole })), bootstrapServers: text, certificates: list(text) })),
  kafkaNodePools: list(object({ name: text })),
  clusterId: text,
  operatorLastSuccessfulVersion: text,
  kafkaVersion: text,
  kafkaMetadataVersion: text,
  kafkaMetadataState: text,
})

export const kafka = simulatedOperator({
  definition: definitionOf(
    'kafka.strimzi.io',
    'v1beta2',
    { kind: 'Kafka', plural: 'kafkas', singular: 'kafka', shortNames: ['k'], categories: ['strimzi'] },
    [
      { name: 'Ready', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].status' },
      { name: 'Metadata State', type: 'string', jsonPath: '.status.kafkaMetadataState' },
      { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
    ],
    spec,
    status,
  ),
  kind: { group: 'kafka.strimzi.io', version: 'v1beta2', apiVersion: 'kafka.strimzi.io/v1beta2', kind: 'Kafka', plural: 'kafkas', namespaced: true },
  what: 'Kafka',
  manager: 'strimzi-cluster-operator',
  isSettled: ({ status: live, metadata }) => live?.['observedGeneration'] === metadata.generation && conditionOf(live)?.['type'] === 'Ready',
  workMs: 5_000,
  status: statusOf,
})

function statusOf({ metadata, spec: wanted, status: before }: Simulated, state: 'working' | 'done', time: string): JsonObject {
  // Strimzi has a type for each state: `NotReady` that is True, or `Ready` that is True.
  const next = state === 'done' ? { type: 'Ready', status: 'True' } : { type: 'NotReady', status: 'True', reason: 'Creating', message: 'Kafka cluster is being deployed' }
  const known = conditionOf(before)
  const condition = { ...next, lastTransitionTime: known?.['type'] === next.type ? (known['lastTransitionTime'] as string) : time }
  const base = { ...before, conditions: [condition], observedGeneration: metadata.generation ?? 1 }
  if (state === 'working') return base
  const { version = kafkaVersion, metadataVersion, listeners = [] } = (wanted['kafka'] ?? {}) as { version?: string; metadataVersion?: string; listeners?: { name: string; port: number }[] }
  const host = `${metadata.name}-kafka-bootstrap.${metadata.namespace}.svc`
  return {
    ...base,
    clusterId: Buffer.from(metadata.uid.replaceAll('-', ''), 'hex').toString('base64url'),
    kafkaMetadataState: 'KRaft',
    kafkaMetadataVersion: metadataVersion ?? `${version.split('.').slice(0, 2).join('.')}-IV0`,
    kafkaVersion: version,
    operatorLastSuccessfulVersion: operatorVersion,
    listeners: listeners.map(({ name, port }) => ({ name, addresses: [{ host, port }], bootstrapServers: `${host}:${port}` })),
  }
}

const conditionOf = (status: JsonObject | undefined): JsonObject | undefined => (status?.['conditions'] as JsonObject[] | undefined)?.[0]
