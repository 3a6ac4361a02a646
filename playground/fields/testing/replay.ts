import assert from 'node:assert/strict'
import { parseDocument } from 'yaml'
import { isObject, type Json, type JsonObject } from '#lib/json.ts'
import type { KubernetesObject, Schema } from '#playground/contract.ts'
import { TinyServer, type Version, type Write } from './tiny-server.ts'

export type Step = {
  say: string
  request: { method: string; path: string; headers?: Record<string, string>; body?: Json }
  response: { status: number; body?: Json; order?: Json; topLevelKeys?: Json }
}

export function contentType(request: Step['request']): string {
  return request.headers?.['content-type'] ?? 'application/json'
}

/** Plays the writes of a transcript against a tiny server, and compares every answer with the recorded one. */
export class Replay {
  private readonly servers = new Map<string, { server: TinyServer; versions: Map<string, Version> }>()
  /** Placeholders of the transcript, and what they stand for here. */
  private readonly bound = new Map<string, string>()
  private counter = 0
  private seconds = Date.parse('2026-01-01T00:00:00Z')

  constructor(definitions: readonly JsonObject[]) {
    for (const definition of definitions) this.define(definition)
  }

  private define(definition: JsonObject): void {
    const spec = definition.spec as JsonObject & { group: string; names: JsonObject; versions: JsonObject[] }
    const versions = new Map<string, Version>()
    for (const each of spec.versions) {
      const { status, scale } = (each.subresources ?? {}) as { status?: Json; scale?: { specReplicasPath: string } }
      versions.set(each.name as string, {
        apiVersion: `${spec.group}/${each.name as string}`,
        kind: spec.names.kind as string,
        schema: (each.schema as { openAPIV3Schema: Schema }).openAPIV3Schema,
        status: status !== undefined,
        ...(scale === undefined ? {} : { replicas: scale.specReplicasPath.slice(1).split('.') }),
      })
    }
    this.servers.set(spec.names.plural as string, { server: new TinyServer(versions, () => ++this.counter), versions })
  }

  /** What the server does beside writes: it deletes, and in the ratcheting scenario its schema narrows on the way. */
  follow({ request, response }: Step): void {
    if (request.method === 'DELETE' && response.status === 200) for (const { server } of this.servers.values()) server.objects.delete(request.path.split('/').at(-1) as string)
    if (request.method !== 'PATCH' || !request.path.includes('customresourcedefinitions')) return
    const versions = this.servers.get('gauges')?.versions as Map<string, Version>
    const version = versions.get('v1') as Version
    const schema = structuredClone(version.schema)
    const [{ value }] = request.body as [{ value: number }]
    const level = schema.properties?.spec?.properties?.level as Schema
    level.maximum = value
    versions.set('v1', { ...version, schema })
  }

  step(step: Step, what: string): void {
    const url = new URL(step.request.path, 'http://local')
    const [, , , versionName, ...rest] = url.pathname.split('/') as string[]
    const [plural, name, subresource = ''] = rest[0] === 'namespaces' ? rest.slice(2) : rest
    const there = this.servers.get(plural as string)
    const version = there?.versions.get(versionName as string)
    if (there === undefined || version === undefined) throw new Error(`${what}: no ${url.pathname}`)
    const write = this.writeOf(step.request, url, name, subresource)
    const before = new Map(there.server.objects)
    const same = this.attempt(there.server, write, version, step, what)
    if (same === undefined) return
    // The transcripts do not say where a second passed between two steps; it decides the order of entries.
    there.server.objects.clear()
    for (const [key, object] of before) there.server.objects.set(key, object)
    this.seconds += 1000
    const later = this.attempt(there.server, { ...write, time: this.time() }, version, step, what)
    if (later !== undefined) throw same
  }

  private attempt(server: TinyServer, write: Write, version: Version, step: Step, what: string): Error | undefined {
    const bound = new Map(this.bound)
    try {
      const answer = server.write(write, version)
      assert.equal(answer.status, step.response.status, `${what}: ${answer.message ?? JSON.stringify(answer.causes ?? '')}`)
      if (step.response.order !== undefined) {
        const { template } = (answer.object as KubernetesObject).spec as { template: { containers: { name: string }[] } }
        assertSame(template.containers.map((container) => container.name), step.response.order, what)
      } else if (isObject(step.response.body) && step.response.body.note === undefined) this.compare(answer, step.response.body, write, what)
      return undefined
    } catch (error) {
      this.bound.clear()
      for (const [key, value] of bound) this.bound.set(key, value)
      return error as Error
    }
  }

  private compare(answer: ReturnType<TinyServer['write']>, expected: JsonObject, write: Write, what: string): void {
    if (answer.status >= 400) {
      if (answer.causes === undefined) {
        assertSame(answer.message, expected.message, what)
        return
      }
      const causes = ((expected.details as JsonObject).causes ?? []) as JsonObject[]
      assertSame(sortedCauses(answer.causes as unknown as JsonObject[]), sortedCauses(causes), what)
      if (answer.message !== undefined) assertSame(answer.message, expected.message, what)
      return
    }
    if (write.subresource === 'scale') return
    assertSame(this.shown(answer.object as unknown as Json, expected), expected, what)
  }

  /** `actual` with the transcript's placeholders where they stand for its values, bound at first sight. */
  private shown(actual: Json, expected: Json | undefined): Json {
    if (Array.isArray(actual)) return actual.map((item, i) => this.shown(item, Array.isArray(expected) ? expected[i] : undefined))
    if (isObject(actual)) return Object.fromEntries(Object.entries(actual).map(([key, value]) => [key, this.shown(value, isObject(expected) ? expected[key] : undefined)]))
    if (typeof expected !== 'string' || typeof actual !== 'string') return actual
    if (expected === '<time>') return /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(actual) ? expected : actual
    if (!/^<(uid|rv)-\d+>$/.test(expected)) return actual
    const known = this.bound.get(expected)
    if (known === undefined && ![...this.bound].some(([key, value]) => key.slice(0, 3) === expected.slice(0, 3) && value === actual)) this.bound.set(expected, actual)
    return this.bound.get(expected) === actual ? expected : `${actual} for ${expected}, which is ${known ?? 'another'}`
  }

  private writeOf(request: Step['request'], url: URL, name: string | undefined, subresource: string): Write {
    const type = contentType(request)
    const how = request.method === 'PUT' ? 'put' : request.method === 'POST' ? 'post' : type.includes('apply') ? 'apply' : type.includes('merge') ? 'merge' : 'json'
    const body = this.filled(typeof request.body === 'string' ? parsed(request.body) : (request.body as Json))
    const named = isObject(body) && isObject(body.metadata) ? (body.metadata.name as string) : ''
    return {
      how,
      body,
      manager: url.searchParams.get('fieldManager') ?? 'conformance',
      force: url.searchParams.get('force') === 'true',
      subresource,
      dryRun: url.searchParams.get('dryRun') === 'All',
      name: name ?? named,
      time: this.time(),
    }
  }

  private time(): string {
    return new Date(this.seconds).toISOString().replace('.000', '')
  }

  private filled(value: Json): Json {
    if (Array.isArray(value)) return value.map((item) => this.filled(item))
    if (isObject(value)) return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, this.filled(item)]))
    if (value === '<time>') return this.time()
    return typeof value === 'string' ? (this.bound.get(value) ?? value) : value
  }
}

function parsed(text: string): Json {
  return parseDocument(text.split('\n---')[0] as string, { uniqueKeys: false, merge: true }).toJS() as Json
}

function sortedCauses(causes: readonly JsonObject[]): string[] {
  return causes.map(({ reason, message, field }) => `${String(field)}: ${String(message)} (${String(reason)})`).sort()
}

function assertSame(actual: unknown, expected: unknown, what: string): void {
  assert.deepEqual({ what, answer: actual }, { what, answer: expected })
}
