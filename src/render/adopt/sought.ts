import type { Json, JsonObject } from '#lib/json.ts'
import { parsePath, readPath } from '#model/field-path.ts'
import type { Segment } from '#model/field-path.ts'
import type { FieldPath } from '#model/plan.ts'
import type { ObjectKey } from '#model/resource.ts'
import type { Text } from './texts.ts'
import type { Candidate, WishedField } from './wish.ts'

/** One field that is looked for: what it renders to now, and what it is to be. */
export type Sought = {
  readonly key: ObjectKey
  readonly body: JsonObject
  readonly path: FieldPath
  readonly segments: readonly Segment[]
  readonly declared: Json | undefined
  readonly live: Json | undefined
  /** The segments with those keys of items alone that the rendering writes out: a patch does not add defaults. */
  readonly literalKeys: (segments: readonly Segment[]) => Segment[]
}

export function soughtOf(key: ObjectKey, body: JsonObject, { path, live }: WishedField): Sought {
  const segments = parsePath(path)
  const literalKeys = (given: readonly Segment[]): Segment[] =>
    given.map((segment, depth) => {
      const item = 'keys' in segment ? readPath(body, given.slice(0, depth + 1)) : undefined
      if (!('keys' in segment) || item === undefined) return segment
      return { keys: Object.fromEntries(Object.entries(segment.keys).filter(([name]) => readPath(item, [{ field: name }]) !== undefined)) }
    })
  return { key, body, path, segments, declared: readPath(body, segments), live, literalKeys }
}

/** A candidate with its turn: the lowest is tried first. */
export type Ranked = Candidate & { readonly rank: number }

/**
 * The turns of the sorts of candidates. What Git writes already comes before anything new, and of that, what only this place reads: an edit of a
 * file that others read is likely to show there too. What merely holds the same value comes last.
 */
export const turns = { entry: 0, patch: 10, manifest: 20, unnamed: 5, namesake: 60, otherValue: 70, equal: 80, shared: 100, intoOwn: 140, newEntry: 142, newPatch: 145 } as const

export function ranked(text: Pick<Text, 'file' | 'sharing'>, rank: number, contents: readonly (Buffer | undefined)[]): Ranked[] {
  return contents
    .filter((bytes) => bytes !== undefined)
    .map((bytes, index) => ({ changes: new Map([[text.file, bytes]]), rank: rank + (text.sharing > 0 ? turns.shared : 0) + index / 10 }))
}
