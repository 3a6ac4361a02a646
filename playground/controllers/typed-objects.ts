import type { KubernetesObject, Objects, Resource, WatchEvent } from '#playground/contract.ts'

/** A resource together with the TypeScript shape of its objects and what a new one bears. */
export type Kind<T> = Resource & { readonly kind: string; readonly apiVersion: string; readonly namespaced: boolean; readonly shape?: T }

export type TypedEvent<T> = { readonly type: WatchEvent['type']; readonly object: T }

/** `Objects`, with shapes. The one place where JSON is taken for a shape: the server has validated it against its schema. */
export type TypedObjects = {
  readonly raw: Objects
  get<T>(kind: Kind<T>, namespace: string, name: string): T | undefined
  list<T>(kind: Kind<T>, namespace?: string): T[]
  watch<T>(kind: Kind<T>, listener: (event: TypedEvent<T>) => void): () => void
  /** `apiVersion` and `kind` are added. */
  create<T>(kind: Kind<T>, object: object, manager: string): T
  edit<T>(kind: Kind<T>, at: Place, part: 'object' | 'status' | 'scale', manager: string, edit: (object: T) => void): T | undefined
  delete(kind: Kind<unknown>, at: Place & { readonly uid?: string }, graceSeconds?: number): void
}

/** What names an object of a known kind: its metadata will do. */
type Place = { readonly namespace?: string; readonly name: string }

export function typedObjects(raw: Objects): TypedObjects {
  return {
    raw,
    get: <T>(kind: Kind<T>, namespace: string, name: string) => raw.get(kind, namespace, name) as T | undefined,
    list: <T>(kind: Kind<T>, namespace?: string) => raw.list(kind, namespace) as T[],
    watch: <T>(kind: Kind<T>, listener: (event: TypedEvent<T>) => void) => raw.watch(kind, (event) => listener(event as TypedEvent<T>)),
    create: <T>(kind: Kind<T>, object: object, manager: string) =>
      raw.create(kind, { apiVersion: kind.apiVersion, kind: kind.kind, ...object } as KubernetesObject, manager) as T,
    edit: <T>(kind: Kind<T>, at: Place, part: 'object' | 'status' | 'scale', manager: string, edit: (object: T) => void) =>
      raw.edit(kind, at.namespace ?? '', at.name, part, manager, (object) => edit(object as T)) as T | undefined,
    delete: (kind, at, graceSeconds) => raw.delete(kind, at.namespace ?? '', at.name, at.uid, 'Background', graceSeconds),
  }
}
