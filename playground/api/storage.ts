import type { KubernetesObject } from '#playground/contract.ts'
import { Journal, type Line } from './journal.ts'

/** One write. `previous` is what stood there; a delete bears the last state at the version of the delete. */
export type Change = {
  readonly version: number
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'
  readonly resource: string
  readonly key: string
  readonly object: KubernetesObject
  readonly previous: KubernetesObject | undefined
}

type Table = { readonly objects: Map<string, KubernetesObject>; readonly keys: string[] }

const firstVersion = 1000 // so that small numbers are versions too old, as on a cluster that has lived a while
const historyLength = 8_000 // a changed object is held twice: some 10 kB a change

/**
 * All objects in memory, in one order of versions, with a bounded history for watches and older lists.
 * Objects are frozen: they are shared by readers, watchers and the history.
 */
export class Storage {
  readonly #journal: Journal
  readonly #tables = new Map<string, Table>()
  /** Who listens, and from which version on: what was there before is theirs to list. */
  readonly #listeners = new Map<(change: Change) => void, number>()
  #version = firstVersion
  #history: Change[] = []
  #oldest: number
  #telling = false
  readonly #untold: Change[] = []

  constructor(dir: string) {
    this.#journal = new Journal(dir)
    const { version, lines } = this.#journal.read()
    this.#version = Math.max(firstVersion, version)
    for (const line of lines) {
      this.#put(line.r, line.k, line.o === null ? undefined : freeze(line.o))
      this.#version = Math.max(this.#version, line.v)
    }
    this.#oldest = this.#version
    this.#journal.start(() => ({ version: this.#version, lines: this.#lines() }))
  }

  get version(): number {
    return this.#version
  }

  /** Changes after this version are known. */
  get oldest(): number {
    return this.#oldest
  }

  get(resource: string, key: string): KubernetesObject | undefined {
    return this.#tables.get(resource)?.objects.get(key)
  }

  /** In the order of their keys; of one namespace where one is given. */
  list(resource: string, namespace?: string): KubernetesObject[] {
    const table = this.#tables.get(resource)
    if (table === undefined) return []
    const prefix = namespace === undefined ? undefined : `${namespace}/`
    const result: KubernetesObject[] = []
    for (let at = prefix === undefined ? 0 : position(table.keys, prefix); at < table.keys.length; at += 1) {
      const key = table.keys[at] as string
      if (prefix !== undefined && !key.startsWith(prefix)) break
      result.push(table.objects.get(key) as KubernetesObject)
    }
    return result
  }

  /** The list as it was at `version`, which must not be older than `oldest`. */
  listAt(version: number, resource: string, namespace?: string): KubernetesObject[] {
    const objects = new Map(this.list(resource, namespace).map((object) => [keyOf(object), object]))
    for (let index = this.#history.length - 1; index >= 0; index -= 1) {
      const change = this.#history[index] as Change
      if (change.version <= version) break
      if (change.resource !== resource || (namespace !== undefined && !change.key.startsWith(`${namespace}/`))) continue
      if (change.previous === undefined) objects.delete(change.key)
      else objects.set(change.key, change.previous)
    }
    return [...objects].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, object]) => object)
  }

  /** Known changes of a resource after `version`, oldest first. */
  since(version: number, resource: string): Change[] {
    let from = this.#history.length
    while (from > 0 && (this.#history[from - 1] as Change).version > version) from -= 1
    return this.#history.slice(from).filter((change) => change.resource === resource)
  }

  /** Writes (or deletes) at the next version, tells every listener at once, and leaves the disk to `durable`. */
  write(type: Change['type'], resource: string, object: KubernetesObject): KubernetesObject {
    const version = this.#version + 1
    const stored = freeze({ ...object, metadata: { ...object.metadata, resourceVersion: String(version) } })
    const key = keyOf(stored)
    const change: Change = { version, type, resource, key, object: stored, previous: this.get(resource, key) }
    this.#version = version
    this.#put(resource, key, type === 'DELETED' ? undefined : stored)
    this.#history.push(change)
    if (this.#history.length > historyLength * 1.25) this.#forget(this.#history.length - historyLength)
    this.#journal.append({ v: version, r: resource, k: key, o: type === 'DELETED' ? null : stored })
    this.#tell(change)
    return stored
  }

  /** In order, also where a listener writes: what it causes is told when everybody has heard of what it heard. */
  #tell(change: Change): void {
    this.#untold.push(change)
    if (this.#telling) return
    this.#telling = true
    try {
      for (let next = this.#untold.shift(); next !== undefined; next = this.#untold.shift()) {
        for (const [listener, from] of this.#listeners) {
          if (next.version <= from) continue
          try {
            listener(next)
          } catch (error) {
            // The write is done: its writer must not be told otherwise.
            process.emitWarning(error instanceof Error ? error : String(error))
          }
        }
      }
    } finally {
      this.#telling = false
    }
  }

  subscribe(listener: (change: Change) => void): () => void {
    this.#listeners.set(listener, this.#version)
    return () => this.#listeners.delete(listener)
  }

  durable(): Promise<void> {
    return this.#journal.durable()
  }

  /** Forgets all history: older versions are then too old. */
  compact(): void {
    this.#forget(this.#history.length)
    this.#oldest = this.#version
  }

  resources(): string[] {
    return [...this.#tables.keys()]
  }

  close(): Promise<void> {
    return this.#journal.close()
  }

  #forget(count: number): void {
    const last = this.#history[count - 1]
    if (last !== undefined) this.#oldest = last.version
    this.#history = this.#history.slice(count)
  }

  #put(resource: string, key: string, object: KubernetesObject | undefined): void {
    let table = this.#tables.get(resource)
    if (table === undefined) this.#tables.set(resource, (table = { objects: new Map(), keys: [] }))
    const at = position(table.keys, key)
    const present = table.keys[at] === key
    if (object === undefined) {
      if (present) table.keys.splice(at, 1)
      table.objects.delete(key)
      return
    }
    if (!present) table.keys.splice(at, 0, key)
    table.objects.set(key, object)
  }

  *#lines(): Iterable<Line> {
    for (const [resource, table] of this.#tables) {
      for (const [key, object] of table.objects) yield { v: Number(object.metadata.resourceVersion), r: resource, k: key, o: object }
    }
  }
}

/** `namespace/name`; `/name` without a namespace. */
export function keyOf(object: KubernetesObject): string {
  return `${object.metadata.namespace ?? ''}/${object.metadata.name ?? ''}`
}

/** Where `key` stands, or belongs, in sorted keys. */
function position(keys: readonly string[], key: string): number {
  let low = 0
  let high = keys.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((keys[middle] as string) < key) low = middle + 1
    else high = middle
  }
  return low
}

function freeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  Object.freeze(value)
  for (const member of Object.values(value)) freeze(member)
  return value
}
