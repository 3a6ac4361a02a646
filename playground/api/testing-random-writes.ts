import { createHash } from 'node:crypto'
import { canonicalJson, isObject, type Json, type JsonObject } from '#lib/json.ts'
import { randomOf, sampleSchema } from '#playground/fields/testing/random-config.ts'
import { type Subject, subjects } from './testing-subjects.ts'

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

/** Ten writes of three managers to one object: applies, updates, patches and deletions. The same seed gives the same writes. */
export function randomRequests(subject: Subject, seed: number): RandomRequest[] {
  const random = randomOf(seed * 104_729 + 7)
  return Array.from({ length: 10 }, () => {
    const manager = `fieldManager=m${random(3)}`
    const which = random(subject.deleted === 'at once' ? 12 : 11)
    const body = subject.config(random)
    if (which < 6) return { method: 'PATCH', type: 'application/apply-patch+yaml', query: `${manager}&force=${random(3) === 0}`, body }
    if (which < 8) return { method: 'PUT', type: 'application/json', query: manager, body }
    if (which < 10) return { method: 'PATCH', type: subject.patches[random(subject.patches.length)] ?? '', query: manager, body }
    if (which < 11) {
      const label = `/metadata/labels/n${random(3)}`
      const operation: JsonObject = random(2) === 0 ? { op: 'add', path: label, value: 'patched' } : { op: 'remove', path: label }
      return { method: 'PATCH', type: 'application/json-patch+json', query: manager, body: [operation] }
    }
    return { method: 'DELETE', type: 'application/json', query: '', body: {} }
  })
}

const seedsFrom = (first: number, count: number): number[] => Array.from({ length: count }, (_, i) => first + i)
const whole: Readonly<Record<string, number>> = { 'a custom resource': 6, 'a ConfigMap': 2, 'a Role': 1, 'a Secret': 1, 'a Service': 1 }

/** The seeds whose answers by a real server are kept whole. */
export const recordedWhole = (subject: string): number[] => seedsFrom(1_000, whole[subject] ?? 0)
/** The seeds whose answers by a real server are kept as digests. */
export const recordedDigests = (subject: string): number[] => seedsFrom(2_000, subject === 'a custom resource' ? 60 : 20)

/** What `record-writes.ts` writes down, by subject. */
export type RecordedWrites = Readonly<Record<string, { readonly answers: readonly (readonly Json[])[]; readonly digests: readonly string[] }>>

/** Takes away what a seed before left, also where a controller would hold it. */
export async function cleared(ask: Asked, path: string): Promise<void> {
  while ((await ask('DELETE', path)).status !== 404) await ask('PATCH', path, { metadata: { finalizers: null } }, { 'content-type': 'application/merge-patch+json' })
}

/** What a server answers to a seed's writes to one object of a namespace, which is not there at first. */
export async function answersTo(ask: Asked, name: string, seed: number, namespace: string): Promise<Json[]> {
  const subject = subjects[name]
  if (subject === undefined) throw new Error(name)
  const all: Json[] = []
  for (const request of randomRequests(subject, seed)) all.push({ request: request as unknown as Json, answer: await answerTo(ask, subject.path(namespace), request) })
  return all
}

export const digestOfAnswers = (answers: readonly Json[]): string => createHash('sha256').update(canonicalJson(answers as Json)).digest('hex').slice(0, 16)

/** What a write was answered, and what there is then, but for what differs between two servers that agree: identities, versions, times, addresses, and what controllers write. */
export async function answerTo(ask: Asked, path: string, { method, type, query, body }: RandomRequest): Promise<Json> {
  const write = async (): Promise<number> => {
    let sent = body
    if (method === 'PUT' && !Array.isArray(body)) {
      const { metadata } = (await ask('GET', path)).body as { metadata?: JsonObject }
      const before = isObject(metadata) && metadata.resourceVersion !== undefined ? { resourceVersion: metadata.resourceVersion } : {}
      sent = { ...body, metadata: { ...((body as JsonObject).metadata as JsonObject), ...before } }
    }
    return (await ask(method, `${path}?${query}`, sent as Json, { 'content-type': type })).status
  }
  let status = await write()
  // A controller of a real cluster has written its status in between.
  while (method === 'PUT' && status === 409) status = await write()
  const { status: found, body: object } = await ask('GET', path)
  return { status, object: found === 200 ? comparable(withoutUid(object)) : null }
}

/** A Job's labels and selector name its uid. */
function withoutUid(object: JsonObject): JsonObject {
  const uid = isObject(object.metadata) ? object.metadata.uid : undefined
  return typeof uid === 'string' ? (JSON.parse(JSON.stringify(object).replaceAll(uid, 'its uid')) as JsonObject) : object
}

function comparable(object: JsonObject): Json {
  const { status: _status, metadata, ...rest } = object
  const { uid: _uid, resourceVersion: _version, creationTimestamp: _created, namespace: _namespace, managedFields, finalizers: _finalizers, ...kept } = isObject(metadata) ? metadata : {}
  const entries = (Array.isArray(managedFields) ? managedFields : []).filter(isObject)
  const managers = entries.filter(({ manager, subresource }) => subresource !== 'status' && manager !== 'kube-controller-manager').map(({ time: _time, ...entry }) => entry)
  const keyOf = ({ manager, operation, subresource = '' }: JsonObject): string => `${String(manager)}/${String(operation)}/${String(subresource)}`
  const { clusterIP: _address, clusterIPs: _addresses, ...spec } = isObject(rest.spec) ? rest.spec : {}
  return { ...rest, ...(rest.spec === undefined ? {} : { spec }), metadata: kept, managers: managers.sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1)) }
}
