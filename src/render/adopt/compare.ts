import { equalJson, isObject } from '#lib/json.ts'
import type { Json, JsonObject } from '#lib/json.ts'
import { ancestorsOf, parsePath, readPath, removePaths, setPath } from '#model/field-path.ts'
import { patternOf } from '#model/list-keys.ts'
import type { FieldPath } from '#model/plan.ts'
import { parseKey } from '#model/resource.ts'
import type { Desired, ObjectKey } from '#model/resource.ts'
import type { WishedField } from './wish.ts'

export type Bodies = ReadonlyMap<ObjectKey, JsonObject>

export function bodiesOf(desired: readonly Desired[]): Bodies {
  return new Map(desired.map(({ key, body }) => [key, body]))
}

export function sameBodies(a: Bodies, b: Bodies): boolean {
  return a.size === b.size && [...a].every(([key, body]) => b.has(key) && equalJson(body, b.get(key)))
}

/** What a rendering has brought: the fields that have their wished value now, and the name that a generated object has got. */
export type Brought = { readonly fields: readonly WishedField[]; readonly renamed?: { readonly from: ObjectKey; readonly to: ObjectKey } }

/**
 * Compares a rendering with the one before it. Undefined where anything else differs than some of the wished fields, which then must have their
 * wished value; else which of them have it now. What has no value and what is null are one.
 */
export function brought(before: Bodies, after: Bodies, key: ObjectKey, fields: readonly WishedField[]): Brought | undefined {
  const renamed = renaming(before, after, key)
  const now = renamed === undefined ? after : named(after, renamed.to, renamed.from)
  const [was, is] = [before.get(key), now.get(key)]
  if (was === undefined || is === undefined || now.size !== before.size) return undefined
  for (const [other, body] of before) if (other !== key && !equalJson(body, now.get(other))) return undefined
  const found = fields.filter(({ path, live }) => equalJson(readPath(is, path) ?? null, live ?? null))
  const touched = found.map(({ path }) => path)
  const compared = (body: JsonObject): Json => normal(body, touched)
  if (!equalJson(compared(wished(was, found)), compared(is))) return undefined
  return { fields: found, ...(renamed === undefined ? {} : { renamed }) }
}

/** Where all that is declared of a list's item is to go, the item is: one wish in place of one for each of its fields. */
export function foldRemovals(body: JsonObject, fields: readonly WishedField[]): WishedField[] {
  const left = removePaths(body, fields.filter(({ live }) => live === undefined).map(({ path }) => path))
  const folded = fields.map((field): WishedField => {
    if (field.live !== undefined) return field
    const item = ancestorsOf(field.path).find((path) => !('field' in (parsePath(path).at(-1) ?? {})) && readPath(left, path) === undefined)
    return item === undefined ? field : { path: item }
  })
  return [...new Map(folded.map((field) => [field.path, field])).values()]
}

/** The object with the fields as they are wished. */
export function wished(body: JsonObject, fields: readonly WishedField[]): JsonObject {
  const gone = fields.filter(({ live }) => live === undefined).map(({ path }) => path)
  let result = removePaths(body, gone)
  for (const { path, live } of fields) if (live !== undefined) result = setPath(result, path, live)
  return result
}

/** Whether a rendering is the one before it without that object. */
export function isWithout(before: Bodies, after: Bodies, key: ObjectKey): boolean {
  return before.has(key) && sameBodies(new Map([...before].filter(([other]) => other !== key)), after)
}

const hashed = /^(.+)-([a-z0-9]{10})$/

/** Generated names end in a digest of the content (kustomize): the object that came in this one's place, if it is of that sort. */
function renaming(before: Bodies, after: Bodies, key: ObjectKey): { from: ObjectKey; to: ObjectKey } | undefined {
  if (after.has(key)) return undefined
  const name = parseKey(key)
  const stem = hashed.exec(name.name)?.[1]
  const isOne = (other: ObjectKey): boolean => {
    const { group, kind, namespace, name: full } = parseKey(other)
    return group === name.group && kind === name.kind && namespace === name.namespace && hashed.exec(full)?.[1] === stem
  }
  const [to, second] = [...after.keys()].filter((other) => !before.has(other) && stem !== undefined && isOne(other))
  return to === undefined || second !== undefined ? undefined : { from: key, to }
}

/** The objects with a generated name written as it was before, wherever it stands alone as a value. */
function named(bodies: Bodies, key: ObjectKey, before: ObjectKey): Bodies {
  const [name, old] = [parseKey(key).name, parseKey(before).name]
  const inValue = (value: Json): Json => {
    if (value === name) return old
    if (Array.isArray(value)) return value.map(inValue)
    return isObject(value) ? Object.fromEntries(Object.entries(value).map(([field, member]) => [field, inValue(member)])) : value
  }
  return new Map([...bodies].map(([other, body]) => [other === key ? before : other, inValue(body) as JsonObject]))
}

/**
 * A form in which objects are equal that a server takes for equal, where the wish touched them: maps and lists that a removal emptied are none. The
 * order of lists counts: another one is another pod.
 */
function normal(body: JsonObject, touched: readonly FieldPath[]): Json {
  const above = new Set(touched.flatMap((path) => ancestorsOf(path).map((ancestor) => patternOf(parsePath(ancestor)))))
  const leaves = new Set(touched.map((path) => patternOf(parsePath(path))))
  const walk = (value: Json, pattern: string): Json | undefined => {
    if (pattern !== '' && !above.has(pattern)) return value === null && leaves.has(pattern) ? undefined : value
    if (Array.isArray(value)) {
      const items = value.map((item) => walk(item, `${pattern}[]`)).filter((item) => item !== undefined)
      return items.length === 0 ? undefined : items
    }
    if (!isObject(value)) return value ?? undefined
    const members = Object.entries(value).flatMap(([field, member]): [string, Json][] => {
      const kept = walk(member, pattern === '' ? field : `${pattern}.${field}`)
      return kept === undefined ? [] : [[field, kept]]
    })
    return members.length === 0 ? undefined : Object.fromEntries(members)
  }
  return walk(body, '') ?? {}
}
