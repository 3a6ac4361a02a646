import { createHash } from 'node:crypto'
import type { JsonObject } from '#lib/json.ts'
import { apiVersionOf, type Kind } from './kinds.ts'
import type { Registry } from './registry.ts'
import { type Answer, type ApiRequest, json, pageNotFound } from './request.ts'

type Document = { readonly kinds: readonly Kind[]; readonly text: string; readonly hash: string }

/** OpenAPI v3 documents, one for each group and version. Made when they are asked for, and kept while the kinds stay the same. */
export class OpenApi {
  readonly #registry: Registry
  readonly #documents = new Map<string, Document>()

  constructor(registry: Registry) {
    this.#registry = registry
  }

  index(request: ApiRequest): Answer {
    const paths = Object.fromEntries(
      this.#paths().map(([path, kinds]) => [path, { serverRelativeURL: `/openapi/v3/${path}?hash=${this.#document(path, kinds).hash}` }]),
    )
    const etag = `"${digest(JSON.stringify(paths))}"`
    if (request.headers['if-none-match'] === etag) return { status: 304, headers: { etag }, body: '' }
    return json(200, { paths }, { etag })
  }

  /** `path` is `api/v1` or `apis/<group>/<version>`. */
  document(path: string, request: ApiRequest): Answer {
    const kinds = this.#paths().find(([known]) => known === path)?.[1]
    if (kinds === undefined) return pageNotFound
    const { text, hash } = this.#document(path, kinds)
    const etag = `"${hash}"`
    if (request.headers['if-none-match'] === etag) return { status: 304, headers: { etag }, body: '' }
    return { status: 200, headers: { 'content-type': 'application/json', etag }, body: text }
  }

  #paths(): [string, Kind[]][] {
    return [...this.#registry.groups()].flatMap(([group, versions]) =>
      versions.map((version): [string, Kind[]] => [group === '' ? `api/${version}` : `apis/${group}/${version}`, this.#registry.ofVersion(group, version)]),
    )
  }

  #document(path: string, kinds: readonly Kind[]): Document {
    const known = this.#documents.get(path)
    if (known !== undefined && known.kinds.length === kinds.length && known.kinds.every((kind, index) => kind === kinds[index])) return known
    const text = JSON.stringify(documentOf(path, kinds))
    const made = { kinds, text, hash: digest(text) }
    this.#documents.set(path, made)
    return made
  }
}

function digest(text: string): string {
  return createHash('sha512').update(text).digest('hex').toUpperCase()
}

function documentOf(root: string, kinds: readonly Kind[]): JsonObject {
  return {
    openapi: '3.0.0',
    info: { title: 'Kubernetes', version: 'v1.36.4' },
    paths: Object.assign({}, ...kinds.map((kind) => pathsOf(root, kind))) as JsonObject,
    components: { schemas: Object.fromEntries(kinds.map((kind) => [schemaName(kind), schemaOf(kind)])) },
  }
}

function gvk(kind: Kind): JsonObject {
  return { group: kind.group, version: kind.version, kind: kind.kind }
}

/** The parameters by which a client knows what it may ask: `fieldValidation` spares kubectl its own validation. */
const writeParameters = ['dryRun', 'fieldManager', 'fieldValidation'].map((name) => ({ name, in: 'query', schema: { type: 'string', uniqueItems: true } }))

function pathsOf(root: string, kind: Kind): JsonObject {
  const base = `/${root}/${kind.namespaced ? 'namespaces/{namespace}/' : ''}${kind.plural}`
  const operation = (action: string, more: JsonObject = {}): JsonObject => ({
    ...more,
    responses: { '200': { description: 'OK', content: { 'application/json': { schema: { $ref: `#/components/schemas/${schemaName(kind)}` } } } } },
    'x-kubernetes-action': action,
    'x-kubernetes-group-version-kind': gvk(kind),
  })
  const written = (action: string): JsonObject => operation(action, { parameters: writeParameters })
  return {
    [base]: { get: operation('list'), post: written('post') },
    [`${base}/{name}`]: { get: operation('get'), put: written('put'), patch: written('patch'), delete: operation('delete') },
    ...(kind.namespaced ? { [`/${root}/${kind.plural}`]: { get: operation('list') } } : {}),
  }
}

function schemaName(kind: Kind): string {
  if (kind.custom || kind.group.includes('.')) {
    if (kind.custom) return `${kind.group.split('.').toReversed().join('.')}.${kind.version}.${kind.kind}`
    return `io.k8s.api.${kind.group.split('.')[0] ?? ''}.${kind.version}.${kind.kind}`
  }
  return `io.k8s.api.${kind.group === '' ? 'core' : kind.group}.${kind.version}.${kind.kind}`
}

function schemaOf(kind: Kind): JsonObject {
  const description = { apiVersion: `The version of this representation: ${apiVersionOf(kind)}.`, kind: `The kind: ${kind.kind}.`, metadata: 'Name, namespace, labels and what else every object has.' }
  const { properties = {}, ...schema } = kind.schema
  const described = Object.fromEntries(
    Object.entries({ apiVersion: { type: 'string' }, kind: { type: 'string' }, metadata: { type: 'object' }, ...properties }).map(([name, property]) => [
      name,
      name in description ? { ...property, description: description[name as keyof typeof description] } : property,
    ]),
  )
  return { ...(schema as JsonObject), properties: described as JsonObject, 'x-kubernetes-group-version-kind': [gvk(kind)] }
}
