import { equalJson, isObject } from '#lib/json.ts'
import type { Json, JsonObject } from '#lib/json.ts'
import { readPath, removePaths, setPath, formatPath } from '#model/field-path.ts'
import type { Segment } from '#model/field-path.ts'
import { ranked, turns } from './sought.ts'
import type { Ranked, Sought } from './sought.ts'
import { placeOf } from './in-manifests.ts'
import type { Text } from './texts.ts'

/** Operations of JSON patches (RFC 6902) that write the field, or something that it lies in. */
export function inJsonPatches(sought: Sought, texts: readonly Text[]): Ranked[] {
  return texts.flatMap((text) => {
    if (text.isKustomization || !Array.isArray(text.value)) return []
    const list = text.value
    return list.flatMap((operation, index) => {
      if (!isObject(operation) || typeof operation['path'] !== 'string' || (operation['op'] !== 'add' && operation['op'] !== 'replace')) return []
      const rest = below(operation['path'], sought.segments)
      if (rest === undefined) return []
      const written = rest.length === 0 ? operation['value'] : readPath(operation['value'], rest)
      if (written === undefined) return []
      const rank = equalJson(written, sought.declared ?? null) ? turns.patch : turns.otherValue
      return ranked(text, rank, edits(text, list, index, operation, rest, sought.live))
    })
  })
}

function edits(text: Text, list: readonly Json[], index: number, operation: JsonObject, rest: readonly Segment[], live: Json | undefined): (Buffer | undefined)[] {
  const replaced = (one: Json | undefined): Buffer | undefined => text.change(one === undefined ? list.toSpliced(index, 1) : list.with(index, one))
  if (live !== undefined) {
    if (rest.length === 0) return [text.set([index, 'value'], live)]
    const place = placeOf(operation['value'] ?? null, rest)
    return [place === undefined ? undefined : text.set([index, 'value', ...place], live), isObject(operation['value']) ? replaced({ ...operation, value: setPath(operation['value'], rest, live) }) : undefined]
  }
  if (rest.length > 0) return [isObject(operation['value']) ? replaced({ ...operation, value: removePaths(operation['value'], [formatPath(rest)]) }) : undefined]
  // Without the operation, what is below it shows; with a removal in its place, nothing does.
  const { value: _, ...kept } = operation
  return [list.length > 1 ? replaced(undefined) : undefined, replaced({ ...kept, op: 'remove' })]
}

/** What is left of a field's path below a JSON pointer; undefined where it does not lead through there. An index may be of any item. */
function below(pointer: string, segments: readonly Segment[]): readonly Segment[] | undefined {
  const tokens = pointer.split('/').slice(1).map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'))
  if (tokens.length > segments.length) return undefined
  const fits = tokens.every((token, depth) => {
    const segment = segments[depth]
    return segment !== undefined && ('field' in segment ? segment.field === token : /^(\d+|-)$/.test(token))
  })
  if (!fits) return undefined
  const last = segments[tokens.length - 1]
  // An operation on a keyed item holds the item: what is left is looked for in it, if it is the one.
  return last === undefined || 'field' in last || tokens.length < segments.length ? segments.slice(tokens.length) : []
}
