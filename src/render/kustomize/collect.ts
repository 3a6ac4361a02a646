import { posix } from 'node:path'
import { Failure } from '#lib/failure.ts'
import { isObject } from '#lib/json.ts'
import type { JsonObject } from '#lib/json.ts'
import { locateYaml } from '#lib/yaml-locate.ts'
import type { YamlDocument } from '#lib/yaml.ts'
import type { TreeEntry, TreeReader } from '#model/tree.ts'
import { follow } from '../follow.ts'
import type { ParsedBlobs } from '../parsed-blobs.ts'
import { pluginReferences, referencesOf } from './references.ts'
import type { Reference, Refusal } from './references.ts'

export const kustomizationNames = ['kustomization.yaml', 'kustomization.yml', 'Kustomization']

/** The files of a build, by their path from the repository's root, and where each document of a resource begins. */
export type Collected = {
  readonly files: ReadonlyMap<string, string | Buffer>
  /** The real path of the folder to build. */
  readonly folder: string
  readonly documents: ReadonlyMap<string, readonly YamlDocument[]>
  /** Whether the kustomization itself asks for annotations that tell the origin. */
  readonly keepsOrigins: boolean
}

const limits = { files: 5_000, bytes: 64 * 1024 * 1024 }

/**
 * Follows a kustomization to every file that its build reads. Kustomizations and the configuration of plugins are written anew, as JSON, with
 * every name led to where it really is: what was checked here is what runs, whatever another YAML reader makes of the original.
 * Failures: `kustomize-remote-base`, `kustomize-base-missing`, `kustomization-invalid`, `render-too-large`, `path-outside-repository`,
 * those of `follow` and `readYaml`.
 */
export async function collect(reader: TreeReader, blobs: ParsedBlobs, folder: string): Promise<Collected> {
  const collector = new Collector(reader, blobs)
  const root = await follow(reader, folder)
  await collector.kustomization(root?.path ?? folder, undefined)
  return { files: collector.files, folder: root?.path ?? folder, documents: collector.documents, keepsOrigins: collector.keepsOrigins }
}

/** The file that stands in a name's way to be told in a message. */
type Origin = { readonly file: TreeEntry; readonly index: number; readonly path: Reference['path'] }

class Collector {
  readonly files = new Map<string, string | Buffer>()
  readonly documents = new Map<string, readonly YamlDocument[]>()
  keepsOrigins = false
  readonly #reader: TreeReader
  readonly #blobs: ParsedBlobs
  readonly #seen = new Set<string>()
  #bytes = 0

  constructor(reader: TreeReader, blobs: ParsedBlobs) {
    this.#reader = reader
    this.#blobs = blobs
  }

  async kustomization(folder: string, from: Origin | undefined): Promise<void> {
    if (this.#seen.has(folder)) return // shared, or a circle, which kustomize has the words for
    this.#seen.add(folder)
    const file = await this.#find(folder, from)
    const [document, second] = await this.#blobs.documents(this.#reader, file)
    if (document === undefined || second !== undefined || !isObject(document.value)) {
      throw await this.#failure('kustomization-invalid', { file, index: document?.index ?? 0, path: [] }, 'expected one mapping in a kustomization file')
    }
    const copy = structuredClone(document.value) // what was parsed is shared
    if (from === undefined) this.#askForOrigins(copy)
    await this.#references(folder, file, document.index, referencesOf(copy))
    this.#put(posix.join(folder, 'kustomization.yaml'), JSON.stringify(copy))
  }

  /** The annotations are taken off again, unless the kustomization wants them itself. */
  #askForOrigins(kustomization: JsonObject): void {
    const asked = Array.isArray(kustomization['buildMetadata']) ? kustomization['buildMetadata'] : []
    this.keepsOrigins = asked.includes('originAnnotations')
    if (!this.keepsOrigins) kustomization['buildMetadata'] = [...asked, 'originAnnotations']
  }

  async #find(folder: string, from: Origin | undefined): Promise<TreeEntry> {
    const found = (await Promise.all(kustomizationNames.map((name) => follow(this.#reader, posix.join(folder, name))))).filter((entry) => entry?.type === 'blob')
    const [file] = found
    if (file !== undefined && found.length === 1) return file
    const message = found.length > 1 ? `${folder} has more than one kustomization file` : `the folder ${folder} has no kustomization file`
    const code = found.length > 1 ? 'kustomization-invalid' : 'kustomize-base-missing'
    if (from !== undefined) throw await this.#failure(code, from, message)
    throw new Failure({ code, subject: `${this.#reader.repository}/${folder}`, message })
  }

  async #references(folder: string, file: TreeEntry, index: number, found: { references: Reference[]; refusals: Refusal[] }): Promise<void> {
    const [refusal] = found.refusals
    if (refusal !== undefined) throw await this.#failure('kustomization-invalid', { file, index, path: refusal.path }, refusal.message)
    for (const reference of found.references) {
      const from = { file, index, path: reference.path }
      const target = await this.#resolve(folder, reference, from)
      const relative = posix.relative(folder, target.path)
      reference.replace(relative.startsWith('../') || relative === '..' ? relative : `./${relative}`)
      if (target.type === 'tree') await this.kustomization(target.path, from)
      else if (reference.sort === 'config') await this.#plugin(target)
      else await this.#file(target, reference.sort)
    }
  }

  async #resolve(folder: string, reference: Reference, from: Origin): Promise<TreeEntry> {
    const { written, sort } = reference
    if (isRemote(written)) {
      throw await this.#failure('kustomize-remote-base', from, `${written.slice(0, 200)} is not in this repository`, 'A rendering fetches nothing: copy it into the repository, at the version that was reviewed.')
    }
    const path = posix.join(folder, written)
    if (path === '..' || path.startsWith('../')) throw await this.#failure('path-outside-repository', from, `${written.slice(0, 200)} leaves the repository`)
    const entry = written.startsWith('/') ? undefined : await follow(this.#reader, path)
    // Not a folder of plugins' configuration: there, every resource could name files in turn.
    const fits = entry?.type === 'blob' ? sort !== 'folder' : entry?.type === 'tree' && (sort === 'resource' || sort === 'folder')
    if (entry !== undefined && fits) return entry
    const wanted = sort === 'folder' ? 'folder' : sort === 'resource' ? 'file or folder' : 'file'
    throw await this.#failure('kustomize-base-missing', from, `there is no ${wanted} ${written.slice(0, 200)} (from ${folder === '' ? 'the root' : folder})`, 'Paths are relative to the kustomization that names them.')
  }

  async #plugin(file: TreeEntry): Promise<void> {
    if (this.files.has(file.path)) return
    const texts: string[] = []
    for (const { value, index } of await this.#blobs.documents(this.#reader, file)) {
      if (!isObject(value)) throw await this.#failure('kustomization-invalid', { file, index, path: [] }, 'expected the configuration of a plugin')
      const copy = structuredClone(value)
      await this.#references(posix.dirname(file.path), file, index, pluginReferences(copy))
      texts.push(JSON.stringify(copy))
    }
    this.#put(file.path, texts.join('\n---\n'))
  }

  async #file(entry: TreeEntry, sort: Reference['sort']): Promise<void> {
    if (this.files.has(entry.path)) return
    // Parsed here first: within limits, and with errors that have a place.
    if (sort === 'resource') this.documents.set(entry.path, await this.#blobs.documents(this.#reader, entry))
    this.#put(entry.path, await this.#reader.read(entry))
  }

  #put(path: string, content: string | Buffer): void {
    this.files.set(path, content)
    this.#bytes += content.length
    if (this.files.size <= limits.files && this.#bytes <= limits.bytes) return
    throw new Failure({
      code: 'render-too-large',
      subject: `${this.#reader.repository}/${path}`,
      message: `a kustomization reads more than ${limits.files} files or ${limits.bytes} bytes`,
      hint: 'Split the module.',
    })
  }

  async #failure(code: 'kustomize-remote-base' | 'kustomize-base-missing' | 'kustomization-invalid' | 'path-outside-repository', from: Origin, message: string, hint?: string): Promise<Failure> {
    const text = new TextDecoder().decode(await this.#reader.read(from.file))
    const { line, column } = locateYaml(text, from.index, from.path)
    const file = from.file.path
    return new Failure({
      code,
      subject: `${this.#reader.repository}/${file}:${line}:${column}`,
      message,
      ...(hint === undefined ? {} : { hint }),
      fields: { repository: this.#reader.repository, file, line, column },
    })
  }
}

/** What kustomize would fetch: a URL, `git::…`, `user@host:…`, a host of its own list, or a path with a Git ref. */
function isRemote(written: string): boolean {
  return /^[a-z][a-z\d+.-]*:\/\//i.test(written) || /^(git|hg|s3|gcs)::/i.test(written) || /^[\w.-]+@[\w.-]+:/.test(written) || /^(www\.)?(github|gitlab|bitbucket)\.(com|org)[/:]/i.test(written) || /[?&](ref|version)=/.test(written)
}
