/** What a type of our own says of being equal. */
type Comparable = { equals(other: unknown): boolean }

/** CEL's equality: numbers of different types by their value, lists and maps by their parts, other things of different types never. */
export function equalInCel(a: unknown, b: unknown): boolean {
  const [left, right] = [plain(a), plain(b)]
  if (left === right) return true
  if (typeof left === 'bigint' || typeof left === 'number') return (typeof right === 'bigint' || typeof right === 'number') && left == right // oxlint-disable-line eqeqeq -- 1 and 1.0
  if (typeof left !== 'object' || left === null || typeof right !== 'object' || right === null) return false
  if (hasEquals(left)) return left.equals(right)
  if (left instanceof Date) return right instanceof Date && left.getTime() === right.getTime()
  if (left instanceof Uint8Array) return right instanceof Uint8Array && Buffer.compare(left, right) === 0
  if (Array.isArray(left)) return Array.isArray(right) && left.length === right.length && left.every((item, index) => equalInCel(item, right[index]))
  if (left.constructor !== right.constructor && !(isMap(left) && isMap(right))) return false
  if (!isMap(left)) return String(left) === String(right)
  const [ours, theirs] = [entriesOf(left), new Map(entriesOf(right))]
  return ours.length === theirs.size && ours.every(([key, value]) => theirs.has(key) && equalInCel(value, theirs.get(key)))
}

const hasEquals = (value: object): value is Comparable => 'equals' in value && typeof value.equals === 'function'

/** An unsigned integer is an object around a BigInt. */
function plain(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || value instanceof Date || Object.getPrototypeOf(value) === Object.prototype) return value
  const inner: unknown = Object.getPrototypeOf(value) === null ? value : value.valueOf()
  return typeof inner === 'bigint' ? inner : value
}

export function isMap(value: unknown): value is object {
  if (value instanceof Map) return true
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || prototype === Object.prototype
}

/** The entries of a map, whichever of the two forms it has. */
export function entriesOf(map: object): [unknown, unknown][] {
  return map instanceof Map ? [...(map as Map<unknown, unknown>)] : Object.entries(map)
}
