import { posix } from 'node:path'
import type { z } from 'zod'
import { ByteCache } from '#lib/byte-cache.ts'
import { Failure } from '#lib/failure.ts'
import type { FailureJson } from '#lib/failure.ts'
import { matchesGlob } from '#model/glob.ts'
import type { TreeEntry, TreeReader } from '#model/tree.ts'
import { checkProbeSets } from './check-probes.ts'
import { checkEnvironments, checkModules, checkWorkspace } from './checks.ts'
import type { FoundModule } from './checks.ts'
import type { Environment } from './environment.ts'
import type { Module } from './module.ts'
import { configurationSchemas, parseConfiguration, shownFile } from './parse.ts'
import { checkOperations } from './check-operations.ts'
import type { Operation } from './operation.ts'
import type { ConfigDocument, ParsedFile, Schemas, Source } from './parse.ts'
import type { ProbeSet } from './probe-set.ts'
import { withOwnVariables } from './substitute.ts'
import type { Workspace } from './workspace.ts'

export type LoadedModule = {
  readonly config: Module
  readonly repository: string
  /** From the repository's root. */
  readonly file: string
  /** That of the file; `.` is the root. */
  readonly folder: string
}

/** Something that is there and cannot be used. Nothing that it may stand for is gone. */
export type Broken = {
  readonly repository: string
  /** Without one, the whole repository: it could not be read. */
  readonly file?: string
  /** Why nothing of this commit of the repository can ever be read, where that is so; without a file or this, it is just not at hand. */
  readonly failure?: FailureJson
  /** The modules that it stands for, as far as they can be told; without, it may be any of the file's. */
  readonly names?: readonly string[]
}

export type LoadedConfiguration = {
  readonly workspace: Workspace
  /** Each with its variables in its own probes. */
  readonly environments: ReadonlyMap<string, Environment>
  readonly probeSets: ReadonlyMap<string, ProbeSet>
  readonly operations: ReadonlyMap<string, Operation>
  /** The modules that are whole, by name. What is broken is left out, and is in `broken`. */
  readonly modules: ReadonlyMap<string, LoadedModule>
  readonly broken: readonly Broken[]
  /** What is wrong with modules. Each has the repository and the file in `fields`. */
  readonly problems: readonly FailureJson[]
}

/** Files that were parsed, by their Git ids: hand the same one in again, and a push costs the files that it changed. */
export type ParseCache = ByteCache<ParsedFile>
export const parseCache = (): ParseCache => new ByteCache(64 * 1024 * 1024)

export const workspaceFile = 'plumbline.yaml'

/**
 * Reads the configuration of a snapshot. `workspace` names the reader of the workspace's own repository; the name that the workspace
 * document gives to it (the one with the url `.`) is the one that modules bear. A repository without a reader counts as broken.
 *
 * A broken module is left out and told, and so is a whole repository whose tree can never be read; a broken workspace, environment, probe set or operation
 * refuses the whole: Failure `configuration-invalid` with every problem in `fields.problems`. What may be read another time is thrown as it comes.
 */
export async function loadConfiguration(
  readers: Readonly<Record<string, TreeReader>>,
  workspace: string,
  probes: Readonly<Record<string, z.ZodType>>,
  cache: ParseCache = parseCache(),
): Promise<LoadedConfiguration> {
  const files = new Files(configurationSchemas(probes), cache)
  const home = readers[workspace]
  if (home === undefined) throw refusedWith([problem('workspace-missing', { repository: workspace, file: workspaceFile }, 'the workspace’s own repository has not been read yet')], 'later')

  const { document, environments, probeSets, operations } = await ownOf(files, home)
  const own = Object.entries(document.config.spec.repositories).find(([, repository]) => repository.url === '.')?.[0] ?? workspace

  const modules: FoundModule[] = []
  const broken: Broken[] = []
  const problems: FailureJson[] = []
  for (const repository of Object.keys(document.config.spec.repositories).sort()) {
    const reader = repository === own ? home : readers[repository]
    if (reader === undefined) {
      broken.push({ repository })
      continue
    }
    const found = await modulesOf(files, reader, repository, document.config.spec.modules).catch((error: unknown) => unreadable(error, repository))
    modules.push(...found.modules)
    broken.push(...found.broken)
    problems.push(...found.problems)
  }
  const known = new Set([...modules.map((module) => module.config.metadata.name), ...broken.flatMap((one) => one.names ?? [])])
  const isWhole = broken.every((one) => one.names !== undefined)
  const unlimited = new Set(Object.entries(document.config.spec.repositories).flatMap(([name, { allow }]) => (allow === 'everything' ? [name] : [])))
  const checked = checkModules(modules, environments, (name) => known.has(name) || (isWhole ? false : undefined), known, unlimited, probeSets)
  return {
    workspace: document.config,
    environments,
    probeSets,
    operations,
    modules: new Map(checked.whole.map(({ config, repository, file }) => [config.metadata.name, { config, repository, file, folder: posix.dirname(file) }])),
    broken: [...broken, ...checked.broken],
    problems: [...problems, ...checked.problems],
  }
}

/** A refusal of the whole configuration, with all the problems that were found. */
function refusedWith(problems: readonly FailureJson[], retry: 'never' | 'later' = 'never'): Failure {
  const [first] = problems
  return new Failure({
    code: 'configuration-invalid',
    subject: first?.subject ?? workspaceFile,
    message: problems.length === 1 && first !== undefined ? first.message : `${problems.length} problems, the first: ${first?.message ?? ''}`,
    ...(first?.hint === undefined ? {} : { hint: first.hint }),
    retry,
    fields: { problems: problems.map((one) => ({ ...one })) },
  })
}

function problem(code: string, source: Source, message: string, hint?: string): FailureJson {
  return new Failure({ code, subject: shownFile(source), message, ...(hint === undefined ? {} : { hint }), fields: { ...source } }).toJSON()
}

/** A tree that nobody will ever read is its own repository's trouble, and must not keep the others from being followed. */
function unreadable(error: unknown, repository: string): Awaited<ReturnType<typeof modulesOf>> {
  const failure = forGood(error, repository)
  return { modules: [], broken: [{ repository, failure }], problems: [failure] }
}

/** A failure that the same commit will always meet; any other is thrown, since it says nothing about what is there. */
function forGood(error: unknown, repository: string): FailureJson {
  if (!(error instanceof Failure) || error.retry !== 'never') throw error
  return { ...error.toJSON(), fields: { ...error.fields, repository } }
}

/** What the workspace's own repository says of the whole. Where its tree can never be read, that refuses the whole as a broken document does. */
async function ownOf(files: Files, home: TreeReader): Promise<{ document: Awaited<ReturnType<typeof workspaceDocument>> } & Awaited<ReturnType<typeof ownDocuments>>> {
  try {
    const document = await workspaceDocument(files, home)
    return { document, ...(await ownDocuments(files, home, document.config)) }
  } catch (error) {
    if (error instanceof Failure && error.code === 'configuration-invalid') throw error
    throw refusedWith([forGood(error, home.repository)])
  }
}

async function workspaceDocument(files: Files, home: TreeReader): Promise<Extract<ConfigDocument, { kind: 'Workspace' }>> {
  const source = { repository: home.repository, file: workspaceFile }
  const entry = await home.entry(workspaceFile)
  if (entry === undefined) {
    throw refusedWith([problem('workspace-missing', source, `there is no ${workspaceFile} at the root of the repository`, 'It holds the Workspace document: which repositories, environments and modules there are.')])
  }
  const parsed = await files.parse(home, entry)
  if (parsed.problems.length > 0) throw refusedWith(parsed.problems)
  const [document, ...others] = parsed.documents.filter((one) => one.kind === 'Workspace')
  if (document === undefined || others.length > 0) throw refusedWith([problem('configuration-invalid', source, `expected one Workspace document, found ${others.length + (document === undefined ? 0 : 1)}`)])
  const problems = [
    ...checkWorkspace(document),
    ...parsed.documents.filter((one) => one.kind === 'Module').map((one) => one.problem({ path: ['kind'], at: 'value', what: 'modules have files of their own' })),
  ]
  if (problems.length > 0) throw refusedWith(problems)
  return document
}

/** Every Environment, ProbeSet and Operation document: in the files that the workspace names, or beside the workspace. */
async function ownDocuments(files: Files, home: TreeReader, { spec }: Workspace): Promise<Pick<LoadedConfiguration, 'environments' | 'probeSets' | 'operations'>> {
  const wanted = { Environment: [spec.environments].flat(), ProbeSet: [spec.probeSets].flat(), Operation: [spec.operations].flat() }
  const all = (await home.walk('')).filter(({ path }) => path !== workspaceFile)
  const beside = await home.entry(workspaceFile)
  const problems: FailureJson[] = []
  const documents: ConfigDocument[] = []
  for (const entry of beside === undefined ? all : [...all, beside]) {
    const kinds = Object.entries(wanted).flatMap(([kind, globs]) => (globs.some((glob) => matchesGlob(glob, entry.path)) ? [kind] : []))
    if (kinds.length === 0 && entry.path !== workspaceFile) continue
    const parsed = await files.parse(home, entry)
    problems.push(...parsed.problems)
    documents.push(...parsed.documents)
    const isMeant = (kind: string): boolean => entry.path === workspaceFile || kinds.includes(kind) || kind === 'Workspace'
    problems.push(...parsed.documents.filter(({ kind }) => !isMeant(kind)).map((one) => one.problem({ path: ['kind'], at: 'value', what: `expected ${kinds.join(' or ')}, found “${one.kind}”` })))
  }
  const environments = documents.filter((one) => one.kind === 'Environment')
  const probeSets = documents.filter((one) => one.kind === 'ProbeSet')
  const operations = documents.filter((one) => one.kind === 'Operation')
  if (environments.length === 0 && problems.length === 0) {
    const hint = `\`spec.environments\` of the workspace is ${wanted.Environment.join(', ')}.`
    problems.push(problem('configuration-invalid', { repository: home.repository, file: workspaceFile }, 'there is no Environment document', hint))
  }
  problems.push(...checkEnvironments(environments), ...checkProbeSets(probeSets), ...checkOperations(operations, byName(environments)))
  if (problems.length > 0) throw refusedWith(problems)
  return { environments: new Map([...byName(environments)].map(([name, environment]) => [name, withOwnVariables(environment)])), probeSets: byName(probeSets), operations: byName(operations) }
}

function byName<Config extends { metadata: { name: string } }>(documents: readonly { readonly config: Config }[]): ReadonlyMap<string, Config> {
  return new Map(documents.map(({ config }) => [config.metadata.name, config] as const).sort(([a], [b]) => (a < b ? -1 : 1)))
}

async function modulesOf(files: Files, reader: TreeReader, repository: string, globs: readonly string[]): Promise<{ modules: FoundModule[]; broken: Broken[]; problems: FailureJson[] }> {
  const entries = (await reader.walk('')).filter(({ path }) => globs.some((glob) => matchesGlob(glob, path)))
  const parsed = await Promise.all(entries.map(async (entry) => ({ file: entry.path, ...(await files.parse(reader, entry)) })))
  const modules: FoundModule[] = []
  const broken: Broken[] = []
  const problems: FailureJson[] = []
  for (const { file, documents, broken: pieces, problems: found } of parsed) {
    problems.push(...found)
    for (const document of documents) {
      if (document.kind === 'Module') modules.push({ ...document, repository, file })
      else if (file !== workspaceFile) problems.push(document.problem({ path: ['kind'], at: 'value', what: `expected Module, found “${document.kind}”` }))
    }
    if (pieces.length === 0) continue
    const names = pieces.flatMap((piece) => piece.name ?? [])
    broken.push({ repository, file, ...(names.length === pieces.length ? { names } : {}) })
  }
  return { modules, broken, problems }
}

/** Reads and parses files; what was parsed before, by the same schemas, is remembered by its Git id. */
class Files {
  readonly #schemas: Schemas
  readonly #cache: ParseCache

  constructor(schemas: Schemas, cache: ParseCache) {
    this.#schemas = schemas
    this.#cache = cache
  }

  async parse(reader: TreeReader, entry: TreeEntry): Promise<ParsedFile> {
    const source = { repository: reader.repository, file: entry.path }
    const key = `${reader.repository}:${entry.path}@${entry.id}`
    const known = this.#cache.get(key)
    if (known !== undefined) return known
    if (entry.type !== 'blob') {
      return { documents: [], broken: [{}], problems: [problem('configuration-invalid', source, `a ${entry.type === 'link' ? 'symbolic link' : entry.type} stands where a configuration file is read`)] }
    }
    let bytes: Buffer
    try {
      bytes = await reader.read(entry)
    } catch (error) {
      // What the file is makes it broken; that it could not be read says nothing about it.
      if (!(error instanceof Failure) || error.code !== 'file-too-large') throw error
      return { documents: [], broken: [{}], problems: [{ ...error.toJSON(), fields: { ...error.fields, ...source } }] }
    }
    const parsed = parseConfiguration(bytes, source, this.#schemas)
    this.#cache.set(key, parsed, 1_000 + 6 * bytes.length)
    return parsed
  }
}
