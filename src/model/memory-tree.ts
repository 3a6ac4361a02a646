import { createHash } from 'node:crypto'
import { Failure } from '#lib/failure.ts'
import type { TreeEntry, TreeReader } from './tree.ts'

/** A file's content, or where a symbolic link leads, or a submodule. */
export type MemoryFile = string | Buffer | { readonly link: string } | { readonly submodule: string }

/** For tests: a tree of files in memory, with ids as Git makes them of content (not the same ids). `reads` counts the blobs that were read. */
export function memoryTree(files: Readonly<Record<string, MemoryFile>>, repository = 'orders'): TreeReader & { readonly reads: string[] } {
  const reads: string[] = []
  const hash = (text: string | Buffer): string => createHash('sha1').update(text).digest('hex')
  const bytesOf = (file: MemoryFile): Buffer => (typeof file === 'string' || Buffer.isBuffer(file) ? Buffer.from(file) : Buffer.from('link' in file ? file.link : file.submodule))
  const ids = new Map(Object.entries(files).map(([path, file]) => [path, hash(bytesOf(file))]))
  const normal = (path: string): string => {
    const segments: string[] = []
    for (const part of path.split('/')) {
      if (part === '' || part === '.') continue
      if (part !== '..') segments.push(part)
      else if (segments.pop() === undefined) throw new Failure({ code: 'path-outside-repository', subject: repository, message: `${path} leaves the repository` })
    }
    return segments.join('/')
  }
  const children = (folder: string): TreeEntry[] => {
    const prefix = folder === '' ? '' : `${folder}/`
    const names = new Set(Object.keys(files).flatMap((path) => (path.startsWith(prefix) ? [path.slice(prefix.length).split('/')[0] ?? ''] : [])))
    return [...names].sort().map((name) => at(`${prefix}${name}`)).filter((found) => found !== undefined)
  }
  const at = (path: string): TreeEntry | undefined => {
    const file = files[path]
    if (file !== undefined) return { path, id: ids.get(path) ?? '', type: typeof file === 'string' || Buffer.isBuffer(file) ? 'blob' : 'link' in file ? 'link' : 'submodule' }
    const below = path === '' || Object.keys(files).some((other) => other.startsWith(`${path}/`))
    return below ? { path, id: hash(children(path).map((child) => `${child.type} ${child.path} ${child.id}`).join('\n')), type: 'tree' } : undefined
  }
  return {
    repository,
    commit: hash([...ids].join('\n')),
    reads,
    entry: async (path) => at(normal(path)),
    list: async (path) => (at(normal(path))?.type === 'tree' ? children(normal(path)) : undefined),
    walk: async (path) => {
      const folder = normal(path)
      const below = Object.keys(files).filter((file) => folder === '' || file === folder || file.startsWith(`${folder}/`))
      return below.sort().map((file) => at(file)).filter((found) => found !== undefined && (found.type === 'blob' || found.type === 'link')) as TreeEntry[]
    },
    read: async (entry) => {
      reads.push(entry.path)
      const file = files[entry.path]
      if (file === undefined) throw new Failure({ code: 'not-a-file', subject: entry.path, message: 'not a file' })
      const bytes = bytesOf(file)
      if (bytes.length > 8 * 1024 * 1024) throw new Failure({ code: 'file-too-large', subject: entry.path, message: `${entry.path} has ${bytes.length} bytes` })
      return bytes
    },
  }
}
