import { digestOf } from '#lib/digest.ts'
import type { TreeEntry, TreeReader } from '#model/tree.ts'

/** One thing that was asked of a tree: `entry`, what stands at a path; `list`, which names a folder holds. */
export type Question = { readonly path: string; readonly how: 'entry' | 'list' }
/** With its answer: a Git id (`blob:…`, `link:…`), the sort of what stands there, a digest of names, or `absent`. */
export type Read = Question & { readonly id: string }

/**
 * A reader that keeps what was asked of it. The answers decide a rendering, and nothing else does: where all of them are the same again, so
 * is the rendering. A folder's answer is that it is there, and a listing's the names: what lies deeper does not matter until it is read.
 */
export function logReads(reader: TreeReader): { readonly reader: TreeReader; reads(): Read[] } {
  const answers = new Map<string, Read>()
  const keep = (path: string, how: Question['how'], id: string): void => void answers.set(`${how} ${path}`, { path, how, id })
  return {
    reads: () => [...answers.values()].sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : a.how < b.how ? -1 : 1)),
    reader: {
      repository: reader.repository,
      commit: reader.commit,
      entry: async (path) => {
        const entry = await reader.entry(path)
        keep(path, 'entry', entryId(entry))
        return entry
      },
      list: async (path) => {
        const entries = await reader.list(path)
        keep(path, 'list', listId(entries))
        return entries
      },
      walk: async () => {
        throw new Error('a renderer asks for what it needs, so that a change elsewhere does not render anew')
      },
      read: async (entry) => {
        keep(entry.path, 'entry', entryId(entry))
        return reader.read(entry)
      },
    },
  }
}

/** Today's answer to a question of before. */
export async function answer(reader: TreeReader, { path, how }: Question): Promise<Read> {
  return { path, how, id: how === 'entry' ? entryId(await reader.entry(path)) : listId(await reader.list(path)) }
}

function entryId(entry: TreeEntry | undefined): string {
  if (entry === undefined) return 'absent'
  return entry.type === 'tree' || entry.type === 'submodule' ? entry.type : `${entry.type}:${entry.id}`
}

function listId(entries: readonly TreeEntry[] | undefined): string {
  return entries === undefined ? 'absent' : digestOf(entries.map((entry) => [entry.path, entry.type]))
}
