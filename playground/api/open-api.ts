import { createHash } from 'node:crypto'
import { isObject, type JsonObject } from '#lib/json.ts'
import type { Schema } from '#playground/contract.ts'
import { builtinSchemas } from '#playground/schema/builtin-schemas.ts'
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

  /** An empty document of the old version, for kubectl's check of a `List`, which it makes by itself; `undefined` for who does not ask in protobuf. */
  version2(request: ApiRequest): Answer | undefined {
    const type = 'application/com.github.proto-openapi.spec.v2@v1.0+protobuf'
    if (!(request.headers.accept ?? '').includes(type)) return undefined
    return { status: 200, headers: { 'content-type': type.replace('@', '.') }, body: emptyVersion2 }
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

/** gnostic's `Document`: 1 swagger, 2 info (1 title, 2 version), 8 paths, 9 definitions; every byte is ASCII. */
const emptyVersion2 = '\n\u00032.0\u0012\u0015\n\nKubernetes\u0012\u0007v1.36.4B\u0000J\u0000'

function digest(text: string): string {
  return createHash('sha512').update(text).digest('hex').toUpperCase()
}

function documentOf(root: string, kinds: readonly Kind[]): JsonObject {
  return {
    openapi: '3.0.0',
    info: { title: 'Kubernetes', version: 'v1.36.4' },
    paths: Object.assign({}, ...kinds.map((kind) => pathsOf(root, kind))) as JsonObject,
    components: { schemas: componentsOf(kinds) },
  }
}

/** The kinds' schemas, and those that they share by name: a schema may hold itself. */
function componentsOf(kinds: readonly Kind[]): JsonObject {
  const components: JsonObject = {}
  const names = new Map<Schema, string>()
  const written = (schema: Schema): JsonObject => {
    const name = builtinSchemas.typeName(schema)
    if (name === undefined) return inline(schema)
    let known = names.get(schema)
    if (known === undefined) {
      known = `io.k8s.api.${name}`
      for (let count = 2; known in components; count += 1) known = `io.k8s.api.${name}${count}`
      names.set(schema, known)
      components[known] = {}
      components[known] = inline(schema)
    }
    return { $ref: `#/components/schemas/${known}` }
  }
  const inline = ({ properties, items, additionalProperties, ...rest }: Schema): JsonObject => ({
    ...(rest as JsonObject),
    ...(properties === undefined ? {} : { properties: Object.fromEntries(Object.entries(properties).map(([name, property]) => [name, written(property)])) }),
    ...(items === undefined ? {} : { items: written(items) }),
    ...(additionalProperties === undefined ? {} : { additionalProperties: typeof additionalProperties === 'boolean' ? additionalProperties : written(additionalProperties) }),
  })
  for (const kind of kinds) components[schemaName(kind)] = rootOf(kind, inline(kind.schema))
  return components
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

function rootOf(kind: Kind, schema: JsonObject): JsonObject {
  const description = { apiVersion: `The version of this representation: ${apiVersionOf(kind)}.`, kind: `The kind: ${kind.kind}.`, metadata: 'Name, namespace, labels and what else every object has.' }
  const properties = isObject(schema.properties) ? schema.properties : {}
  const described = Object.fromEntries(
    Object.entries({ apiVersion: { type: 'string' }, kind: { type: 'string' }, metadata: { type: 'object' }, ...properties }).map(([name, property]) => [
      name,
      name in description && isObject(property) ? { ...property, description: description[name as keyof typeof description] } : property,
    ]),
  )
  return { ...schema, properties: described as JsonObject, 'x-kubernetes-group-version-kind': [gvk(kind)] }
}
