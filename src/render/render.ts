import { digestOf } from '#lib/digest.ts'
import type { Digest } from '#lib/digest.ts'
import { Failure } from '#lib/failure.ts'
import { isObject } from '#lib/json.ts'
import type { Json } from '#lib/json.ts'
import type { Desired } from '#model/resource.ts'
import type { TreeReader } from '#model/tree.ts'
import type { RenderCache } from './cache.ts'
import { follow } from './follow.ts'
import { helm } from './helm/helm.ts'
import { kustomize } from './kustomize/kustomize.ts'
import { desiredObjects, holdsSecretData, refusePlainSecrets } from './objects.ts'
import { plain } from './plain/plain.ts'
import { answer, logReads } from './read-log.ts'
import type { Question, Read } from './read-log.ts'
import type { RenderCall, Renderer } from './renderer.ts'
import type { RenderTools } from './tools.ts'

/** The first that knows a folder's sort renders it; `plain` takes any. */
const renderers = [kustomize, helm, plain] as const satisfies readonly Renderer[]

/** A new number where the same files are to give something else than before. */
const revision = 1

export type RenderOptions = {
  readonly reader: TreeReader
  /** The folder of the module's source, from the repository's root. */
  readonly path: string
  readonly spec: { readonly empty: boolean; readonly plainSecrets: boolean }
  /** `module <name>`: for errors that no file is to blame for. */
  readonly subject: string
  readonly cache: RenderCache
  readonly tools: RenderTools
  readonly signal: AbortSignal
}

export type Rendering = {
  /** Sorted by key. Shared with other renderings: never change it. */
  readonly desired: readonly Desired[]
  /** A digest of all that made it: the renderer, what it read, and how. Equal keys are equal objects. */
  readonly key: Digest
  readonly read: readonly Read[]
  /** Whether it was there already. */
  readonly cached: boolean
}

/**
 * What a module wants in one environment. Rendered only when something that its last rendering read is another now, which is told by Git ids
 * alone. Failures: `source-missing`, `render-empty`, `secret-in-git`, `path-outside-repository`, `submodule-refused`, and those of the
 * renderers, of `desiredObjects` and of `readYaml`.
 */
export async function renderModule(options: RenderOptions): Promise<Rendering> {
  options.signal.throwIfAborted()
  const rendering = (await cached(options)) ?? (await rendered(options))
  const { spec, subject, reader, path } = options
  if (rendering.desired.length === 0 && !spec.empty) {
    throw new Failure({
      code: 'render-empty',
      subject,
      message: `${reader.repository}/${path} renders to nothing`,
      hint: 'Nothing is deleted for that. If the module is to have no objects, it says `empty: true`.',
    })
  }
  if (!spec.plainSecrets) refusePlainSecrets(rendering.desired)
  return rendering
}

/** The questions that the last rendering of this folder asked, answered anew: where a rendering with just these answers is kept, it stands. */
async function cached(options: RenderOptions): Promise<Rendering | undefined> {
  const { cache, reader } = options
  const hint = await cache.get(readsKey(options))
  if (!isObject(hint)) return undefined
  const renderer = renderers.find((one) => one.id === hint['renderer'])
  if (renderer === undefined || !Array.isArray(hint['questions'])) return undefined
  const questions = hint['questions'] as unknown as Question[]
  const read: Read[] = []
  for (const question of questions) read.push(await answer(reader, question))
  const key = await renderingKey(renderer, options, read)
  const kept = await cache.get(`rendered/${key}`)
  return Array.isArray(kept) ? { desired: kept as unknown as Desired[], key, read, cached: true } : undefined
}

async function rendered(options: RenderOptions): Promise<Rendering> {
  const { cache, path, signal, tools } = options
  const log = logReads(options.reader)
  const { reader } = log
  const folder = await follow(reader, path)
  if (folder?.type !== 'tree') {
    throw new Failure({
      code: 'source-missing',
      subject: options.subject,
      message: folder === undefined ? `there is no folder ${reader.repository}/${path}` : `${reader.repository}/${path} is a file: a source is a folder`,
      hint: 'spec.source.path is relative to the module’s file.',
    })
  }
  const renderer = await rendererOf(reader, folder.path)
  const documents = await renderer.render(callOf({ tools, signal }), reader, folder.path)
  const desired = desiredObjects(documents, reader.repository)
  const read = log.reads()
  const key = await renderingKey(renderer, options, read)
  if (!desired.some(holdsSecretData)) {
    await cache.set(`rendered/${key}`, desired as unknown as Json)
    await cache.set(readsKey(options), { renderer: renderer.id, questions: read.map((one) => ({ path: one.path, how: one.how })) })
  }
  return { desired, key, read, cached: false }
}

async function rendererOf(reader: TreeReader, path: string): Promise<Renderer> {
  for (const renderer of renderers) if (await renderer.detect(reader, path)) return renderer
  return plain
}

function readsKey({ reader, path }: RenderOptions): string {
  return `reads/${digestOf({ revision, repository: reader.repository, path })}`
}

async function renderingKey(renderer: Renderer, options: RenderOptions, read: readonly Read[]): Promise<Digest> {
  const { reader, path } = options
  return digestOf({ revision, renderer: renderer.id, fingerprint: await renderer.fingerprint(callOf(options)), repository: reader.repository, path, read })
}

function callOf({ tools, signal }: Pick<RenderOptions, 'tools' | 'signal'>): RenderCall {
  return { tools, signal }
}
