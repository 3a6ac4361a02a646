import { equalJson, isObject, type Json, type JsonObject } from '#lib/json.ts'
import type { Cause, KubernetesObject, Schema } from '#playground/contract.ts'
import { customResourceSchema } from '#playground/schema/custom-resource-schema.ts'
import { normalMetadata } from '#playground/schema/metadata.ts'
import { prune } from '#playground/schema/pruning.ts'
import { withDefaults, withoutNulls } from '#playground/schema/structural-defaults.ts'
import { validateCustomResource } from '#playground/schema/validation.ts'
import { fieldManagement } from '../field-management.ts'
import { withoutManagedFields } from '../managers.ts'

export type Version = { readonly apiVersion: string; readonly kind: string; readonly schema: Schema; readonly status: boolean; readonly replicas?: readonly string[] }

type Answer = { readonly status: number; readonly object?: KubernetesObject; readonly causes?: readonly Cause[]; readonly message?: string }

export type Write = {
  readonly how: 'apply' | 'merge' | 'json' | 'put' | 'post'
  readonly body: Json
  readonly manager: string
  readonly force: boolean
  readonly subresource: string
  readonly dryRun: boolean
  readonly name: string
  readonly time: string
}

/** One namespace of one kind, with the order of steps of the real server around the pure functions, and nothing else: no HTTP, no admission. */
export class TinyServer {
  readonly objects = new Map<string, KubernetesObject>()
  private readonly versions: ReadonlyMap<string, Version>
  private readonly count: () => number

  /** `count` gives ever new numbers, for uids and resource versions. */
  constructor(versions: ReadonlyMap<string, Version>, count: () => number) {
    this.versions = versions
    this.count = count
  }

  write(write: Write, version: Version): Answer {
    const live = this.objects.get(write.name)
    const shown = live === undefined ? undefined : { ...live, apiVersion: version.apiVersion }
    if (write.how === 'apply') return this.apply(write, version, shown)
    const next = this.updated(write, version, shown)
    return next === undefined ? { status: 404 } : this.finish(write, version, shown, next)
  }

  private apply(write: Write, version: Version, live: KubernetesObject | undefined): Answer {
    const whole = customResourceSchema(version.schema)
    const result = fieldManagement.apply({
      ...this.common(write, version),
      live,
      applied: write.body as KubernetesObject,
      force: write.force,
      defaults: (object) => withDefaults(object, whole),
    })
    if ('invalid' in result) return { status: 500, message: result.invalid }
    if ('conflicts' in result) return { status: 409, causes: result.conflicts, message: result.message }
    return this.finish(write, version, live, result.object)
  }

  private updated(write: Write, version: Version, live: KubernetesObject | undefined): KubernetesObject | undefined {
    if (write.how !== 'post' && live === undefined) return undefined
    const whole = customResourceSchema(version.schema)
    if (write.subresource === 'scale') return this.scaled(write, version, live as KubernetesObject)
    const body = write.how === 'merge' ? mergePatch(live as Json, write.body) : write.how === 'json' ? jsonPatch(live as Json, write.body as JsonObject[]) : write.body
    const normal = normalMetadata(prune(body as KubernetesObject, whole).object)
    if ('problem' in normal) throw new Error(normal.problem)
    const sent = withDefaults(withoutNulls(withDefaults(normal.object, whole), whole), whole)
    const system = live === undefined ? {} : pick(live.metadata, ['uid', 'creationTimestamp', 'generation', 'resourceVersion', 'namespace'])
    const next = { ...sent, metadata: { ...sent.metadata, ...system } }
    return fieldManagement.update({ ...this.common(write, version), live, next })
  }

  private scaled(write: Write, version: Version, live: KubernetesObject): KubernetesObject {
    const replicas = ((write.body as JsonObject).spec as JsonObject).replicas as Json
    const next = { ...live, spec: { ...(live.spec as JsonObject), replicas } }
    return fieldManagement.update({ ...this.common(write, version), live, next, replicas: version.replicas ?? [] })
  }

  private common(write: Write, version: Version) {
    const reset = write.subresource === 'status' ? ['metadata', 'spec'] : version.status ? ['status'] : []
    const versions = Object.fromEntries([...this.versions.values()].map((each) => [each.apiVersion, customResourceSchema(each.schema)]))
    return { manager: write.manager, time: write.time, schema: customResourceSchema(version.schema), subresource: write.subresource, versions, reset }
  }

  /** What the strategy of the end point puts back, validation, and storage with its no-op. */
  private finish(write: Write, version: Version, live: KubernetesObject | undefined, result: KubernetesObject): Answer {
    const normal = normalMetadata(result)
    if ('problem' in normal) throw new Error(normal.problem)
    const next = kept(write, version, live, normal.object, `uid-${this.count()}`)
    if (live !== undefined && specOf(live, version) !== specOf(next, version)) next.metadata.generation = (live.metadata.generation ?? 0) + 1
    const causes = validateCustomResource(next, live, { schema: version.schema, ...(version.replicas === undefined ? {} : { replicas: version.replicas }) })
    if (causes.length > 0) return { status: 422, causes }
    if (live !== undefined && equalJson(live, next)) return { status: 200, object: next }
    if (!write.dryRun) {
      next.metadata.resourceVersion = String(this.count())
      this.objects.set(write.name, { ...next, apiVersion: [...this.versions.values()][0]?.apiVersion ?? next.apiVersion })
    }
    return { status: live === undefined ? 201 : 200, object: next }
  }
}

function kept(write: Write, version: Version, live: KubernetesObject | undefined, next: KubernetesObject, uid: string): KubernetesObject {
  if (live === undefined) {
    const { status: _, ...main } = next
    const created = { creationTimestamp: write.time, generation: 1, uid, namespace: 'default' }
    const { resourceVersion: __, selfLink: ___, ...metadata } = next.metadata
    return { ...(version.status ? main : next), metadata: { ...metadata, ...created } } as KubernetesObject
  }
  const system = pick(live.metadata, ['uid', 'creationTimestamp', 'generation', 'resourceVersion', 'namespace', 'name'])
  if (write.subresource === 'status') {
    const { status: _, ...main } = live
    const metadata = next.metadata.managedFields === undefined ? withoutManagedFields(live).metadata : { ...live.metadata, managedFields: next.metadata.managedFields }
    return { ...main, metadata, ...(next.status === undefined ? {} : { status: next.status }) }
  }
  const { status: _, ...main } = next
  const object = version.status ? { ...main, ...(live.status === undefined ? {} : { status: live.status }) } : next
  return { ...object, metadata: { ...next.metadata, ...system } } as KubernetesObject
}

function specOf(object: KubernetesObject, version: Version): string {
  const { metadata: _, status, apiVersion: __, ...rest } = object
  return JSON.stringify(sorted(version.status ? rest : { ...rest, status: status ?? null }))
}

function sorted(value: Json): Json {
  if (Array.isArray(value)) return value.map(sorted)
  if (!isObject(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, sorted(item)] as const).sort(([a], [b]) => (a < b ? -1 : 1)))
}

function pick(object: JsonObject, names: readonly string[]): JsonObject {
  return Object.fromEntries(names.filter((name) => object[name] !== undefined).map((name) => [name, object[name] as Json]))
}

function mergePatch(target: Json, patch: Json): Json {
  if (!isObject(patch)) return patch
  const result: JsonObject = isObject(target) ? { ...target } : {}
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key]
    else result[key] = mergePatch(result[key] ?? null, value)
  }
  return result
}

/** `add`, `replace` and `remove` of object members: all that the replayed steps need; the server has the whole of RFC 6902. */
function jsonPatch(target: Json, operations: readonly JsonObject[]): Json {
  const result = structuredClone(target)
  for (const { op, path, value } of operations) {
    const names = (path as string).slice(1).split('/')
    const last = names.pop() as string
    const parent = names.reduce<Json>((node, name) => (node as JsonObject)[name] as Json, result) as JsonObject
    if (op === 'remove') delete parent[last]
    else parent[last] = value as Json
  }
  return result
}
