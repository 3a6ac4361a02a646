import type { Param } from './sql.ts'

/** A value that the statement returned, and that cannot be held exactly. */
export class Undecodable extends RangeError {}

/** A parameter as the text that PostgreSQL reads, the same for both stores. */
export function encodeParam(value: Param): string | null {
  if (value === null || value === undefined) return null
  if (typeof value !== 'object') return String(value)
  if (value instanceof Date) return value.toISOString()
  if (value instanceof Uint8Array) return `\\x${Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('hex')}`
  return JSON.stringify(value)
}

/** The types that are not text on our side, by their OID (`pg_type.oid`, fixed for built-in types). */
export const decoders: Readonly<Record<number, (text: string) => unknown>> = {
  16: (text) => text === 't',
  17: decodeBytes,
  20: decodeBigint,
  21: Number,
  23: Number,
  26: Number,
  114: (text) => JSON.parse(text),
  700: Number,
  701: Number,
  1184: decodeTime,
  3802: (text) => JSON.parse(text),
  1000: (text) => decodeArray(text, (item) => item === 't'),
  1005: (text) => decodeArray(text, Number),
  1007: (text) => decodeArray(text, Number),
  1016: (text) => decodeArray(text, decodeBigint),
  1009: (text) => decodeArray(text, String),
  1015: (text) => decodeArray(text, String),
  1185: (text) => decodeArray(text, decodeTime),
}

function decodeBytes(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text.slice(2), 'hex')) // bytea_output is hex
}

function decodeBigint(text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value)) throw new Undecodable(`${text} is beyond the safe integers: cast it to text`)
  return value
}

/** `2026-01-01 00:00:00.123456+00`, which the session's time zone (UTC) and date style (ISO) make the only form. */
function decodeTime(text: string): number {
  if (text === 'infinity') return Infinity
  if (text === '-infinity') return -Infinity
  const value = Date.parse(text.replace(' ', 'T').replace(/\+00$/, 'Z'))
  if (Number.isNaN(value)) throw new Undecodable(`not a time that JavaScript can hold: ${text}`)
  return value
}

/** One dimension; `NULL` items are null. */
function decodeArray<T>(text: string, decode: (item: string) => T): (T | null)[] {
  const items: (T | null)[] = []
  const item = /"((?:[^"\\]|\\.)*)"|([^,{}"]+)/gy
  let at = 1
  while (at < text.length - 1) {
    item.lastIndex = at
    const found = item.exec(text)
    if (found === null) throw new Undecodable('an array of more than one dimension is not read: return it as jsonb')
    const [, quoted, bare] = found
    if (quoted !== undefined) items.push(decode(quoted.replace(/\\(.)/gs, '$1')))
    else items.push(bare === 'NULL' ? null : decode(bare ?? ''))
    at = item.lastIndex + 1 // over the comma
  }
  return items
}
