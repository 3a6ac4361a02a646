import type { Json, JsonObject } from '#lib/json.ts'
import { protobufMessages, type Field, type Message, type Type } from './protobuf-messages.ts'

const magic = Buffer.from('k8s\0')
const text = (name: string): Field => ({ name, type: 'string' })
const envelope: Message = {
  1: { name: 'typeMeta', type: { 1: text('apiVersion'), 2: text('kind') } },
  2: { name: 'raw', type: 'bytes' },
  3: text('contentEncoding'),
  4: text('contentType'),
}

/** An object from Kubernetes' protobuf envelope; `undefined` for a kind that is not known here. Throws a `RangeError` on broken bytes and on unknown fields. */
export function readProtobuf(bytes: Buffer): JsonObject | undefined {
  if (!bytes.subarray(0, 4).equals(magic)) throw new RangeError('this is no Kubernetes protobuf')
  const outer = message(bytes.subarray(4), envelope)
  const typeMeta = (outer.typeMeta ?? {}) as { apiVersion?: string; kind?: string }
  const { apiVersion = '', kind = '' } = typeMeta
  const known = protobufMessages[`${apiVersion}/${kind}`]
  if (known === undefined) return undefined
  const object = message(Buffer.from(typeof outer.raw === 'string' ? outer.raw : '', 'base64'), known)
  return { apiVersion, kind, ...object }
}

function message(bytes: Buffer, fields: Message): JsonObject {
  const result: JsonObject = {}
  const reader = new Reader(bytes)
  while (!reader.done) {
    const tag = reader.varint()
    const number = Math.floor(tag / 8)
    const field = fields[number]
    const value = reader.value(tag % 8)
    // What is not known here would be lost without a word.
    if (field === undefined) throw new RangeError(`field ${number} is not known here: send JSON`)
    if (field.many === 'map' && Buffer.isBuffer(value)) {
      const entry = message(value, { 1: text('key'), 2: { name: 'value', type: field.type } })
      result[field.name] = { ...((result[field.name] ?? {}) as JsonObject), [String(entry.key ?? '')]: entry.value ?? '' }
    } else if (field.many === 'list') result[field.name] = [...((result[field.name] ?? []) as Json[]), decode(value, field.type) ?? null]
    else if (field.many === 'inline' && Buffer.isBuffer(value) && typeof field.type === 'object') Object.assign(result, message(value, field.type))
    else {
      const decoded = decode(value, field.type)
      if (decoded !== undefined && !isUnset(decoded, field.type)) result[field.name] = decoded
    }
  }
  return result
}

/** What is not set is sent all the same, unless it may be null: then zero is a value. */
function isUnset(value: Json, type: Type): boolean {
  return value === '' || (value === 0 && type === 'int') || (value === false && type === 'bool')
}

function decode(value: number | Buffer, type: Type): Json | undefined {
  if (typeof value === 'number') return type === 'bool' || type === 'flag' ? value !== 0 : value
  if (type === 'int-or-string') {
    const { type: which, number, text: word } = message(value, { 1: { name: 'type', type: 'count' }, 2: { name: 'number', type: 'count' }, 3: text('text') })
    return which === 1 ? (word ?? '') : (number ?? 0)
  }
  if (type === 'quantity') return message(value, { 1: text('text') }).text ?? ''
  if (type === 'string') return value.toString('utf8')
  if (type === 'bytes') return value.toString('base64')
  if (type === 'time') {
    const { seconds } = message(value, { 1: { name: 'seconds', type: 'int' }, 2: { name: 'nanos', type: 'int' } })
    return typeof seconds === 'number' && seconds > 0 ? new Date(seconds * 1000).toISOString().replace('.000Z', 'Z') : undefined
  }
  return typeof type === 'object' ? message(value, type) : undefined
}

class Reader {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  get done(): boolean {
    return this.#at >= this.#bytes.length
  }

  varint(): number {
    let value = 0n
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.#bytes[this.#at]
      if (byte === undefined) throw new RangeError('the message ends too early')
      this.#at += 1
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return Number(BigInt.asIntN(64, value))
    }
    throw new RangeError('a number is too long')
  }

  value(wire: number): number | Buffer {
    if (wire === 0) return this.varint()
    const length = wire === 2 ? this.varint() : wire === 1 ? 8 : wire === 5 ? 4 : -1
    if (length < 0 || this.#at + length > this.#bytes.length) throw new RangeError('the message ends too early')
    const bytes = this.#bytes.subarray(this.#at, this.#at + length)
    this.#at += length
    return bytes
  }
}
