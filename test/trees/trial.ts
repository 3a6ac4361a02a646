import { Failure } from '#lib/failure.ts'
import { equalJson } from '#lib/json.ts'
import type { Json, JsonObject } from '#lib/json.ts'
import { memoryTree } from '#model/memory-tree.ts'
import { parsePath, readPath, removePaths, setPath } from '#model/field-path.ts'
import { parseKey } from '#model/resource.ts'
import { searchAdoption } from '#render/adopt/adopt.ts'
import type { Answer, Place, Wish, WishedField } from '#render/adopt/wish.ts'
import { memoryRenderCache } from '#render/cache.ts'
import type { RenderCache } from '#render/cache.ts'
import { renderModule } from '#render/render.ts'
import type { RenderTools } from '#render/tools.ts'
import { randomOf } from './random.ts'
import type { Random } from './random.ts'
import { editable, treeOf } from './tree.ts'
import type { Tree } from './tree.ts'
import { changedValue } from './values.ts'

/** `right`: proven, and in the file that decides it; `elsewhere`: proven, in another; `refused`: with its code; `false`: it does not hold. */
export type Trial = { readonly seed: number; readonly became: 'right' | 'elsewhere' | 'refused' | 'false'; readonly wish: Wish; readonly answer: Answer; readonly expected: string; readonly renderings: number }

type Renderings = ReadonlyMap<string, ReadonlyMap<string, JsonObject>>

/** Makes a tree, changes something of what it renders to in production, and adopts it. Undefined for a tree that kustomize itself refuses. */
export async function trialOf(seed: number, tools: RenderTools): Promise<Trial | undefined> {
  const tree = treeOf(seed)
  const random = randomOf(seed + 1_000_000)
  const cache = memoryRenderCache()
  const before = await renderAll(tree, tree.files, cache, tools).catch((error: unknown) => {
    if (error instanceof Failure && error.code === 'kustomize-failed') return undefined
    throw error
  })
  if (before === undefined) return undefined
  const { wish, object } = liveEdit(tree, before.get('production')!, random)
  const [place, ...others] = tree.environments.map(placeOf)
  const [counting, renderings] = counted(tools)
  const answer = await searchAdoption({ reader: memoryTree(tree.files), place: place!, others, wish, cache, tools: counting, signal: new AbortController().signal })
  const expected = rightPlace(tree, object, wish)
  const became = answer.outcome !== 'proposed' ? 'refused' : !(await holds(tree, before, wish, answer, tools)) ? 'false' : answer.proposal.edits.every(({ file }) => expected.test(file)) ? 'right' : 'elsewhere'
  return { seed, became, wish, answer, expected: expected.source, renderings: renderings() }
}

function placeOf(environment: string): Place {
  return { module: 'shop', environment, path: `overlays/${environment}`, spec: { empty: false, plainSecrets: false } }
}

function counted(tools: RenderTools): [RenderTools, () => number] {
  let count = 0
  const kustomize = async () => {
    const tool = await tools.kustomize()
    return tool === undefined ? undefined : { ...tool, build: (...call: Parameters<typeof tool.build>) => ((count += 1), tool.build(...call)) }
  }
  return [{ ...tools, kustomize }, () => count]
}

async function renderAll(tree: Tree, files: Record<string, string | Buffer>, cache: RenderCache, tools: RenderTools): Promise<Renderings> {
  const reader = memoryTree(files, 'orders')
  const rendered = tree.environments.map(async (environment): Promise<[string, ReadonlyMap<string, JsonObject>]> => {
    const { path, spec } = placeOf(environment)
    const { desired } = await renderModule({ reader, path, spec, subject: environment, cache, tools, signal: new AbortController().signal })
    return [environment, new Map(desired.map((one) => [one.key, one.body]))]
  })
  return new Map(await Promise.all(rendered))
}

function liveEdit(tree: Tree, rendered: ReadonlyMap<string, JsonObject>, random: Random): { wish: Wish; object: string } {
  const object = random.pick(tree.objects)
  const [kind, name = ''] = object.split('/')
  const [key, body] = [...rendered].find(([one]) => parseKey(one).kind === kind && new RegExp(`^([a-z]-)?${name}(-[a-z0-9]{10})?$`).test(parseKey(one).name)) ?? []
  if (key === undefined || body === undefined) throw new Error(`${object} is not rendered`)
  if (random.chance(0.06)) return { object, wish: { kind: 'gone', key } }
  const leaves = editable(body).filter((path) => tree.decider('production', object, path) !== undefined)
  const chosen = random.some(leaves, 1 / leaves.length).slice(0, 3)
  const fields = chosen.flatMap((path): WishedField[] => {
    if (!random.chance(0.12)) return [{ path, live: changedValue(path, readPath(body, path) ?? null, random) }]
    // An item goes as a whole: the leaves of its keys go with it.
    const item = parsePath(path).findLastIndex((segment) => 'keys' in segment)
    const isEnv = /\.env\[[^\]]*\]\.value$/.test(path)
    return isEnv && item !== -1 ? [{ path }, { path: path.replace(/\.value$/, '.name') }] : /image$|containerPort/.test(path) ? [{ path, live: changedValue(path, readPath(body, path) ?? null, random) }] : [{ path }]
  })
  return { object, wish: { kind: 'fields', key, fields } }
}

/** Where a person who knows the tree would write it: in the file that decides the field, if no other environment sees that; else beside it, here. */
function rightPlace(tree: Tree, object: string, wish: Wish): RegExp {
  const here = 'overlays/production/'
  if (wish.kind === 'gone') return new RegExp(`^${here}`)
  const files = wish.fields.flatMap(({ path, live }) => {
    const file = tree.decider('production', object, path)
    const isShared = tree.environments.some((other) => other !== 'production' && tree.decider(other, object, path) === file)
    if (file === undefined || isShared) return [here]
    // A field that goes shows what the base says, if that is not covered too.
    return live === undefined || file.endsWith('kustomization.yaml') ? [file, here] : [`${file}$`]
  })
  return new RegExp(`^(${files.map((file) => file.replaceAll('.', String.raw`\.`)).join('|')})`)
}

/** The proof again, by other means: every environment rendered from the files as they would be. */
async function holds(tree: Tree, before: Renderings, wish: Wish, answer: Extract<Answer, { outcome: 'proposed' }>, tools: RenderTools): Promise<boolean> {
  const files: Record<string, string | Buffer> = { ...tree.files }
  for (const [path, bytes] of answer.proposal.files) {
    if (bytes === undefined) delete files[path]
    else files[path] = bytes
  }
  const after = await renderAll(tree, files, memoryRenderCache(), tools)
  for (const environment of tree.environments.filter((one) => one !== 'production')) if (!sameObjects(before.get(environment)!, after.get(environment)!)) return false
  const names = answer.proposal.renamed.map(({ from, to }) => [parseKey(to).name, parseKey(from).name] as const)
  const now = JSON.parse(names.reduce((text, [to, from]) => text.replaceAll(`"${to}"`, `"${from}"`), JSON.stringify([...after.get('production')!.values()]))) as JsonObject[]
  const wanted = [...before.get('production')!].filter(([key]) => wish.kind !== 'gone' || key !== wish.key).map(([key, body]) => (key === wish.key && wish.kind === 'fields' ? edited(body, wish.fields) : body))
  return equalJson(unordered(now), unordered(wanted))
}

function edited(body: JsonObject, fields: readonly WishedField[]): JsonObject {
  const without = removePaths(body, fields.filter(({ live }) => live === undefined).map(({ path }) => path))
  return fields.reduce((result, { path, live }) => (live === undefined ? result : setPath(result, path, live)), without)
}

function sameObjects(a: ReadonlyMap<string, JsonObject>, b: ReadonlyMap<string, JsonObject>): boolean {
  return equalJson(Object.fromEntries(a), Object.fromEntries(b))
}

/** Without empty maps and lists, which a removal may leave, and with objects in an order of their own. */
function unordered(objects: readonly JsonObject[]): Json[] {
  const bare = (value: Json): Json | undefined => {
    if (Array.isArray(value)) return value.length === 0 ? undefined : value.map((item) => bare(item) ?? null)
    if (typeof value !== 'object' || value === null) return value ?? undefined
    const members = Object.entries(value).flatMap(([name, member]): [string, Json][] => {
      const kept = bare(member)
      return kept === undefined ? [] : [[name, kept]]
    })
    return members.length === 0 ? undefined : Object.fromEntries(members)
  }
  return objects.map((one) => bare(one) ?? null).sort((a, b) => (JSON.stringify((a as JsonObject)['metadata']) + String((a as JsonObject)['kind']) < JSON.stringify((b as JsonObject)['metadata']) + String((b as JsonObject)['kind']) ? -1 : 1))
}
