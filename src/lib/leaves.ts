import type { Json } from './json.ts'

/** What differs, leaf by leaf, for a person to read: `review.approvals: 1 -> 0`. Lists are leaves. Sorted; empty where nothing does. */
export function leafChanges(from: Json, to: Json): string[] {
  const [before, after] = [leaves(from), leaves(to)]
  const paths = [...new Set([...before.keys(), ...after.keys()])].sort()
  return paths.flatMap((path) => (before.get(path) === after.get(path) ? [] : [`${path}: ${before.get(path) ?? 'nothing'} -> ${after.get(path) ?? 'nothing'}`]))
}

function leaves(value: Json, path = ''): Map<string, string> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return new Map([[path, JSON.stringify(value)]])
  return new Map(Object.entries(value).flatMap(([key, inner]) => [...leaves(inner, path === '' ? key : `${path}.${key}`)]))
}
