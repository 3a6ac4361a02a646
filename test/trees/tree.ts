import type { Json, JsonObject } from '#lib/json.ts'
import { formatPath, parsePath, readPath, setPath } from '#model/field-path.ts'
import { declaredPaths } from '#model/field-set.ts'
import { listKeysOf } from '#model/list-keys.ts'
import { objectsOf } from './objects.ts'
import { randomOf } from './random.ts'
import type { Random } from './random.ts'
import { changedValue } from './values.ts'
import { written } from './written.ts'

/** A tree of kustomizations, and what its maker knows of it. */
export type Tree = {
  readonly files: Record<string, string>
  readonly environments: readonly string[]
  /** `Kind/name`, as bases and patches write it. */
  readonly objects: readonly string[]
  /** The file that decides a field in an environment. */
  readonly decider: (environment: string, object: string, path: string) => string | undefined
}

type Making = { readonly random: Random; readonly files: Record<string, string>; readonly objects: Map<string, JsonObject>; readonly deciders: Map<string, Map<string, string>> }

export const environments = ['production', 'staging', 'sandbox']

export function treeOf(seed: number): Tree {
  const random = randomOf(seed)
  const making: Making = { random, files: {}, objects: new Map(), deciders: new Map(environments.map((name) => [name, new Map()])) }
  makeBase(making)
  const component = makeComponent(making)
  for (const environment of environments) makeOverlay(making, environment, component)
  return {
    files: making.files,
    environments,
    objects: [...making.objects.keys()],
    decider: (environment, object, path) => making.deciders.get(environment)?.get(`${object} ${path}`),
  }
}

export function idOf(body: JsonObject): string {
  return `${String(body['kind'])}/${String((body['metadata'] as JsonObject)['name'])}`
}

/** The leaves of an object that may be another: not its name, not what selects, not the keys of items. */
export function editable(body: JsonObject): string[] {
  const group = String(body['apiVersion']).includes('/') ? String(body['apiVersion']).split('/')[0] : 'core'
  return declaredPaths(body, listKeysOf(`${group}/${idOf(body).replace('/', '//')}`)).filter((path) => {
    const segments = parsePath(path)
    const [item, last] = segments.slice(-2)
    const isKey = item !== undefined && 'keys' in item && last !== undefined && 'field' in last && Object.hasOwn(item.keys, last.field)
    return !isKey && !/selector|labels\.app$/.test(path)
  })
}

function decided(making: Making, names: readonly string[], object: string, path: string, file: string): void {
  for (const name of names) making.deciders.get(name)?.set(`${object} ${path}`, file)
}

function makeBase(making: Making): void {
  const { random, files } = making
  const bodies = objectsOf(random)
  const kustomization: JsonObject = { resources: [] }
  const isStream = random.chance(0.3)
  for (const body of bodies) {
    const file = isStream ? 'all.yaml' : `${idOf(body).toLowerCase().replace('/', '-')}.yaml`
    const path = `base/${file}`
    files[path] = path in files ? `${files[path]}---\n${written(body, random)}` : written(body, random)
    if (!(kustomization['resources'] as Json[]).includes(file)) (kustomization['resources'] as Json[]).push(file)
    making.objects.set(idOf(body), body)
    for (const leaf of editable(body)) decided(making, environments, idOf(body), leaf, path)
  }
  if (random.chance(0.5)) makeGenerator(making, kustomization)
  files['base/kustomization.yaml'] = written(kustomization, random)
}

function makeGenerator({ random, files, ...making }: Making, kustomization: JsonObject): void {
  const id = 'ConfigMap/generated'
  const entry = { name: 'generated', literals: ['LEVEL=info', 'MODE=slow'], files: ['page.html'], envs: ['generated.env'], ...(random.chance(0.5) ? { options: { disableNameSuffixHash: true } } : {}) }
  kustomization['configMapGenerator'] = [entry]
  files['base/page.html'] = '<p>\n  hello\n</p>\n'
  files['base/generated.env'] = '# of the base\nREGION=eu\nDEBUG=off\n'
  making.objects.set(id, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'generated' }, data: {} })
  const places = { 'base/kustomization.yaml': ['LEVEL', 'MODE'], 'base/page.html': ['page.html'], 'base/generated.env': ['REGION', 'DEBUG'] }
  for (const [file, names] of Object.entries(places)) for (const name of names) decided({ random, files, ...making }, environments, id, formatPath([{ field: 'data' }, { field: name }]), file)
}

/** A component that patches one workload, for the overlays that list it. */
function makeComponent(making: Making): { readonly object: string; readonly path: string } | undefined {
  const { random, files, objects } = making
  if (!random.chance(0.4)) return undefined
  const [object, body] = random.pick([...objects].filter(([, one]) => one['apiVersion'] === 'apps/v1'))
  const path = random.pick(editable(body).filter((leaf) => !Array.isArray(readPath(body, leaf))))
  files['components/extra/kustomization.yaml'] = written({ apiVersion: 'kustomize.config.k8s.io/v1alpha1', kind: 'Component', patches: [{ path: 'patch.yaml' }] }, random)
  files['components/extra/patch.yaml'] = written(mergePatch(body, path, changedValue(path, readPath(body, path) ?? null, random)), random)
  return { object, path }
}

function mergePatch(body: JsonObject, path: string, value: Json): JsonObject {
  const name = (body['metadata'] as JsonObject)['name'] ?? null
  const segments = parsePath(path).map((segment, depth, all) => {
    const item = 'keys' in segment ? readPath(body, all.slice(0, depth + 1)) : undefined
    return 'keys' in segment ? { keys: Object.fromEntries(Object.entries(segment.keys).filter(([key]) => readPath(item, [{ field: key }]) !== undefined)) } : segment
  })
  return setPath({ apiVersion: body['apiVersion'] ?? null, kind: body['kind'] ?? null, metadata: { name } }, segments, value)
}

function makeOverlay(making: Making, environment: string, component: ReturnType<typeof makeComponent>): void {
  const { random, files } = making
  const folder = `overlays/${environment}`
  const file = `${folder}/kustomization.yaml`
  const kustomization: JsonObject = { resources: ['../../base'] }
  if (random.chance(0.4)) kustomization['namespace'] = `shop-${environment}`
  if (random.chance(0.3)) kustomization['namePrefix'] = `${environment.slice(0, 1)}-`
  if (random.chance(0.3)) kustomization['labels'] = [{ pairs: { tier: environment } }]
  if (component !== undefined && random.chance(0.6)) {
    kustomization['components'] = ['../../components/extra']
    decided(making, [environment], component.object, component.path, 'components/extra/patch.yaml')
  }
  addPatches(making, environment, kustomization)
  addTransformers(making, environment, kustomization)
  if (making.objects.has('ConfigMap/generated') && random.chance(0.4)) {
    kustomization['configMapGenerator'] = [{ name: 'generated', behavior: 'merge', literals: [`LEVEL=${random.pick(['warn', 'error'])}`] }]
    decided(making, [environment], 'ConfigMap/generated', 'data.LEVEL', file)
  }
  if (random.chance(0.3)) {
    const own = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: `own-${environment}` }, data: { level: 'info', count: '3' } }
    ;(kustomization['resources'] as Json[]).push('own.yaml')
    files[`${folder}/own.yaml`] = written(own, random)
    for (const path of editable(own)) decided(making, [environment], idOf(own), path, `${folder}/own.yaml`)
    if (environment === 'production') making.objects.set(idOf(own), own)
  }
  files[file] = written(kustomization, random)
}

/** Patches of both sorts, in files and in the kustomization. */
function addPatches(making: Making, environment: string, kustomization: JsonObject): void {
  const { random, files, objects } = making
  const folder = `overlays/${environment}`
  const patches: Json[] = []
  const patchable = [...objects].filter(([id]) => id !== 'ConfigMap/generated' && !id.startsWith('ConfigMap/own'))
  for (const [id, body] of random.some(patchable, 0.5)) {
    const path = random.pick(editable(body))
    const value = changedValue(path, readPath(body, path) ?? null, random)
    const name = `${id.toLowerCase().replace('/', '-')}-${patches.length}`
    const isJson = random.chance(0.4)
    const content = isJson ? written([{ op: 'replace', path: pointerOf(body, path), value }], random) : written(mergePatch(body, path, value), random)
    const target = { kind: String(body['kind']), name: String((body['metadata'] as JsonObject)['name']) }
    const isInline = random.chance(0.4)
    if (!isInline) files[`${folder}/${name}.yaml`] = content
    patches.push({ ...(isJson ? { target } : {}), ...(isInline ? { patch: content } : { path: `${name}.yaml` }) })
    decided(making, [environment], id, path, isInline ? `${folder}/kustomization.yaml` : `${folder}/${name}.yaml`)
  }
  if (patches.length > 0) kustomization['patches'] = patches
}

function addTransformers(making: Making, environment: string, kustomization: JsonObject): void {
  const { random, objects } = making
  const file = `overlays/${environment}/kustomization.yaml`
  const workloads = [...objects].filter(([, body]) => body['apiVersion'] === 'apps/v1')
  if (random.chance(0.4)) {
    const [, body] = random.pick(workloads)
    const path = editable(body).find((leaf) => leaf.endsWith('.image')) ?? ''
    const name = String(readPath(body, path)).split(':')[0] ?? ''
    kustomization['images'] = [{ name, newTag: random.pick(['1.26', 'v3', '2.0.1']) }]
    for (const [id, other] of workloads) for (const leaf of editable(other)) if (leaf.endsWith('.image') && String(readPath(other, leaf)).startsWith(`${name}:`)) decided(making, [environment], id, leaf, file)
  }
  if (random.chance(0.4)) {
    const [id, body] = random.pick(workloads)
    kustomization['replicas'] = [{ name: (body['metadata'] as JsonObject)['name'] ?? null, count: random.number(5, 9) }]
    decided(making, [environment], id, 'spec.replicas', file)
  }
}

function pointerOf(body: JsonObject, path: string): string {
  let at: Json = body
  return parsePath(path).map((segment) => {
    const next: Json = readPath(at, [segment]) ?? null
    const token = 'field' in segment ? segment.field : String((at as Json[]).indexOf(next))
    at = next
    return `/${token.replaceAll('~', '~0').replaceAll('/', '~1')}`
  }).join('')
}
