import type { Registry } from './registry.ts'
import { type Answer, type ApiRequest, json, pageNotFound } from './request.ts'

export function openApiIndex(_registry: Registry, _request: ApiRequest): Answer {
  return json(200, { paths: {} })
}

export function openApiDocument(_registry: Registry, _path: string, _request: ApiRequest): Answer {
  return pageNotFound
}
