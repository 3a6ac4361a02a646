import type { Json, JsonObject } from '#lib/json.ts'
import type { KubernetesObject } from '#playground/contract.ts'
import { apiVersionOf, type Kind } from './kinds.ts'
import { negotiate, type Form } from './negotiation.ts'
import { type Answer, type ApiRequest, json, warningHeader } from './request.ts'
import { ApiError } from './status.ts'
import { tableOf } from './table.ts'
import { writeYaml } from './yaml.ts'

export type ListMetadata = { readonly resourceVersion: string; readonly continue: string; readonly remainingItemCount?: number }

function encode(status: number, value: JsonObject, form: Form, warnings: readonly string[]): Answer {
  const headers = warningHeader(warnings)
  if (form.media === 'application/yaml') return { status, headers: { 'content-type': 'application/yaml', ...headers }, body: writeYaml(value) }
  return json(status, value, headers)
}

/** One object in the form that was asked for. */
export function presentObject(request: ApiRequest, kind: Kind, status: number, object: KubernetesObject, now: number, warnings: readonly string[] = []): Answer {
  const form = negotiate(request.headers.accept)
  return encode(status, shape(object, kind, form, request, now), form, [...deprecation(kind), ...warnings])
}

export function presentList(request: ApiRequest, kind: Kind, items: readonly KubernetesObject[], metadata: ListMetadata, now: number): Answer {
  const form = negotiate(request.headers.accept)
  const warnings = deprecation(kind)
  if (form.as === 'partial') {
    throw new ApiError(406, 'NotAcceptable', 'you requested PartialObjectMetadata, but the requested object is a list (*unstructured.UnstructuredList)')
  }
  const bare: JsonObject = { ...metadata, ...(metadata.continue === '' ? {} : { continue: metadata.continue }) }
  if (metadata.continue === '') delete bare.continue
  if (form.as === 'table') return encode(200, tableOf(kind, items, bare, includeOf(request), now), form, warnings)
  if (form.as === 'partial-list') {
    return encode(200, { kind: 'PartialObjectMetadataList', apiVersion: 'meta.k8s.io/v1', metadata: bare, items: items.map(partial) }, form, warnings)
  }
  const list: JsonObject = kind.custom
    ? { apiVersion: apiVersionOf(kind), items: [...items], kind: kind.listKind, metadata: { ...metadata } }
    : { kind: kind.listKind, apiVersion: apiVersionOf(kind), metadata: bare, items: items.map(({ apiVersion: _version, kind: _kind, ...item }) => item as JsonObject) }
  return encode(200, list, form, warnings)
}

/** One object as a watch or an answer shows it. */
export function shape(object: KubernetesObject, kind: Kind, form: Form, request: ApiRequest, now: number): JsonObject {
  if (form.as === 'table') {
    return tableOf(kind, [object], { resourceVersion: object.metadata.resourceVersion ?? '' }, includeOf(request), now)
  }
  if (form.as === 'partial') return partial(object)
  if (form.as === 'partial-list') {
    throw new ApiError(406, 'NotAcceptable', 'you requested PartialObjectMetadataList, but the requested object is not a list (*unstructured.Unstructured)')
  }
  return object
}

function partial(object: KubernetesObject): JsonObject {
  return { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: object.metadata as Json }
}

function includeOf(request: ApiRequest): string {
  return request.query.get('includeObject') ?? 'Metadata'
}

export function deprecation(kind: Kind): string[] {
  return kind.deprecation === undefined ? [] : [kind.deprecation]
}
