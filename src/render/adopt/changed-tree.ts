import { createHash } from 'node:crypto'
import { posix } from 'node:path'
import type { TreeEntry, TreeReader } from '#model/tree.ts'
import type { Changes } from './wish.ts'

/** A tree as it would be with some files changed. Paths of changes are real ones: no link stands on the way. */
export function changedTree(reader: TreeReader, changes: Changes): TreeReader {
  const put = new Map([...changes].filter((entry): entry is [string, Buffer] => entry[1] !== undefined))
  const ids = new Map([...put].map(([path, bytes]) => [path, `changed-${createHash('sha256').update(bytes).digest('hex')}`]))
  const changed = (path: string): TreeEntry | undefined => {
    const id = ids.get(path)
    return id === undefined ? undefined : { path, id, type: 'blob' }
  }
  const list = async (path: string): Promise<TreeEntry[] | undefined> => {
    const folder = await reader.entry(path)
    const children = folder?.type === 'tree' ? await reader.list(path) : undefined
    if (children === undefined) return undefined
    const here = [...put.keys()].filter((file) => posix.dirname(file) === (folder?.path === '' ? '.' : folder?.path))
    const names = new Set(here)
    const kept = children.filter((child) => !names.has(child.path) && !(changes.has(child.path) && changes.get(child.path) === undefined))
    return [...kept, ...here.map((file) => changed(file)).filter((entry) => entry !== undefined)].sort((a, b) => (a.path < b.path ? -1 : 1))
  }
  return {
    repository: reader.repository,
    commit: reader.commit,
    entry: async (path) => {
      const normal = posix.normalize(path)
      return changes.has(normal) ? changed(normal) : reader.entry(path)
    },
    list,
    walk: async () => {
      throw new Error('a renderer asks for what it needs')
    },
    read: async (entry) => (entry.id === ids.get(entry.path) ? (put.get(entry.path) ?? reader.read(entry)) : reader.read(entry)),
  }
}
