import type { Json, JsonObject } from '#lib/json.ts'
import { answeredOf, sameValue } from '#model/field-facts.ts'
import { formatPath, isWithin, keysOf, parsePath, readPath, type Segment } from '#model/field-path.ts'
import type { DeclaredField, FieldPath } from '#model/plan.ts'

/**
 * The list item that is there in the place of the one that a field is gone with: whoever changes an item's key (a port's number, a container's name) takes one item away
 * and puts another in. It is one that nobody declared, and half of what the gone one declared beside its keys is the same there. Undefined where there is none.
 */
export function itemInstead(path: FieldPath, declared: readonly DeclaredField[], body: JsonObject): FieldPath | undefined {
  const segments = parsePath(path)
  const at = segments.findIndex((segment, index) => 'keys' in segment && readPath(body, segments.slice(0, index + 1)) === undefined)
  const gone = segments[at]
  const list = at < 0 ? undefined : readPath(body, segments.slice(0, at))
  if (gone === undefined || !('keys' in gone) || !Array.isArray(list)) return undefined
  const names = Object.keys(gone.keys)
  const before = leavesOf(declared, segments.slice(0, at + 1), names)
  return list
    .flatMap((item): { path: FieldPath; same: number }[] => {
      const keys = keysOf(item, names)
      if (keys === undefined) return []
      const there = formatPath([...segments.slice(0, at), { keys }])
      if (declared.some((field) => isWithin(field.path, there))) return []
      const same = before.filter(({ below, value }) => sameValue(readPath(item, below), value)).length
      return same * 2 >= before.length ? [{ path: there, same }] : []
    })
    .toSorted((a, b) => b.same - a.same)[0]?.path
}

function leavesOf(declared: readonly DeclaredField[], item: readonly Segment[], keys: readonly string[]): { below: readonly Segment[]; value: Json }[] {
  const whole = formatPath(item)
  return declared.flatMap((field) => {
    const below = isWithin(field.path, whole) ? parsePath(field.path).slice(item.length) : []
    const [first] = below
    const isKey = below.length === 1 && first !== undefined && 'field' in first && keys.includes(first.field)
    return below.length === 0 || isKey ? [] : [{ below, value: answeredOf(field) }]
  })
}
