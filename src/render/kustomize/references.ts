import { isObject } from '#lib/json.ts'
import type { Json, JsonObject } from '#lib/json.ts'

/**
 * A place in a kustomization (or in the configuration of a built-in plugin) that names a file or folder. `replace` writes another name there.
 * `sort`: what may stand at the other end; `config` is the configuration of a plugin, which names files in turn.
 */
export type Reference = {
  readonly sort: 'resource' | 'folder' | 'config' | 'file'
  readonly written: string
  readonly path: readonly (string | number)[]
  replace(written: string): void
}

/** Fields of a kustomization that hold lists of names. Source: kustomize's `types.Kustomization`. */
const lists: Readonly<Record<string, Reference['sort']>> = {
  resources: 'resource', bases: 'folder', components: 'folder', crds: 'file', configurations: 'file', generators: 'config', transformers: 'config', validators: 'config', patchesStrategicMerge: 'file',
}
/** Fields whose items are objects with a `path`. */
const withPath = ['patches', 'patchesJson6902', 'replacements']
const generators = ['configMapGenerator', 'secretGenerator']
const others = ['openapi', 'helmCharts', 'helmChartInflationGenerator', 'helmGlobals', 'path', 'paths', 'files', 'envs', 'env']
const known = [...Object.keys(lists), ...withPath, ...generators, ...others]

/** Charts are fetched and rendered by another program. */
const charts = ['helmCharts', 'helmChartInflationGenerator', 'helmGlobals']

export type Refusal = { readonly message: string; readonly path: readonly (string | number)[] }

/** Every reference of a kustomization, in its order, or why it is refused. It is a value that the caller may change. */
export function referencesOf(kustomization: JsonObject): { references: Reference[]; refusals: Refusal[] } {
  const references: Reference[] = []
  const refusals = misspelt(kustomization, [])
  for (const field of charts) if (kustomization[field] !== undefined) refusals.push({ message: `${field} runs Helm as a plugin, and plugins are off`, path: [field] })
  for (const [field, sort] of Object.entries(lists)) {
    const items = kustomization[field]
    if (!Array.isArray(items)) continue
    for (const [index, item] of items.entries()) {
      if (typeof item !== 'string') continue
      const isInline = item.trim().includes('\n') && field !== 'resources'
      if (isInline && sort === 'config') refusals.push({ message: `plugins are configured in files of their own, not inline`, path: [field, index] })
      if (!isInline) references.push({ sort, written: item, path: [field, index], replace: (written) => void (items[index] = written) })
    }
  }
  for (const field of withPath) {
    for (const [index, item] of objectsOf(kustomization[field])) {
      refusals.push(...misspelt(item, [field, index]))
      references.push(...member(item, 'path', [field, index]))
    }
  }
  for (const field of generators) {
    for (const [index, item] of objectsOf(kustomization[field])) {
      refusals.push(...misspelt(item, [field, index]))
      references.push(...generated(item, [field, index]))
    }
  }
  const { openapi } = kustomization
  if (isObject(openapi)) {
    refusals.push(...misspelt(openapi, ['openapi']))
    references.push(...member(openapi, 'path', ['openapi']))
  }
  return { references, refusals }
}

/** The references of a built-in generator's or transformer's own document (`kind: PatchTransformer`, `ConfigMapGenerator`, …). */
export function pluginReferences(config: JsonObject): { references: Reference[]; refusals: Refusal[] } {
  const { kind, apiVersion } = config
  const refusals = misspelt(config, [])
  if (apiVersion !== 'builtin') refusals.push({ message: `only built-in plugins run (apiVersion: builtin), not ${JSON.stringify(apiVersion ?? null)}`, path: ['apiVersion'] })
  if (typeof kind === 'string' && kind.startsWith('HelmChart')) refusals.push({ message: `${kind} runs Helm as a plugin, and plugins are off`, path: ['kind'] })
  const references = [...member(config, 'path', []), ...generated(config, [])]
  for (const [index, item] of objectsOf(config['replacements'])) {
    refusals.push(...misspelt(item, ['replacements', index]))
    references.push(...member(item, 'path', ['replacements', index]))
  }
  return { references, refusals }
}

function member(item: JsonObject, field: string, path: Reference['path']): Reference[] {
  const written = item[field]
  if (typeof written !== 'string' || written === '') return []
  return [{ sort: 'file', written, path: [...path, field], replace: (other) => void (item[field] = other) }]
}

/** `files` are `path` or `key=path`; `env`, `envs` and `paths` are paths, or patches written out. */
function generated(item: JsonObject, path: Reference['path']): Reference[] {
  const references = member(item, 'env', path)
  for (const field of ['files', 'envs', 'paths']) {
    const names = item[field]
    if (!Array.isArray(names)) continue
    for (const [index, name] of names.entries()) {
      if (typeof name !== 'string' || (field === 'paths' && name.trim().includes('\n'))) continue
      const equals = field === 'files' ? name.indexOf('=') : -1
      // Without a key, the key is the file's name: it is written out, because the file may get another one.
      const key = field !== 'files' ? '' : equals === -1 ? `${name.split('/').at(-1) ?? ''}=` : name.slice(0, equals + 1)
      references.push({ sort: 'file', written: name.slice(equals + 1), path: [...path, field, index], replace: (other) => void (names[index] = `${key}${other}`) })
    }
  }
  return references
}

/** Go reads JSON fields in any case, `ſ` as s and the Kelvin sign as k: `Resources` would be read by kustomize and missed here. */
function misspelt(item: JsonObject, path: Reference['path']): Refusal[] {
  return Object.keys(item).flatMap((key) => {
    const meant = known.find((field) => fold(field) === fold(key))
    return meant === undefined || meant === key ? [] : [{ message: `write ${meant}, not ${key}`, path: [...path, key] }]
  })
}

function fold(text: string): string {
  return text.toUpperCase().toLowerCase()
}

function objectsOf(value: Json | undefined): [number, JsonObject][] {
  return Array.isArray(value) ? value.flatMap((item, index): [number, JsonObject][] => (isObject(item) ? [[index, item]] : [])) : []
}
