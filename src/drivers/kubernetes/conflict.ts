import type { Failure } from '#lib/failure.ts'
import { isObject, type Json, type JsonObject } from '#lib/json.ts'
import { formatPath, parsePath, readPath, type Segment } from '#model/field-path.ts'
import type { FieldPath } from '#model/plan.ts'

export type Conflict = { readonly path: FieldPath; readonly manager: string }

/**
 * The fields that other managers own, from the causes of a 409. The Status names them as `structured-merge-diff` prints paths: `.spec.replicas`,
 * `.metadata.labels.app.kubernetes.io/name` (dots of a name are not told from dots between names: the body that was sent tells),
 * `.spec.containers[name="app"].image`. Empty where the conflict is one of versions.
 */
export function conflictsOf(failure: Failure, sent: JsonObject): Conflict[] {
  const causes = Array.isArray(failure.fields['causes']) ? failure.fields['causes'].filter(isObject) : []
  return causes
    .filter((cause) => cause['reason'] === 'FieldManagerConflict')
    .map((cause) => ({ path: pathOf(String(cause['field'] ?? ''), sent), manager: /conflict with "((?:[^"\\]|\\.)*)"/.exec(String(cause['message'] ?? ''))?.[1] ?? 'another manager' }))
    .sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : a.manager < b.manager ? -1 : 1))
}

function pathOf(printed: string, sent: JsonObject): FieldPath {
  const segments: Segment[] = []
  let rest = printed
  let value: Json | undefined = sent
  while (rest !== '') {
    const [segment, length] = rest.startsWith('[') ? bracket(rest) : field(rest, value)
    if (segment === undefined) return printed.replace(/^\./, '')
    segments.push(segment)
    value = readPath(value, [segment])
    rest = rest.slice(length)
  }
  return formatPath(segments)
}

/** The longest name that the body has here; where it has none, up to the next dot or bracket. */
function field(rest: string, value: Json | undefined): [Segment | undefined, number] {
  const text = rest.startsWith('.') ? rest.slice(1) : rest
  const skipped = rest.length - text.length
  const known = Object.keys(isObject(value) ? value : {})
    .filter((name) => text.startsWith(name) && (text.length === name.length || '.['.includes(text[name.length] as string)))
    .sort((a, b) => b.length - a.length)[0]
  const name = known ?? /^[^.[]+/.exec(text)?.[0]
  return name === undefined ? [undefined, 0] : [{ field: name }, skipped + name.length]
}

function bracket(rest: string): [Segment | undefined, number] {
  // A bracket ends where the text up to it can be read: values may hold brackets themselves.
  for (let end = rest.indexOf(']'); end >= 0; end = rest.indexOf(']', end + 1)) {
    try {
      const [segment] = parsePath(rest.slice(0, end + 1))
      return [segment, end + 1]
    } catch {
      // a bracket inside a value
    }
  }
  return [undefined, 0]
}
