import type { Json } from '#lib/json.ts'
import { isObject } from '#lib/json.ts'

/** A small part of JSONPath (RFC 9535): `$`, `.name`, `['name']`, `["name"]` and `[0]`, that is, what leads to one place. Undefined for anything else. */
export function readJsonPath(text: string): (string | number)[] | undefined {
  if (text.length > 500 || !text.startsWith('$')) return undefined
  const segment = /\.([A-Za-z_][\w-]*)|\[(\d{1,6})\]|\['([^'\\]*)'\]|\["([^"\\]*)"\]/y
  const path: (string | number)[] = []
  segment.lastIndex = 1
  while (segment.lastIndex < text.length) {
    const match = segment.exec(text)
    if (match === null) return undefined
    path.push(match[2] === undefined ? (match[1] ?? match[3] ?? match[4] ?? '') : Number(match[2]))
  }
  return path
}

/** What is at a path; undefined where nothing is. */
export function atJsonPath(value: Json, path: readonly (string | number)[]): Json | undefined {
  let here: Json | undefined = value
  for (const segment of path) {
    if (Array.isArray(here)) here = typeof segment === 'number' ? here[segment] : undefined
    else if (isObject(here)) here = Object.hasOwn(here, String(segment)) ? here[String(segment)] : undefined
    else return undefined
  }
  return here
}
