import { Failure } from '#lib/failure.ts'
import type { TreeEntry, TreeReader } from '#model/tree.ts'
import { objectId } from './git.ts'
import type { GitObject, ObjectStore } from './objects.ts'

type Child = { readonly name: string; readonly id: string; readonly type: TreeEntry['type'] }

export type TreeLimits = {
  /** Of one file. */
  readonly maxBlobBytes: number
  /** Of what one `walk` gives: a few small trees that name each other can unfold to billions. */
  readonly maxEntries: number
}
export const treeLimits: TreeLimits = { maxBlobBytes: 8 * 1024 * 1024, maxEntries: 200_000 }

const maxTreeBytes = 32 * 1024 * 1024
const cachedChildren = 300_000

/** Trees of one repository by their id, parsed once. Trees never change, so that nothing ever has to be dropped but for room. */
export class TreeCache {
  readonly #objects: ObjectStore
  readonly #subject: string
  readonly #trees = new Map<string, Promise<readonly Child[]>>()
  #size = 0

  constructor(objects: ObjectStore, subject: string) {
    this.#objects = objects
    this.#subject = subject
  }

  children(id: string): Promise<readonly Child[]> {
    const cached = this.#trees.get(id)
    if (cached !== undefined) return cached
    const loading = this.#load(id)
    this.#trees.set(id, loading)
    loading.then(
      (children) => {
        this.#size += children.length + 1
        if (this.#size <= cachedChildren) return
        this.#trees.clear()
        this.#size = 0
      },
      () => this.#trees.delete(id), // a failed read is asked again, never remembered
    )
    return loading
  }

  async #load(id: string): Promise<readonly Child[]> {
    const answer = await this.#objects.read(id, maxTreeBytes)
    return parseTree(expectObject(answer, 'tree', id, this.#subject).bytes, this.#subject)
  }
}

/** An object that must be there, because another one names it. Failures: `mirror-corrupt`, `tree-too-large`. */
export function expectObject(answer: Awaited<ReturnType<ObjectStore['read']>>, type: GitObject['type'], id: string, subject: string): GitObject {
  if (answer !== undefined && 'tooLarge' in answer) {
    throw new Failure({ code: 'tree-too-large', subject, message: `the ${type} ${id} of repository ${subject} has ${answer.tooLarge} bytes` })
  }
  if (answer?.type === type) return answer
  const what = answer === undefined ? 'is missing' : `is a ${answer.type}`
  throw new Failure({ code: 'mirror-corrupt', subject, message: `the ${type} ${id} in the mirror of ${subject} ${what}`, hint: 'The next fetch makes the mirror anew.', retry: 'later' })
}

/** A raw tree object: `<mode> SP <name> NUL <20 bytes of id>`, repeated. */
function parseTree(bytes: Buffer, subject: string): Child[] {
  const children: Child[] = []
  for (let at = 0; at < bytes.length; ) {
    const space = bytes.indexOf(32, at)
    const nul = bytes.indexOf(0, space)
    if (space === -1 || nul === -1 || nul + 21 > bytes.length) {
      throw new Failure({ code: 'mirror-corrupt', subject, message: `a tree in the mirror of ${subject} cannot be read`, retry: 'later' })
    }
    const name = bytes.toString('utf8', space + 1, nul)
    if (name === '' || name === '.' || name === '..' || name.includes('/') || name.toLowerCase() === '.git') {
      // git makes no such tree; whoever did wants a reader to write outside its folder.
      throw new Failure({ code: 'path-outside-repository', subject, message: `a tree of repository ${subject} has an entry named ${JSON.stringify(name)}`, hint: 'Make the commit anew with git itself, which writes no such entry.' })
    }
    children.push({ name, type: typeOf(bytes.toString('latin1', at, space)), id: bytes.toString('hex', nul + 1, nul + 21) })
    at = nul + 21
  }
  return children.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
}

function typeOf(mode: string): TreeEntry['type'] {
  const kind = Number.parseInt(mode, 8) & 0o170000
  return kind === 0o040000 ? 'tree' : kind === 0o120000 ? 'link' : kind === 0o160000 ? 'submodule' : 'blob'
}

/** The names on the way to a path. Failure `path-outside-repository`. */
function segmentsOf(path: string, subject: string): string[] {
  const segments: string[] = []
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue
    if (part !== '..') segments.push(part)
    else if (segments.pop() === undefined) throw outside(path, subject)
  }
  if (path.startsWith('/')) throw outside(path, subject)
  return segments
}

function outside(path: string, subject: string): Failure {
  return new Failure({
    code: 'path-outside-repository',
    subject,
    message: `${JSON.stringify(path.slice(0, 200))} leaves repository ${subject}`,
    hint: 'Paths are relative to the root of the repository.',
  })
}

/** Sight of one commit. What is read is found by ids alone: links are not followed, and two readers of one commit see the same for ever. */
export function readTree(objects: ObjectStore, cache: TreeCache, subject: string, commit: string, limits: TreeLimits): TreeReader {
  objectId(commit, subject)
  let root: Promise<string> | undefined
  const findRoot = async (): Promise<string> => {
    const answer = await objects.read(`${commit}^{tree}`, maxTreeBytes)
    if (answer !== undefined) return expectObject(answer, 'tree', commit, subject).id
    throw new Failure({ code: 'commit-unknown', subject, message: `the mirror of ${subject} has no commit ${commit}`, retry: 'later' })
  }
  const rootId = (): Promise<string> => {
    root ??= findRoot().catch((error: unknown) => {
      root = undefined
      throw error
    })
    return root
  }
  const entry = async (path: string): Promise<TreeEntry | undefined> => {
    const segments = segmentsOf(path, subject)
    let found: TreeEntry = { path: '', id: await rootId(), type: 'tree' }
    for (const name of segments) {
      if (found.type !== 'tree') return undefined
      const child: Child | undefined = (await cache.children(found.id)).find((one) => one.name === name)
      if (child === undefined) return undefined
      found = under(found.path, child)
    }
    return found
  }
  const list = async (path: string): Promise<TreeEntry[] | undefined> => {
    const folder = await entry(path)
    return folder?.type === 'tree' ? (await cache.children(folder.id)).map((child) => under(folder.path, child)) : undefined
  }
  const walk = async (path: string): Promise<TreeEntry[]> => {
    const start = await entry(path)
    const found: TreeEntry[] = []
    let level = start === undefined ? [] : [start]
    for (let seen = 0; level.length > 0; ) {
      found.push(...level.filter((one) => one.type === 'blob' || one.type === 'link'))
      const folders = level.filter((one) => one.type === 'tree')
      const next: TreeEntry[] = []
      for (const [index, children] of (await Promise.all(folders.map((one) => cache.children(one.id)))).entries()) {
        seen += children.length
        if (seen > limits.maxEntries) throw tooMany(path)
        for (const child of children) next.push(under(folders[index]?.path ?? '', child))
      }
      level = next
    }
    return found.sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0))
  }
  const tooMany = (path: string): Failure =>
    new Failure({
      code: 'tree-too-large',
      subject: `${subject}/${path}`,
      message: `there are more than ${limits.maxEntries} files below ${JSON.stringify(path)} in repository ${subject}`,
      hint: 'Name a smaller folder, or keep what no module reads in another repository.',
    })
  const read = async (file: TreeEntry): Promise<Buffer> => {
    const where = `${subject}/${file.path}`
    if (file.type !== 'blob' && file.type !== 'link') throw new Failure({ code: 'not-a-file', subject: where, message: `${where} is a ${file.type}, not a file` })
    const answer = await objects.read(objectId(file.id, subject), limits.maxBlobBytes)
    if (answer === undefined || !('tooLarge' in answer)) return expectObject(answer, 'blob', file.id, subject).bytes
    throw new Failure({
      code: 'file-too-large',
      subject: where,
      message: `${where} has ${answer.tooLarge} bytes; the limit is ${limits.maxBlobBytes}`,
      hint: 'Keep large files out of the folders that modules read.',
    })
  }
  return { repository: subject, commit, entry, list, walk, read }
}

function under(folder: string, child: Child): TreeEntry {
  return { path: folder === '' ? child.name : `${folder}/${child.name}`, id: child.id, type: child.type }
}
