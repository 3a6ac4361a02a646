import { Failure } from '#lib/failure.ts'
import { equalJson, isObject, type Json, type JsonObject } from '#lib/json.ts'
import type { FieldPath } from './plan.ts'

/**
 * One step into an object: a map's field, a keyed list's item (`keys`), a set's member (`value`), or a place in an atomic list (`index`).
 * They mirror the path elements of `fieldsV1` (`f:`, `k:`, `v:`, `i:`).
 */
export type Segment =
  | { readonly field: string }
  | { readonly keys: JsonObject }
  | { readonly value: Json }
  | { readonly index: number }

/** What a list's key is where an item leaves it out: the schemas of built-in kinds give a default to this key alone. */
const keyDefaults: ReadonlyMap<string, Json> = new Map([['protocol', 'TCP']])

const plainName = /^[A-Za-z_][A-Za-z0-9_-]*$/

/** The text of a path. Names that are not plain are quoted as JSON; keys are sorted, so that one path has one text. */
export function formatPath(segments: readonly Segment[]): FieldPath {
  let text = ''
  for (const segment of segments) {
    if ('field' in segment) text += isPlain(segment.field) ? `${text === '' ? '' : '.'}${segment.field}` : `[${JSON.stringify(segment.field)}]`
    else if ('keys' in segment) text += `[${Object.entries(segment.keys).sort(byName).map(([name, value]) => `${isPlain(name) ? name : JSON.stringify(name)}=${JSON.stringify(value)}`).join(',')}]`
    else if ('value' in segment) text += `[=${JSON.stringify(segment.value)}]`
    else text += `[${segment.index}]`
  }
  return text
}

/** The segments of a path's text; `''` is the object itself. Throws `field-path-invalid`. */
export function parsePath(path: FieldPath): Segment[] {
  return parse(path).map(([segment]) => segment)
}

/** The paths above a path, from the outermost to its parent; without the object itself. */
export function ancestorsOf(path: FieldPath): FieldPath[] {
  return parse(path).slice(0, -1).map(([, end]) => path.slice(0, end))
}

/** The segments, and where each ends in the text. */
function parse(path: FieldPath): [Segment, number][] {
  const segments: [Segment, number][] = []
  let at = 0
  while (at < path.length) {
    if (path[at] === '[') {
      const found = bracket(path, at + 1)
      segments.push(found)
      at = found[1]
    } else {
      if (segments.length > 0 && path[at++] !== '.') throw invalid(path, at - 1)
      const name = nameAt(path, at)
      if (name === '') throw invalid(path, at)
      at += name.length
      segments.push([{ field: name }, at])
    }
  }
  return segments
}

/** The value at a path, or undefined where there is none. A set's member reads as itself; a null is a value. */
export function readPath(body: Json | undefined, path: FieldPath | readonly Segment[]): Json | undefined {
  let value: Json | undefined = body
  for (const segment of segmentsOf(path)) {
    value = step(value, segment)
    if (value === undefined) return undefined
  }
  return value
}

/**
 * A copy in which the path holds the value. Maps, lists and keyed items on the way are made; a set's member is added. Throws `field-path-invalid`
 * where something else stands in the way (a text where a map is needed), or an index is beyond the list's end.
 */
export function setPath(body: JsonObject, path: FieldPath | readonly Segment[], value: Json): JsonObject {
  const segments = segmentsOf(path)
  const result = set(body, segments, value)
  if (!isObject(result)) throw inTheWay(segments)
  return result
}

/** `removePaths` of one path. */
export function removePath(body: JsonObject, path: FieldPath): JsonObject {
  return removePaths(body, [path])
}

/**
 * A copy without these paths, as an applied body needs it: what is left out there is what its manager gives up.
 * - A keyed item keeps its keys as long as anything else of it stays (a server refuses an item without them); it goes when all its leaves go, or when
 *   the path names the item itself.
 * - A map or list that this empties goes too: an empty map that is sent would be a new field that we own. What was empty before stays.
 * The order of the paths does not matter; what is not there is no error.
 */
export function removePaths(body: JsonObject, paths: readonly FieldPath[]): JsonObject {
  const root: Cut = { whole: false, below: new Map() }
  for (const path of paths) {
    let cut = root
    for (const segment of parsePath(path)) {
      const text = formatPath([segment])
      const below = cut.below.get(text) ?? { segment, cut: { whole: false, below: new Map() } }
      cut.below.set(text, below)
      cut = below.cut
    }
    cut.whole = true
  }
  const kept = root.whole ? undefined : without(body, root, [])
  return isObject(kept) ? kept : {}
}

/** Whether `path` is `ancestor` or lies below it. */
export function isWithin(path: FieldPath, ancestor: FieldPath): boolean {
  if (ancestor === '' || path === ancestor) return true
  // A path's text continues with `.` or `[` exactly where a segment begins, and segments are written in one way only.
  return path.startsWith(ancestor) && (path[ancestor.length] === '.' || path[ancestor.length] === '[')
}

type Cut = { whole: boolean; readonly below: Map<string, { readonly segment: Segment; readonly cut: Cut }> }

/** `keys`: the names of a keyed item's keys, which stay while anything else of it does. */
function without(value: Json, cut: Cut, keys: readonly string[]): Json | undefined {
  if (cut.whole) return undefined
  if (isObject(value)) return mapWithout(value, cut, keys)
  if (!Array.isArray(value)) return value
  const cuts = new Map<number, { readonly segment: Segment; readonly cut: Cut }>()
  for (const below of cut.below.values()) cuts.set(indexOf(value, below.segment), below)
  const kept = value.flatMap((item, index) => {
    const below = cuts.get(index)
    const rest = below === undefined ? item : without(item, below.cut, 'keys' in below.segment ? Object.keys(below.segment.keys) : [])
    return rest === undefined ? [] : [rest]
  })
  return kept.length === 0 && value.length > 0 ? undefined : kept
}

function mapWithout(map: JsonObject, cut: Cut, keys: readonly string[]): JsonObject | undefined {
  let left = 0
  const members = Object.entries(map).flatMap(([name, member]): [string, Json][] => {
    const below = cut.below.get(formatPath([{ field: name }]))
    const kept = below === undefined ? member : without(member, below.cut, [])
    if (kept !== undefined) left += 1
    else if (keys.includes(name)) return [[name, member]]
    return kept === undefined ? [] : [[name, kept]]
  })
  return left === 0 && Object.keys(map).length > 0 ? undefined : Object.fromEntries(members)
}

function set(present: Json | undefined, segments: readonly Segment[], value: Json): Json {
  const [segment, ...rest] = segments
  if (segment === undefined) return value
  if ('field' in segment) {
    if (present !== undefined && present !== null && !isObject(present)) throw inTheWay(segments)
    const map = present ?? {}
    return { ...map, [segment.field]: set(Object.hasOwn(map, segment.field) ? map[segment.field] : undefined, rest, value) }
  }
  if (present !== undefined && present !== null && !Array.isArray(present)) throw inTheWay(segments)
  const list = present ?? []
  const index = indexOf(list, segment)
  if (index < 0 && 'index' in segment && segment.index !== list.length) throw inTheWay(segments)
  if ('value' in segment) return index < 0 ? [...list, segment.value] : list
  const item = set(index >= 0 ? list[index] : 'keys' in segment ? { ...segment.keys } : undefined, rest, value)
  return index < 0 ? [...list, item] : list.with(index, item)
}

function step(value: Json | undefined, segment: Segment): Json | undefined {
  if ('field' in segment) return isObject(value) && Object.hasOwn(value, segment.field) ? value[segment.field] : undefined
  return Array.isArray(value) ? value[indexOf(value, segment)] : undefined
}

function indexOf(list: readonly Json[], segment: Segment): number {
  if ('index' in segment) return segment.index < list.length ? segment.index : -1
  if ('value' in segment) return list.findIndex((item) => equalJson(item, segment.value))
  if ('field' in segment) return -1
  const keys = Object.entries(segment.keys)
  return list.findIndex((item) => isObject(item) && keys.every(([name, value]) => keyOf(item, name) === value))
}

/** The value of one of an item's keys, or its default. (Keys are scalars, so that `===` compares them.) */
function keyOf(item: JsonObject, name: string): Json | undefined {
  return Object.hasOwn(item, name) ? item[name] : keyDefaults.get(name)
}

/** An item's keys; undefined where it lacks one that has no default, or one is no scalar. */
export function keysOf(item: Json, names: readonly string[]): JsonObject | undefined {
  if (!isObject(item)) return undefined
  const keys = names.map((name): [string, Json | undefined] => [name, keyOf(item, name)])
  return keys.every((entry): entry is [string, Json] => entry[1] !== undefined && typeof entry[1] !== 'object') ? Object.fromEntries(keys) as JsonObject : undefined
}

/** What stands in brackets from `at` on, and where it ends. */
function bracket(path: string, at: number): [Segment, number] {
  const index = /^(?:0|[1-9]\d{0,8})\]/.exec(path.slice(at, at + 10))?.[0]
  if (index !== undefined) return [{ index: Number.parseInt(index, 10) }, at + index.length]
  if (path[at] === '=') {
    const [value, next] = scalar(path, at + 1)
    if (path[next] !== ']') throw invalid(path, next)
    return [{ value }, next + 1]
  }
  const keys: [string, Json][] = []
  for (;;) {
    let name: Json = nameAt(path, at)
    let next = at + name.length
    if (path[at] === '"') [name, next] = scalar(path, at)
    else if (name === '') throw invalid(path, at)
    if (keys.length === 0 && path[at] === '"' && path[next] === ']') return [{ field: name as string }, next + 1]
    if (path[next] !== '=') throw invalid(path, next)
    const [value, end] = scalar(path, next + 1)
    if (keys.some(([other]) => other === name)) throw invalid(path, at)
    keys.push([name as string, value])
    if (path[end] === ']') return [{ keys: Object.fromEntries(keys) }, end + 1]
    if (path[end] !== ',') throw invalid(path, end)
    at = end + 1
  }
}

/** The text, number or boolean that begins at `at`, and where it ends. */
function scalar(path: string, at: number): [Json, number] {
  let end = at + 1
  if (path[at] === '"') {
    while (end < path.length && path[end] !== '"') end += path[end] === '\\' ? 2 : 1
    end += 1
  } else {
    while (end < path.length && path[end] !== ',' && path[end] !== ']') end += 1
  }
  try {
    const value = JSON.parse(path.slice(at, end)) as Json
    if (typeof value !== 'object') return [value, end]
  } catch {
    // told below, with the place
  }
  throw invalid(path, at)
}

function segmentsOf(path: FieldPath | readonly Segment[]): readonly Segment[] {
  return typeof path === 'string' ? parsePath(path) : path
}

function isPlain(name: string): boolean {
  return plainName.test(name)
}

/** The plain name that begins at `at`; empty where none does. */
function nameAt(path: string, at: number): string {
  let end = at
  while (end < path.length && isNameCharacter(path.charCodeAt(end), end === at)) end += 1
  return path.slice(at, end)
}

function isNameCharacter(code: number, isFirst: boolean): boolean {
  const isLetter = (code >= 97 && code <= 122) || (code >= 65 && code <= 90) || code === 95
  return isLetter || (!isFirst && ((code >= 48 && code <= 57) || code === 45))
}

function byName([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : a > b ? 1 : 0
}

function invalid(path: string, at: number): Failure {
  return new Failure({
    code: 'field-path-invalid',
    subject: path.slice(0, 200),
    message: `not a field path: unexpected ${at < path.length ? JSON.stringify(path[at]) : 'end'} at character ${at + 1}`,
    hint: 'A field path looks like spec.containers[name="app"].image or metadata.labels["a.b/c"].',
  })
}

function inTheWay(segments: readonly Segment[]): Failure {
  return new Failure({ code: 'field-path-invalid', subject: formatPath(segments).slice(0, 200), message: 'the object holds something else where this path leads' })
}
