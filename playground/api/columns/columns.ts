import type { Kind } from '../kinds.ts'
import { age } from './age.ts'
import { appsColumns } from './apps.ts'
import type { Column } from './column.ts'
import { coreColumns } from './core.ts'
import { otherColumns } from './others.ts'

const byKind: Readonly<Record<string, readonly Column[]>> = { ...coreColumns, ...appsColumns, ...otherColumns }

const created: Column = { name: 'Age', type: 'date', cell: (object, now) => age(object.metadata.creationTimestamp, now) }

/** The columns after the name: those of the definition, of the built-in kind, or the age alone. */
export function columnsOf(kind: Kind): readonly Column[] {
  return kind.columns ?? byKind[`${kind.storageGroup ?? kind.group}/${kind.kind}`] ?? [created]
}
