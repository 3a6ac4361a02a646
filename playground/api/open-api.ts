import { createHash } from 'node:crypto'
import { isObject, type JsonObject } from '#lib/json.ts'
import type { Schema } from '#playground/contract.ts'
import { builtinSchemas } from '#playground/schema/builtin-schemas.ts'
import { apiVersionOf, type Kind } from './kinds.ts'
import type { Registry } from './registry.ts'
import { type Answer, type ApiRequest, json, pageNotFound } from './request.ts'
import { kubernetesVersion } from './version.ts'

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
const emptyVersion2 = `\n\u00032.0\u0012${prefixed(`\n${prefixed('Kubernetes')}\u0012${prefixed(kubernetesVersion)}`)}B\u0000J\u0000`

/** With its length before it, of fewer than 128 bytes. */
function prefixed(text: string): string {
  return `${String.fromCharCode(text.length)}${text}`
}

function digest(text: string): string {
  return createHash('sha512').update(text).digest('hex').toUpperCase()
}

function documentOf(root: string, kinds: readonly Kind[]): JsonObject {
  return {
    openapi: '3.0.0',
    info: { title: 'Kubernetes', version: kubernetesVersion },
    paths: Object.assign({}, ...kinds.map((kind) => pathsOf(root, kind))) as JsonObject,
    components: { schemas: componentsOf(kinds) },
  }
}

/** The kinds' schemas, and those that they share by name: a schema may hold itself. */
function componentsOf(kinds: readonly Kind[]): JsonObject {
  const components: JsonObject = {}
  const names = new Map<unknown, string>()
  // `told` is the same schema with descriptions, but without shared parts and their names.
  const written = (schema: Schema, told: Schema | undefined): JsonObject => {
    const name = builtinSchemas.typeName(schema)
    if (name === undefined) return inline(schema, told)
    let known = names.get(schema.properties)
    if (known === undefined) {
      known = `io.k8s.api.${name}`
      for (let count = 2; known in components; count += 1) known = `io.k8s.api.${name}${count}`
      names.set(schema.properties, known)
      components[known] = {}
      components[known] = inline(schema, told)
    }
    const reference = { $ref: `#/components/schemas/${known}` }
    const shared = components[known]
    const own = isObject(shared) && shared.description === told?.description ? undefined : told?.description
    return own === undefined ? reference : { allOf: [reference], description: own }
  }
  const inline = (schema: Schema, told: Schema | undefined): JsonObject => {
    const { properties, items, additionalProperties, default: standard, 'x-go-omitempty': _omitted, ...rest } = schema
    const more = typeof told?.additionalProperties === 'object' ? told.additionalProperties : undefined
    return {
      ...(rest as JsonObject),
      ...(told?.description === undefined ? {} : { description: told.description }),
      ...(standard === undefined || standard === null || isObject(standard) ? {} : { default: standard }),
      ...(properties === undefined
        ? {}
        : { properties: Object.fromEntries(Object.entries(properties).map(([name, property]) => [name, written(property, told?.properties?.[name])])) }),
      ...(items === undefined ? {} : { items: written(items, told?.items) }),
      ...(additionalProperties === undefined
        ? {}
        : { additionalProperties: typeof additionalProperties === 'boolean' ? additionalProperties : written(additionalProperties, more) }),
    }
  }
  for (const kind of kinds) {
    const told = kind.custom ? undefined : builtinSchemas.describedSchemaOf(apiVersionOf(kind), kind.kind)
    components[schemaName(kind)] = rootOf(kind, inline(kind.schema, told))
  }
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

const common = {
  apiVersion: 'The version of this representation of an object.',
  kind: 'What the object is.',
  metadata: 'Name, namespace, labels and what else every object has.',
}

/** What every object has is there, and described, also where a schema leaves it out. */
function rootOf(kind: Kind, schema: JsonObject): JsonObject {
  const properties = isObject(schema.properties) ? schema.properties : {}
  const whole: JsonObject = { apiVersion: { type: 'string' }, kind: { type: 'string' }, metadata: { type: 'object' }, ...properties }
  const described = Object.entries(whole).map(([name, property]) => {
    const text = Object.hasOwn(common, name) ? common[name as keyof typeof common] : undefined
    const bare = text !== undefined && isObject(property) && property.description === undefined
    return [name, bare ? ('$ref' in property ? { allOf: [property], description: text } : { ...property, description: text }) : property]
  })
  return { ...schema, properties: Object.fromEntries(described) as JsonObject, 'x-kubernetes-group-version-kind': [gvk(kind)] }
}
