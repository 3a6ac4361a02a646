import type { JsonObject } from '#lib/json.ts'
import { withCondition } from '#playground/controllers/conditions.ts'
import type { Condition } from '#playground/controllers/kinds.ts'
import { anything, conditions, definitionOf, list, map, object, text, whole } from '#playground/operators/definition-of.ts'
import { simulatedOperator, type Simulated } from './simulation.ts'

/* A SIMULATION of Elastic Cloud on Kubernetes: the definition and the status of github.com/elastic/cloud-on-k8s
   (pkg/apis/elasticsearch/v1/elasticsearch_types.go). No Elasticsearch is run, and nothing else is made. What is true to the real one is what surprises people: it
   writes annotations, and, because it updates the whole object, empty structures into the spec that nobody asked for. */

const operatorVersion = '2.16.0'

const spec = object(
  {
    version: text,
    image: text,
    nodeSets: {
      ...list(object({ name: { type: 'string', maxLength: 23, pattern: '[a-zA-Z0-9-]+' }, count: { type: 'integer' }, config: anything, podTemplate: anything, volumeClaimTemplates: list(anything) }, ['name'])),
      minItems: 1,
    },
    http: anything,
    transport: anything,
    auth: anything,
    updateStrategy: anything,
    podDisruptionBudget: anything,
    secureSettings: list(anything),
    monitoring: anything,
    remoteClusters: list(anything),
    serviceAccountName: text,
    volumeClaimDeletePolicy: { type: 'string', enum: ['DeleteOnScaledownOnly', 'DeleteOnScaledownAndClusterDeletion'] },
    revisionHistoryLimit: whole,
  },
  ['nodeSets', 'version'],
)

const status = object({ availableNodes: whole, version: text, health: text, phase: text, conditions, inProgressOperations: anything, observedGeneration: whole, monitoringAssociationStatus: map(text) })

export const elasticsearch = simulatedOperator({
  definition: definitionOf(
    'elasticsearch.k8s.elastic.co',
    'v1',
    { kind: 'Elasticsearch', plural: 'elasticsearches', singular: 'elasticsearch', shortNames: ['es'], categories: ['elastic'] },
    [
      { name: 'health', type: 'string', jsonPath: '.status.health' },
      { name: 'nodes', type: 'integer', jsonPath: '.status.availableNodes' },
      { name: 'version', type: 'string', jsonPath: '.status.version' },
      { name: 'phase', type: 'string', jsonPath: '.status.phase' },
      { name: 'age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
    ],
    spec,
    status,
  ),
  kind: { group: 'elasticsearch.k8s.elastic.co', version: 'v1', apiVersion: 'elasticsearch.k8s.elastic.co/v1', kind: 'Elasticsearch', plural: 'elasticsearches', namespaced: true },
  what: 'Elasticsearch',
  manager: 'elastic-operator',
  writeBack: ({ metadata, spec: live }) => {
    metadata.annotations = {
      ...metadata.annotations,
      'common.k8s.elastic.co/controller-version': operatorVersion,
      'eck.k8s.elastic.co/orchestration-hints': '{"no_transient_settings":true,"service_accounts":true}',
      'elasticsearch.k8s.elastic.co/cluster-uuid': Buffer.from(metadata.uid.replaceAll('-', ''), 'hex').toString('base64url'),
    }
    const service = { metadata: { creationTimestamp: null }, spec: {} }
    const empty: JsonObject = {
      auth: {},
      http: { service, tls: { certificate: {} } },
      monitoring: { logs: {}, metrics: {} },
      transport: { service, tls: { certificate: {}, certificateAuthorities: {} } },
      updateStrategy: { changeBudget: {} },
    }
    Object.assign(live, beneath(empty, live))
  },
  isSettled: ({ status: live, metadata }) => live?.['observedGeneration'] === metadata.generation && live?.['phase'] === 'Ready',
  workMs: 5_000,
  status: statusOf,
})

/** `over`, with what only `under` has. */
function beneath(under: JsonObject, over: JsonObject): JsonObject {
  const isPart = (value: unknown): value is JsonObject => typeof value === 'object' && value !== null && !Array.isArray(value)
  return Object.fromEntries(
    [...new Set([...Object.keys(over), ...Object.keys(under)])].map((key) => {
      const [below, above] = [under[key], over[key]]
      return [key, isPart(below) && isPart(above) ? beneath(below, above) : (above ?? below ?? null)]
    }),
  )
}

function statusOf({ metadata, spec: wanted, status: before }: Simulated, state: 'working' | 'done', time: string): JsonObject {
  const done = state === 'done'
  const nodes = ((wanted['nodeSets'] ?? []) as { count?: number }[]).reduce((sum, { count = 0 }) => sum + count, 0)
  let all = before?.['conditions'] as Condition[] | undefined
  const word = done ? 'True' : 'False'
  for (const type of ['ReconciliationComplete', 'RunningDesiredVersion', 'ElasticsearchIsReachable']) all = withCondition(all, { type, status: word }, time)
  const none = { lastUpdatedTime: null }
  return {
    ...(done ? { availableNodes: nodes, version: wanted['version'] ?? '' } : { availableNodes: before?.['availableNodes'] ?? 0, ...(before?.['version'] === undefined ? {} : { version: before['version'] }) }),
    conditions: all as unknown as JsonObject[],
    // With one node replicas have no place: yellow, as a real one would be with an index.
    health: done ? (nodes > 1 ? 'green' : 'yellow') : 'unknown',
    inProgressOperations: { downscale: none, upgrade: none, upscale: none },
    observedGeneration: metadata.generation ?? 1,
    phase: done ? 'Ready' : 'ApplyingChanges',
  }
}
