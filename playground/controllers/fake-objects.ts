import { randomBytes, randomUUID } from 'node:crypto'
import { equalJson } from '#lib/json.ts'
import type { KubernetesObject, Objects, Resource, WatchEvent } from '#playground/contract.ts'

/**
 * `Objects` for tests: storage, generations, finalizers and graceful pods, and nothing of admission, defaulting or field management.
 */
export class FakeObjects implements Objects {
  readonly #objects = new Map<string, KubernetesObject>()
  readonly #listeners = new Set<{ prefix: string; listener: (event: WatchEvent) => void }>()
  #version = 0
  /** Every write as `verb part plural namespace/name`, to see that nothing is written twice. */
  readonly writes: string[] = []
  now: () => number

  constructor(now: () => number = () => 0) {
    this.now = now
  }

  get(resource: Resource, namespace: string, name: string): KubernetesObject | undefined {
    return this.#objects.get(`${prefixOf(resource)}${namespace}/${name}`)
  }

  list(resource: Resource, namespace?: string): KubernetesObject[] {
    const prefix = `${prefixOf(resource)}${namespace === undefined ? '' : `${namespace}/`}`
    return [...this.#objects].filter(([key]) => key.startsWith(prefix)).map(([, object]) => object)
  }

  watch(resource: Resource, listener: (event: WatchEvent) => void): () => void {
    const entry = { prefix: prefixOf(resource), listener }
    for (const object of this.list(resource)) listener({ type: 'ADDED', object })
    this.#listeners.add(entry)
    return () => this.#listeners.delete(entry)
  }

  create(resource: Resource, given: KubernetesObject, _manager: string): KubernetesObject {
    const object = structuredClone(given)
    const generated = object.metadata['generateName']
    object.metadata.name ??= `${String(generated)}${randomBytes(3).toString('hex').slice(0, 5)}`
    if (this.get(resource, object.metadata.namespace ?? '', object.metadata.name) !== undefined) throw new Error(`${object.metadata.name} already exists`)
    object.metadata.uid = randomUUID()
    object.metadata.generation = 1
    object.metadata['creationTimestamp'] = new Date(this.now()).toISOString()
    return this.#put('create', 'ADDED', resource, object)
  }

  edit(
    resource: Resource,
    namespace: string,
    name: string,
    part: 'object' | 'status' | 'scale',
    _manager: string,
    edit: (object: KubernetesObject) => void,
  ): KubernetesObject | undefined {
    const live = this.get(resource, namespace, name)
    if (live === undefined) return undefined
    const next = structuredClone(live)
    edit(next)
    if (part === 'status') next['spec'] = live['spec'] ?? {}
    else if (live['status'] !== undefined) next['status'] = live['status']
    if (equalJson(live, next)) return live
    if (!equalJson(live['spec'], next['spec'])) next.metadata.generation = (live.metadata.generation ?? 0) + 1
    if (next.metadata['deletionTimestamp'] !== undefined && isFree(next)) return this.#remove(resource, next)
    return this.#put(`edit ${part}`, 'MODIFIED', resource, next)
  }

  delete(resource: Resource, namespace: string, name: string, uid?: string, propagation?: string, graceSeconds?: number): void {
    const live = this.get(resource, namespace, name)
    if (live === undefined || (uid !== undefined && live.metadata.uid !== uid)) return
    const next = structuredClone(live)
    const waits = { Foreground: 'foregroundDeletion', Orphan: 'orphan' }[propagation ?? '']
    if (waits !== undefined) next.metadata['finalizers'] = [...finalizersOf(next), waits]
    const spec = next['spec'] as { nodeName?: string; terminationGracePeriodSeconds?: number } | undefined
    if (resource.plural === 'pods' && spec?.nodeName !== undefined && graceSeconds !== 0) {
      next.metadata['deletionGracePeriodSeconds'] = graceSeconds ?? spec.terminationGracePeriodSeconds ?? 30
    }
    if (graceSeconds === 0) delete next.metadata['deletionGracePeriodSeconds']
    if (isFree(next)) return void this.#remove(resource, next)
    next.metadata['deletionTimestamp'] ??= new Date(this.now()).toISOString()
    this.#put('delete', 'MODIFIED', resource, next)
  }

  #put(verb: string, type: 'ADDED' | 'MODIFIED', resource: Resource, object: KubernetesObject): KubernetesObject {
    const { namespace = '', name = '' } = object.metadata
    object.metadata.resourceVersion = String((this.#version += 1))
    this.#objects.set(`${prefixOf(resource)}${namespace}/${name}`, object)
    this.writes.push(`${verb} ${resource.plural} ${namespace}/${name}`)
    this.#tell(resource, { type, object })
    return object
  }

  #remove(resource: Resource, object: KubernetesObject): KubernetesObject {
    const { namespace = '', name = '' } = object.metadata
    this.#objects.delete(`${prefixOf(resource)}${namespace}/${name}`)
    this.writes.push(`remove ${resource.plural} ${namespace}/${name}`)
    this.#tell(resource, { type: 'DELETED', object })
    return object
  }

  #tell(resource: Resource, event: WatchEvent): void {
    for (const { prefix, listener } of this.#listeners) if (prefix === prefixOf(resource)) listener(event)
  }
}

const prefixOf = (resource: Resource): string => `${resource.group}/${resource.plural}/`

function finalizersOf(object: KubernetesObject): string[] {
  const spec = object['spec'] as { finalizers?: string[] } | undefined
  return [...((object.metadata['finalizers'] as string[] | undefined) ?? []), ...(spec?.finalizers ?? [])]
}

/** Nothing holds it back: no finalizer, and no process to wait for. */
function isFree(object: KubernetesObject): boolean {
  return finalizersOf(object).length === 0 && object.metadata['deletionGracePeriodSeconds'] === undefined
}
