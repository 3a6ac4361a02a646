import type { Json, JsonObject } from '#lib/json.ts'
import type { KubernetesObject } from '#playground/contract.ts'
import type { Column } from './columns/column.ts'
import { columnsOf } from './columns/columns.ts'
import type { Kind } from './kinds.ts'

const nameDescription =
  'Name must be unique within a namespace. Is required when creating resources, although some resources may allow a client to request the generation of an appropriate name automatically. Name is primarily intended for creation idempotence and configuration definition. Cannot be updated. More info: https://kubernetes.io/docs/concepts/overview/working-with-objects/names#names'

/** A `Table` of objects: the name, then the kind's columns. `include` is `Metadata`, `Object` or `None`. */
export function tableOf(kind: Kind, objects: readonly KubernetesObject[], metadata: JsonObject, include: string, now: number): JsonObject {
  const columns = columnsOf(kind)
  // Events have their name at the end, for those who ask for more.
  const named = kind.columns === undefined && columns.some(({ name }) => name === 'Name')
  return {
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata,
    columnDefinitions: [
      ...(named ? [] : [{ name: 'Name', type: 'string', format: 'name', description: nameDescription, priority: 0 }]),
      ...columns.map((column) => ({
        name: column.name,
        type: column.type,
        format: column.format ?? '',
        description: column.description ?? column.name,
        priority: column.priority ?? 0,
      })),
    ],
    rows: objects.map((object) => ({
      cells: [...(named ? [] : [object.metadata.name ?? '']), ...cellsOf(kind, columns, object, now)],
      object:
        include === 'None' ? null : include === 'Object' ? object : { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: object.metadata as Json },
    })),
  }
}

/** A built-in kind has its columns by the version that is stored. */
function cellsOf(kind: Kind, columns: readonly Column[], object: KubernetesObject, now: number): Json[] {
  const read = kind.conversion?.toStorage(object) ?? object
  return columns.map((column) => cell(() => column.cell(read, now)))
}

/** A row of an object that no schema held together is still a row. */
function cell(read: () => Json): Json {
  try {
    return read()
  } catch {
    return '<unknown>'
  }
}
