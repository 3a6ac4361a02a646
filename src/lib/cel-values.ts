import type { Json } from './json.ts'

/**
 * JSON as CEL takes it: whole numbers are `int` (BigInt), others `double`, as Kubernetes reads objects without a schema. A whole number beyond
 * 2^53 has lost digits already and stays a double. Objects have no prototype, so that no name of JavaScript's is found in them.
 */
export function toCel(value: Json): unknown {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : value
  if (Array.isArray(value)) return value.map(toCel)
  if (typeof value !== 'object' || value === null) return value
  const object = Object.create(null) as Record<string, unknown>
  for (const [key, member] of Object.entries(value)) object[key] = toCel(member)
  return object
}

/** What CEL gave, as JSON, after the JSON form of protocol buffers: integers beyond 2^53 are texts, and so are NaN and the infinities; bytes are base64. */
export function fromCel(value: unknown): Json {
  if (value === null || value === undefined || typeof value === 'boolean' || typeof value === 'string') return value ?? null
  if (typeof value === 'bigint') return BigInt(Number(value)) === value && Number.isSafeInteger(Number(value)) ? Number(value) : String(value)
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value)
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64')
  if (value instanceof Date) return value.toISOString()
  if (Array.isArray(value)) return value.map(fromCel)
  if (value instanceof Set) return [...value].map(fromCel)
  if (value instanceof Map) return Object.fromEntries([...value].map(([key, member]) => [String(key), fromCel(member)]))
  if (typeof value !== 'object') return String(value)
  if ('hasValue' in value && typeof value.hasValue === 'function' && 'value' in value && typeof value.value === 'function') {
    return value.hasValue() === true ? fromCel(value.value()) : null
  }
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== null && prototype !== Object.prototype) {
    const inner: unknown = value.valueOf()
    return typeof inner === 'bigint' || typeof inner === 'number' ? fromCel(inner) : String(value)
  }
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, fromCel(member)]))
}
