import { stat } from 'node:fs/promises'
import { basename, dirname, posix } from 'node:path'
import type { z } from 'zod'
import { asFailure, Failure } from '#lib/failure.ts'
import type { FailureJson } from '#lib/failure.ts'
import { checkModules } from '#model/config/checks.ts'
import type { FoundModule } from '#model/config/checks.ts'
import { loadConfiguration, workspaceFile } from '#model/config/load.ts'
import type { LoadedModule } from '#model/config/load.ts'
import { configurationSchemas, parseConfiguration } from '#model/config/parse.ts'
import { sourcePath, withVariables } from '#model/config/substitute.ts'
import type { Environment } from '#model/config/environment.ts'
import { matchesGlob } from '#model/glob.ts'
import type { TreeReader } from '#model/tree.ts'
import { memoryRenderCache } from './cache.ts'
import { folderReader } from './folder-reader.ts'
import { renderModule } from './render.ts'
import type { RenderTools } from './tools.ts'

export type Validation = {
  /** The workspace's name, where there is one. */
  readonly workspace: string | undefined
  readonly environments: readonly string[]
  readonly modules: readonly { readonly name: string; readonly file: string }[]
  /** How many renderings of a module for an environment were made. */
  readonly rendered: number
  /** None: all that can be told without a server is right. */
  readonly problems: readonly FailureJson[]
}

export type ValidateOptions = {
  /** How messages name the path: as it was typed. The path itself, if left out. */
  readonly shown?: string
  readonly probes: Readonly<Record<string, z.ZodType>>
  readonly tools: RenderTools
  readonly signal: AbortSignal
}

/**
 * Checks a working directory, or one file of it, without a server: the configuration, and that every module renders. With a `plumbline.yaml`
 * it is a workspace, whose other repositories are not looked into; without, a repository of modules, whose environments are not known.
 * What is wrong comes back; failures of the machine are thrown.
 */
export async function validatePath(path: string, options: ValidateOptions): Promise<Validation> {
  const shown = (options.shown ?? path).replace(/(?<=.)\/+$/, '')
  const stats = await stat(path).catch(() => undefined)
  if (stats === undefined) throw new Failure({ code: 'source-missing', subject: shown, message: `there is no ${shown}`, hint: 'Name a folder with plumbline.yaml or module.yaml files, or one such file.' })
  if (stats.isFile()) return validateModules(folderReader(dirname(path), dirname(shown)), (file) => file === basename(path), options)
  const reader = folderReader(path, shown)
  if ((await reader.entry(workspaceFile)) !== undefined) return validateWorkspace(reader, options)
  return validateModules(reader, (file) => matchesGlob('**/module.yaml', file), options)
}

async function validateWorkspace(reader: TreeReader, options: ValidateOptions): Promise<Validation> {
  try {
    const { workspace, environments, modules, problems } = await loadConfiguration({ own: reader }, 'own', options.probes)
    const pairs = [...modules.values()].flatMap((module) =>
      [...environments.values()].filter(({ metadata }) => module.config.spec.environments?.includes(metadata.name) ?? true).map((environment) => ({ module, environment })),
    )
    const failures = await renderAll(reader, pairs, options)
    return {
      workspace: workspace.metadata.name,
      environments: [...environments.keys()],
      modules: [...modules.values()].map(({ config, file }) => ({ name: config.metadata.name, file })),
      rendered: pairs.length,
      problems: [...problems, ...failures],
    }
  } catch (error) {
    const failure = asFailure(error, reader.repository)
    const problems = failure.fields['problems']
    if (failure.code !== 'configuration-invalid' || !Array.isArray(problems)) throw error
    return { workspace: undefined, environments: [], modules: [], rendered: 0, problems: problems as unknown as FailureJson[] }
  }
}

async function validateModules(reader: TreeReader, isConfiguration: (file: string) => boolean, options: ValidateOptions): Promise<Validation> {
  const schemas = configurationSchemas(options.probes)
  const modules: FoundModule[] = []
  const problems: FailureJson[] = []
  const files = (await reader.walk('')).filter((entry) => entry.type === 'blob' && isConfiguration(entry.path))
  if (files.length === 0) {
    problems.push(new Failure({ code: 'workspace-missing', subject: reader.repository, message: `there is neither a ${workspaceFile} nor a module.yaml`, hint: 'Name the folder of a workspace, or of a repository with modules.' }).toJSON())
  }
  for (const entry of files) {
    const bytes = await reader.read(entry).catch((error: unknown) => {
      if (!(error instanceof Failure)) throw error
      problems.push(error.toJSON())
    })
    if (bytes === undefined) continue
    const parsed = parseConfiguration(bytes, { repository: reader.repository, file: entry.path }, schemas)
    problems.push(...parsed.problems)
    modules.push(...parsed.documents.filter((one) => one.kind === 'Module').map((one) => ({ ...one, repository: reader.repository, file: entry.path })))
  }
  const checked = checkModules(modules, undefined, () => undefined, [])
  const whole = checked.whole.map(({ config, repository, file }) => ({ config, repository, file, folder: posix.dirname(file) }))
  const pairs = whole.filter(({ config }) => !config.spec.source.path.includes('${')).map((module) => ({ module, environment: undefined }))
  const failures = await renderAll(reader, pairs, options)
  return {
    workspace: undefined,
    environments: [],
    modules: whole.map(({ config, file }) => ({ name: config.metadata.name, file })),
    rendered: pairs.length,
    problems: [...problems, ...checked.problems, ...failures],
  }
}

type Pair = { readonly module: LoadedModule; readonly environment: Environment | undefined }

/** Modules that Kubernetes manifests are not rendered for have other drivers, with sources of their own sort. */
async function renderAll(reader: TreeReader, pairs: readonly Pair[], { tools, signal }: ValidateOptions): Promise<FailureJson[]> {
  const problems = new Map<string, FailureJson>()
  const cache = memoryRenderCache()
  for (const { module, environment } of pairs) {
    if (module.config.spec.driver !== 'kubernetes') continue
    try {
      const config = environment === undefined ? module.config : withVariables(module.config, environment)
      await renderModule({ reader, path: sourcePath(module, config), spec: config.spec, subject: `module ${config.metadata.name}`, cache, tools, signal })
    } catch (error) {
      signal.throwIfAborted()
      if (!(error instanceof Failure)) throw error
      problems.set(`${error.code} ${error.subject} ${error.message}`, error.toJSON()) // the same in every environment is one problem
    }
  }
  return [...problems.values()]
}
