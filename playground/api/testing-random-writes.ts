import { createHash } from 'node:crypto'
import { canonicalJson, isObject, type Json, type JsonObject } from '#lib/json.ts'
import { randomConfig, randomOf, sampleSchema, withWholes } from '#playground/fields/testing/random-config.ts'

/** A server that can be asked: an `Ask`, or a real cluster's. */
export type Asked = (method: string, path: string, body?: Json, headers?: Readonly<Record<string, string>>) => Promise<{ readonly status: number; readonly body: JsonObject }>

export type RandomRequest = {
  readonly method: 'PATCH' | 'PUT' | 'DELETE'
  readonly type: string
  readonly query: string
  readonly body: JsonObject | readonly JsonObject[]
}

/** The definition of `random-config.ts`'s objects, with a status. */
export const sampleDefinition: JsonObject = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'samples.example.dev' },
  spec: {
    group: 'example.dev',
    scope: 'Namespaced',
    names: { plural: 'samples', kind: 'Sample' },
    versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object', properties: { spec: sampleSchema.properties?.spec as Json } } } }],
  },
}

type Subject = { readonly path: (namespace: string) => string; readonly config: (random: (below: number) => number) => JsonObject; readonly patches: readonly string[] }

const merge = 'application/merge-patch+json'
const strategic = 'application/strategic-merge-patch+json'

/** What is written to: a custom resource with one of each way to merge, and two built-in kinds that no controller of a real cluster changes. */
export const subjects: Readonly<Record<string, Subject>> = {
  'a custom resource': {
    path: (namespace) => `/apis/example.dev/v1/namespaces/${namespace}/samples/s`,
    config: (random) => withWholes(randomConfig(random, 'n', ['a', 'b', 'c']), random),
    patches: [merge],
  },
  'a ConfigMap': {
    path: (namespace) => `/api/v1/namespaces/${namespace}/configmaps/s`,
    config: (random) => {
      const { spec, metadata } = randomConfig(random, 'n', ['a', 'b', 'c'])
      return { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: isObject(spec) && isObject(spec.labels) ? spec.labels : {} }
    },
    patches: [merge, strategic],
  },
  'a suspended CronJob': {
    path: (namespace) => `/apis/batch/v1/namespaces/${namespace}/cronjobs/s`,
    config: (random) => {
      const some = <T>(all: readonly T[]): T[] => all.filter(() => random(2) === 0)
      const env = some(['A', 'B', 'C']).map((name) => ({ name, value: `${random(3)}` }))
      const ports = some([80, 81]).map((containerPort) => ({ containerPort, ...(random(2) === 0 ? { name: `p${containerPort}` } : {}) }))
      const containers = [{ name: 'main', image: `app:${random(3)}`, env, ports }, ...(random(3) === 0 ? [{ name: 'side', image: 'side:1' }] : [])]
      const spec = { schedule: `${random(3)} 0 1 1 *`, suspend: true, jobTemplate: { spec: { template: { spec: { restartPolicy: 'Never', containers } } } } }
      return { apiVersion: 'batch/v1', kind: 'CronJob', metadata: randomConfig(random, 'n', []).metadata, spec }
    },
    patches: [merge, strategic],
  },
}

/** Ten writes of three managers to one object: applies, updates, patches and deletions. The same seed gives the same writes. */
export function randomRequests(subject: Subject, seed: number): RandomRequest[] {
  const random = randomOf(seed * 104_729 + 7)
  return Array.from({ length: 10 }, () => {
    const manager = `fieldManager=m${random(3)}`
    const which = random(12)
    const body = subject.config(random)
    if (which < 6) return { method: 'PATCH', type: 'application/apply-patch+yaml', query: `${manager}&force=${random(3) === 0}`, body }
    if (which < 8) return { method: 'PUT', type: 'application/json', query: manager, body }
    if (which < 10) return { method: 'PATCH', type: subject.patches[random(subject.patches.length)] ?? merge, query: manager, body }
    if (which < 11) {
      const label = `/metadata/labels/n${random(3)}`
      const operation: JsonObject = random(2) === 0 ? { op: 'add', path: label, value: 'patched' } : { op: 'remove', path: label }
      return { method: 'PATCH', type: 'application/json-patch+json', query: manager, body: [operation] }
    }
    return { method: 'DELETE', type: 'application/json', query: '', body: {} }
  })
}

const seedsFrom = (first: number, count: number): number[] => Array.from({ length: count }, (_, i) => first + i)
/** The seeds whose answers by a real server are kept, whole and as digests. */
export const recordedWhole = seedsFrom(1_000, 6)
export const recordedDigests = seedsFrom(2_000, 60)

/** What a server answers to a seed's writes to one object of a namespace, which is not there at first. */
export async function answersTo(ask: Asked, name: string, seed: number, namespace: string): Promise<Json[]> {
  const subject = subjects[name]
  if (subject === undefined) throw new Error(name)
  const all: Json[] = []
  for (const request of randomRequests(subject, seed)) all.push({ request: request as unknown as Json, answer: await answerTo(ask, subject.path(namespace), request) })
  return all
}

export const digestOfAnswers = (answers: readonly Json[]): string => createHash('sha256').update(canonicalJson(answers as Json)).digest('hex').slice(0, 16)

/** What a write was answered, and what there is then, but for what differs between two servers that agree: identities, versions, times, status. */
export async function answerTo(ask: Asked, path: string, { method, type, query, body }: RandomRequest): Promise<Json> {
  let sent = body
  if (method === 'PUT' && !Array.isArray(body)) {
    const { metadata } = (await ask('GET', path)).body as { metadata?: JsonObject }
    const before = isObject(metadata) && metadata.resourceVersion !== undefined ? { resourceVersion: metadata.resourceVersion } : {}
    sent = { ...body, metadata: { ...((body as JsonObject).metadata as JsonObject), ...before } }
  }
  const { status } = await ask(method, `${path}?${query}`, sent as Json, { 'content-type': type })
  const { status: found, body: object } = await ask('GET', path)
  return { status, object: found === 200 ? comparable(object) : null }
}

function comparable(object: JsonObject): Json {
  const { status: _status, metadata, ...rest } = object
  const { uid: _uid, resourceVersion: _version, creationTimestamp: _created, namespace: _namespace, managedFields, ...kept } = isObject(metadata) ? metadata : {}
  const managers = (Array.isArray(managedFields) ? managedFields : []).filter(isObject).map(({ time: _time, ...entry }) => entry)
  const keyOf = ({ manager, operation, subresource = '' }: JsonObject): string => `${String(manager)}/${String(operation)}/${String(subresource)}`
  return { ...rest, metadata: kept, managers: managers.sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1)) }
}
