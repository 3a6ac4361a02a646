import { posix } from 'node:path'
import { equalJson, isObject } from '#lib/json.ts'
import type { Json, JsonObject } from '#lib/json.ts'
import type { YamlPath } from '#lib/yaml-locate.ts'
import { readPath, removePaths, setPath } from '#model/field-path.ts'
import type { Segment } from '#model/field-path.ts'
import { parseKey } from '#model/resource.ts'
import { flatten } from '../plain/plain.ts'
import type { Sought } from './sought.ts'
import { ranked, turns } from './sought.ts'
import type { Ranked } from './sought.ts'
import type { Text } from './texts.ts'

/** The field where manifests and strategic merge patches of such an object write it. */
export function inManifests(sought: Sought, texts: readonly Text[]): Ranked[] {
  return texts.flatMap((text) => {
    if (text.isKustomization) return []
    return objectsIn(text.value).flatMap(({ path, value }) => {
      if (!mayBe(value, sought)) return []
      const place = placeOf(value, sought.segments)
      if (place === undefined) return []
      const written = readPath(value, sought.segments) ?? null
      // A value that is not the declared one was led to another on its way, or is another place's.
      const rank = equalJson(written, sought.declared ?? null) ? turns.manifest : turns.otherValue
      // A patch that has a target may bear any name: it comes after what bears this one.
      return ranked(text, rank + (isNamed(value, sought) ? 0 : turns.unnamed), edits(text, path, value, place, sought))
    })
  })
}

/** The same field, put into patches and manifests of that object beside the place's own kustomization that do not have it yet. */
export function intoManifests(sought: Sought, texts: readonly Text[], folder: string): Ranked[] {
  return texts.flatMap((text) => {
    if (text.isKustomization || text.sharing > 0 || !`${posix.dirname(text.file)}/`.startsWith(`${folder}/`)) return []
    return objectsIn(text.value).flatMap(({ path, value }) => {
      if (!mayBe(value, sought) || placeOf(value, sought.segments) !== undefined) return []
      const put = patched(value, sought)
      return put === undefined ? [] : ranked(text, turns.intoOwn, [text.change(within(text.value, path, put))])
    })
  })
}

/** The object, or the objects of a list, that a document holds. */
export function objectsIn(value: Json): { readonly path: YamlPath; readonly value: JsonObject }[] {
  if (!isObject(value)) return []
  const isList = flatten(value)[0] !== value
  if (!isList || !Array.isArray(value['items'])) return [{ path: [], value }]
  return value['items'].flatMap((item, index) => objectsIn(item).map((one) => ({ path: ['items', index, ...one.path], value: one.value })))
}

/** Whether a document may be of that object: names get prefixes and suffixes on their way, and a patch with a target bears any. */
export function mayBe(value: JsonObject, { key }: Pick<Sought, 'key'>): boolean {
  const { group, kind } = parseKey(key)
  const { apiVersion, kind: written } = value
  if (written !== undefined && written !== kind) return false
  return typeof apiVersion !== 'string' || (apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : '') === group
}

/** Whether the name of a document is one that the object may come from. */
export function isNamed(value: JsonObject, { key }: Pick<Sought, 'key'>): boolean {
  const name = isObject(value['metadata']) ? value['metadata']['name'] : undefined
  return typeof name === 'string' && parseKey(key).name.includes(name)
}

/** A path of fields and items as keys and indexes of that very value; undefined where it does not lead to anything. */
export function placeOf(value: Json, segments: readonly Segment[]): YamlPath | undefined {
  const path: (string | number)[] = []
  let at: Json = value
  for (const segment of segments) {
    const next: Json | undefined = readPath(at, [segment])
    if (next === undefined) return undefined
    path.push('field' in segment ? segment.field : (at as Json[]).indexOf(next))
    at = next
  }
  return path
}

function edits(text: Text, prefix: YamlPath, value: JsonObject, place: YamlPath, sought: Sought): (Buffer | undefined)[] {
  if (sought.live === undefined) return [text.change(within(text.value, prefix, removePaths(value, [sought.path])))]
  // Where an alias stands: what it names, and then a value of its own in its place.
  const changed = setOrNothing(value, sought.segments, sought.live)
  return [text.set([...prefix, ...place], sought.live), changed === undefined ? undefined : text.change(within(text.value, prefix, changed))]
}

/** A strategic merge patch that says the field too: null where it is to go. */
export function patched(patch: JsonObject, sought: Sought): JsonObject | undefined {
  const { segments, live } = sought
  const last = segments.at(-1)
  if (last === undefined || 'index' in last) return undefined
  const at = sought.literalKeys(segments)
  if (live !== undefined) return setOrNothing(patch, at, live)
  if ('field' in last) return setOrNothing(patch, at, null)
  if ('keys' in last) return setOrNothing(patch, [...at, { field: '$patch' }], 'delete')
  return undefined
}

/** A copy of a document in which another object stands at a path. */
export function within(document: Json, path: YamlPath, value: Json): Json {
  const [segment, ...rest] = path
  if (segment === undefined) return value
  if (Array.isArray(document)) return document.map((item, index) => (index === segment ? within(item, rest, value) : item))
  return isObject(document) ? { ...document, [segment]: within(document[segment] ?? {}, rest, value) } : document
}

function setOrNothing(body: JsonObject, segments: readonly Segment[], value: Json): JsonObject | undefined {
  try {
    return setPath(body, segments, value)
  } catch {
    return undefined // something else stands in the way
  }
}
