import { posix } from 'node:path'
import { dump } from 'js-yaml'
import { drivers } from '#drivers/registry.ts'
import { Failure } from '#lib/failure.ts'
import type { FailureJson } from '#lib/failure.ts'
import { didYouMean } from '#lib/nearest.ts'
import { isObject } from '#lib/json.ts'
import type { JsonObject } from '#lib/json.ts'
import { environmentSchema } from '#model/config/environment.ts'
import type { Environment } from '#model/config/environment.ts'
import { loadConfiguration, workspaceFile } from '#model/config/load.ts'
import type { LoadedModule } from '#model/config/load.ts'
import type { Module } from '#model/config/module.ts'
import { configurationSchemas, parseConfiguration } from '#model/config/parse.ts'
import { sourcePath, withVariables } from '#model/config/substitute.ts'
import { matchesGlob } from '#model/glob.ts'
import { keyOf } from '#model/resource.ts'
import type { Desired } from '#model/resource.ts'
import type { TreeReader } from '#model/tree.ts'
import { probeSchemas } from '#probes/registry.ts'
import { memoryRenderCache } from '#render/cache.ts'
import { renderModule } from '#render/render.ts'
import type { RenderTools } from '#render/tools.ts'

export type RenderedPath = {
  readonly environment: string
  readonly modules: readonly { readonly module: string; readonly objects: readonly { readonly file: string; readonly line: number; readonly body: JsonObject }[] }[]
  /** What is wrong with modules; those are left out. */
  readonly problems: readonly FailureJson[]
}

const masked = '(masked)'

/**
 * What the modules of a working directory render to in an environment, as their drivers declare it, with the values of Secrets masked. Without a
 * `plumbline.yaml` the environment is known by its name alone. Failures `environment-unknown`, `module-unknown`, and those of loading the workspace.
 */
export async function renderPath(reader: TreeReader, environmentName: string, only: string | undefined, tools: RenderTools, signal: AbortSignal): Promise<RenderedPath> {
  const { environment, modules, problems } = await load(reader, environmentName)
  const chosen = modules.filter(({ config }) => (config.spec.environments?.includes(environmentName) ?? true) && (only ?? config.metadata.name) === config.metadata.name)
  if (only !== undefined && chosen.length === 0) {
    const known = modules.map(({ config }) => config.metadata.name)
    throw new Failure({
      code: 'module-unknown',
      subject: `module ${only}`,
      message: known.includes(only) ? `it does not go to ${environmentName}` : 'there is no such module here',
      hint: didYouMean(only, known).hint ?? `There are: ${known.join(', ') || 'none'}.`,
    })
  }
  const rendered: RenderedPath['modules'][number][] = []
  const failures: FailureJson[] = []
  const cache = memoryRenderCache()
  for (const module of chosen) {
    const name = module.config.metadata.name
    try {
      const config = withVariables(module.config, environment)
      const driver = drivers.find((one) => one.id === config.spec.driver)
      if (driver === undefined) throw new Failure({ code: 'driver-unknown', subject: `module ${name}`, message: `there is no driver ${config.spec.driver}`, hint: `There are: ${drivers.map((one) => one.id).join(', ')}.` })
      const { desired } = await renderModule({ reader, path: sourcePath(module, config), spec: config.spec, subject: `module ${name}`, cache, tools, signal })
      const declared = [...desired, ...writtenByUs(module, config)].map((one) => driver.declare({ secretDigest: () => masked }, name, one))
      rendered.push({ module: name, objects: declared.map(({ body, origin }) => ({ file: origin.file, line: origin.line, body: shown(body) })) })
    } catch (error) {
      signal.throwIfAborted()
      if (!(error instanceof Failure)) throw error
      failures.push(error.toJSON())
    }
  }
  return { environment: environmentName, modules: rendered, problems: [...problems, ...failures] }
}

/** YAML documents, each with the module and the file that it comes from. */
export function asYaml(rendered: RenderedPath): string[] {
  return rendered.modules.flatMap(({ module, objects }) =>
    objects.map(({ file, line, body }) => `---\n# module ${module}: ${file}:${line}\n${dump(body, { noRefs: true, lineWidth: -1 }).trimEnd()}`),
  )
}

type Loaded = { readonly environment: Environment; readonly modules: readonly LoadedModule[]; readonly problems: readonly FailureJson[] }

async function load(reader: TreeReader, environmentName: string): Promise<Loaded> {
  if ((await reader.entry(workspaceFile)) === undefined) return loadModules(reader, environmentName)
  const { environments, modules, problems } = await loadConfiguration({ own: reader }, 'own', probeSchemas)
  const environment = environments.get(environmentName)
  if (environment !== undefined) return { environment, modules: [...modules.values()], problems }
  const known = [...environments.keys()]
  throw new Failure({
    code: 'environment-unknown',
    subject: `environment ${environmentName}`,
    message: 'the workspace has no such environment',
    hint: didYouMean(environmentName, known).hint ?? `Its environments: ${known.join(', ')}.`,
  })
}

async function loadModules(reader: TreeReader, environmentName: string): Promise<Loaded> {
  const files = (await reader.walk('')).filter((entry) => entry.type === 'blob' && matchesGlob('**/module.yaml', entry.path))
  if (files.length === 0)
    throw new Failure({ code: 'workspace-missing', subject: reader.repository, message: `there is neither a ${workspaceFile} nor a module.yaml`, hint: 'Name the folder of a workspace, or of a repository with modules.' })
  const schemas = configurationSchemas(probeSchemas)
  const modules: LoadedModule[] = []
  const problems: FailureJson[] = []
  for (const entry of files) {
    const parsed = parseConfiguration(await reader.read(entry), { repository: reader.repository, file: entry.path }, schemas)
    problems.push(...parsed.problems)
    for (const one of parsed.documents)
      if (one.kind === 'Module') modules.push({ config: one.config, repository: reader.repository, file: entry.path, folder: posix.dirname(entry.path) })
  }
  const named = environmentSchema(probeSchemas).safeParse({ apiVersion: 'plumbline.dev/v1alpha1', kind: 'Environment', metadata: { name: environmentName }, spec: { tier: 'sandbox', targets: {} } })
  if (named.success) return { environment: named.data, modules, problems }
  throw new Failure({ code: 'usage', subject: `-e ${environmentName}`, message: 'this is no name of an environment', hint: 'Names are lower-case letters, digits and hyphens.' })
}

/** The Secrets that Plumbline writes for a module, with each value's reference in its place. */
function writtenByUs(module: LoadedModule, config: Module): Desired[] {
  return config.spec.secrets.map((secret) => {
    const namespace = secret.namespace ?? ''
    const data = Object.fromEntries(Object.entries(secret.keys).map(([key, { secretRef }]) => [key, { digest: `(${secretRef})` }]))
    return {
      key: keyOf({ group: '', kind: 'Secret', namespace, name: secret.name }),
      body: { apiVersion: 'v1', kind: 'Secret', metadata: { name: secret.name, namespace }, type: secret.type, data },
      origin: { repository: module.repository, file: module.file, line: 1 },
    }
  })
}

/** A Secret with the mask, or the reference, where a driver declares a digest. */
function shown(body: JsonObject): JsonObject {
  const data = body['data']
  if (body['kind'] !== 'Secret' || !isObject(data)) return body
  return { ...body, data: Object.fromEntries(Object.entries(data).map(([key, value]) => [key, isObject(value) && typeof value['digest'] === 'string' ? value['digest'] : value])) }
}
