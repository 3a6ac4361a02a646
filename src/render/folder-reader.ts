import { constants } from 'node:fs'
import { lstat, open, readdir, readlink } from 'node:fs/promises'
import { join, posix } from 'node:path'
import { Failure } from '#lib/failure.ts'
import type { TreeEntry, TreeReader } from '#model/tree.ts'

const maxFileBytes = 8 * 1024 * 1024
const maxEntries = 200_000
/** What is in a working directory and is no part of a repository's content. */
const left = new Set(['.git', 'node_modules', '.plumb'])

/**
 * A working directory as a tree: for checks before a commit, where there are no Git objects yet. Links are entries, and are not followed; a
 * folder with a repository of its own is a submodule. `id`s tell one state of a file from another in one process, and are no Git ids.
 */
export function folderReader(root: string, repository: string): TreeReader {
  const entry = async (path: string): Promise<TreeEntry | undefined> => {
    const normal = normalise(path, repository)
    let found: TreeEntry | undefined = { path: '', id: '', type: 'tree' }
    let at = ''
    for (const name of normal === '' ? [] : normal.split('/')) {
      if (found?.type !== 'tree' || left.has(name)) return undefined
      at = at === '' ? name : `${at}/${name}`
      found = await look(root, at)
    }
    return found
  }
  const list = async (path: string): Promise<TreeEntry[] | undefined> => {
    const folder = await entry(path)
    if (folder?.type !== 'tree') return undefined
    const names = (await readdir(join(root, folder.path))).filter((name) => !left.has(name)).sort()
    const found = await Promise.all(names.map((name) => look(root, folder.path === '' ? name : `${folder.path}/${name}`)))
    return found.filter((one) => one !== undefined)
  }
  const walk = async (path: string): Promise<TreeEntry[]> => {
    const start = await entry(path)
    const found: TreeEntry[] = []
    let level = start === undefined ? [] : [start]
    while (level.length > 0) {
      found.push(...level.filter((one) => one.type === 'blob' || one.type === 'link'))
      const below = await Promise.all(level.filter((one) => one.type === 'tree').map((one) => list(one.path)))
      level = below.flatMap((children) => children ?? [])
      if (found.length + level.length > maxEntries) throw new Failure({ code: 'tree-too-large', subject: root, message: `there are more than ${maxEntries} files below ${root}`, hint: 'Name a smaller folder.' })
    }
    return found.sort((a, b) => (a.path < b.path ? -1 : 1))
  }
  const read = async (file: TreeEntry): Promise<Buffer> => {
    const path = join(root, file.path)
    if (file.type === 'link') return Buffer.from(await readlink(path))
    const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
    try {
      const { size } = await handle.stat()
      if (size <= maxFileBytes) return await handle.readFile()
      throw new Failure({ code: 'file-too-large', subject: `${repository}/${file.path}`, message: `${file.path} has ${size} bytes; the limit is ${maxFileBytes}` })
    } finally {
      await handle.close()
    }
  }
  return { repository, commit: 'working-directory', entry, list, walk, read }
}

/** Undefined for what is not there, and for what Git would not keep: sockets, devices. */
async function look(root: string, path: string): Promise<TreeEntry | undefined> {
  const stats = await lstat(join(root, path)).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined
    throw error
  })
  if (stats === undefined) return undefined
  const id = `${stats.ino}-${stats.size}-${stats.mtimeMs}`
  if (stats.isSymbolicLink()) return { path, id, type: 'link' }
  if (stats.isFile()) return { path, id, type: 'blob', size: stats.size }
  if (!stats.isDirectory()) return undefined
  const isRepository = (await lstat(join(root, path, '.git')).catch(() => undefined)) !== undefined
  return { path, id, type: isRepository ? 'submodule' : 'tree' }
}

function normalise(path: string, repository: string): string {
  const normal = posix.normalize(path === '' ? '.' : path)
  if (normal.startsWith('/') || normal === '..' || normal.startsWith('../')) {
    throw new Failure({ code: 'path-outside-repository', subject: repository, message: `${path} leaves ${repository}`, hint: 'Paths are relative to the root of the repository.' })
  }
  return normal === '.' ? '' : normal.replace(/\/$/, '')
}
