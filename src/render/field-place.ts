import { isObject, type Json } from '#lib/json.ts'
import { locateYaml } from '#lib/yaml-locate.ts'
import type { Place } from '#lib/yaml-places.ts'
import { readYaml } from '#lib/yaml.ts'
import { parsePath, type Segment } from '#model/field-path.ts'
import type { FieldPath } from '#model/plan.ts'

/**
 * Where (1-based) a manifest writes a field, in the document that begins at `from`; where the document does not write it (a base does, or
 * a patch), the place of what of its path is there, else the document's own.
 */
export function placeOfField(bytes: Uint8Array, file: string, from: number, path: FieldPath | undefined): Place {
  const document = readYaml(bytes, { file, rules: '1.1' }).find(({ line }) => line === from)
  if (document === undefined || path === undefined) return { line: from, column: 1 }
  const steps: (string | number)[] = []
  let value: Json | undefined = document.value
  for (const segment of parsePath(path)) {
    const step = stepInto(value, segment)
    if (step === undefined) break
    steps.push(step)
    value = typeof step === 'number' ? (value as Json[])[step] : (value as Record<string, Json>)[step]
  }
  if (steps.length === 0) return { line: from, column: 1 }
  // What is written as one value is where an edit would be; what has parts begins with its name.
  const isWhole = steps.length === parsePath(path).length && (value === null || typeof value !== 'object')
  return locateYaml(new TextDecoder().decode(bytes), document.index, steps, isWhole ? 'value' : 'key')
}

function stepInto(value: Json | undefined, segment: Segment): string | number | undefined {
  if ('field' in segment) return isObject(value) && Object.hasOwn(value, segment.field) ? segment.field : undefined
  if (!Array.isArray(value)) return undefined
  if ('index' in segment) return segment.index < value.length ? segment.index : undefined
  const at = 'value' in segment ? value.indexOf(segment.value) : value.findIndex((item) => isObject(item) && Object.entries(segment.keys).every(([name, key]) => item[name] === undefined || item[name] === key))
  return at < 0 ? undefined : at
}
