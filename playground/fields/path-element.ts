import type { Json, JsonObject } from '#lib/json.ts'
import { isObject } from '#lib/json.ts'

/**
 * One step of a field path, in its FieldsV1 text: `f:name` a field, `k:{"name":"x"}` an item of a keyed list, `v:"x"` a member of a set,
 * `i:0` an index. The text is canonical (keys sorted, no white space), so equal texts are equal steps and sets of steps are sets of strings.
 * Source: KEP-555 and the serialization in kubernetes-sigs/structured-merge-diff `fieldpath`.
 */
export type PathElement = string

export function fieldElement(name: string): PathElement {
  return `f:${name}`
}

export function valueElement(value: Json): PathElement {
  return `v:${JSON.stringify(value)}`
}

export function keyElement(keys: JsonObject): PathElement {
  const sorted: JsonObject = {}
  for (const name of Object.keys(keys).sort()) sorted[name] = keys[name] as Json
  return `k:${JSON.stringify(sorted)}`
}

/** The canonical text of an element read from outside, or `undefined` where it is none. */
export function parsePathElement(text: string): PathElement | undefined {
  const rest = text.slice(2)
  switch (text.slice(0, 2)) {
    case 'f:':
      return text
    case 'i:':
      return /^-?\d+$/.test(rest) ? text : undefined
    case 'v:': {
      const value = parsed(rest)
      return value === undefined ? undefined : valueElement(value)
    }
    case 'k:': {
      const keys = parsed(rest)
      return isObject(keys) && Object.keys(keys).length > 0 ? keyElement(keys) : undefined
    }
    default:
      return undefined
  }
}

function parsed(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json
  } catch {
    return undefined
  }
}

const kinds = 'fkvi'

/** Fields first, then keyed items, set members and indices: the order in which conflicts are listed and sets are written. */
export function comparePathElements(a: PathElement, b: PathElement): number {
  const byKind = kinds.indexOf(a[0] as string) - kinds.indexOf(b[0] as string)
  if (byKind !== 0 || a === b) return byKind
  if (a[0] === 'f') return a < b ? -1 : 1
  const left = JSON.parse(a.slice(2)) as Json
  const right = JSON.parse(b.slice(2)) as Json
  if (a[0] === 'k' && isObject(left) && isObject(right)) return compareKeys(left, right)
  return compareScalars(left, right)
}

function compareKeys(a: JsonObject, b: JsonObject): number {
  const left = Object.entries(a)
  const right = Object.entries(b)
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    const [leftName, leftValue] = left[i] as [string, Json]
    const [rightName, rightValue] = right[i] as [string, Json]
    if (leftName !== rightName) return leftName < rightName ? -1 : 1
    const byValue = compareScalars(leftValue, rightValue)
    if (byValue !== 0) return byValue
  }
  return left.length - right.length
}

function compareScalars(a: Json, b: Json): number {
  const rank = (value: Json) => ['number', 'string', 'boolean', 'object'].indexOf(typeof value)
  if (rank(a) !== rank(b)) return rank(a) - rank(b)
  if (typeof a === 'object' || typeof b === 'object') return 0
  return a < b ? -1 : a > b ? 1 : 0
}

/** As error messages show it: `.name`, `[name="x",port=80]`, `[="x"]`, `[0]`. */
export function showPathElement(element: PathElement): string {
  if (element.startsWith('f:')) return `.${element.slice(2)}`
  if (element.startsWith('i:')) return `[${element.slice(2)}]`
  const value = JSON.parse(element.slice(2)) as Json
  if (element.startsWith('v:')) return `[=${showValue(value)}]`
  const keys = Object.entries(value as JsonObject)
  return `[${keys.map(([name, key]) => `${name}=${showValue(key)}`).join(',')}]`
}

export function showPath(path: readonly PathElement[]): string {
  return path.map(showPathElement).join('')
}

function showValue(value: Json): string {
  return JSON.stringify(value)
}
