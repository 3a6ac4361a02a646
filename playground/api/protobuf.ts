import type { Json, JsonObject } from '#lib/json.ts'

/** How a field of a message is read. `map` has string keys. Bytes become base64, as in JSON. */
type Type = 'string' | 'bytes' | 'bool' | 'int' | 'time' | Message
type Field = { readonly name: string; readonly type: Type; readonly many?: 'list' | 'map' }
type Message = Readonly<Record<number, Field>>

const one = (name: string, type: Type = 'string'): Field => ({ name, type })
const list = (name: string, type: Type = 'string'): Field => ({ name, type, many: 'list' })
const map = (name: string, type: Type = 'string'): Field => ({ name, type, many: 'map' })

const ownerReference: Message = { 1: one('kind'), 3: one('name'), 4: one('uid'), 5: one('apiVersion'), 6: one('controller', 'bool'), 7: one('blockOwnerDeletion', 'bool') }
const objectMeta: Message = {
  1: one('name'),
  2: one('generateName'),
  3: one('namespace'),
  5: one('uid'),
  6: one('resourceVersion'),
  7: one('generation', 'int'),
  8: one('creationTimestamp', 'time'),
  9: one('deletionTimestamp', 'time'),
  11: map('labels'),
  12: map('annotations'),
  13: list('ownerReferences', ownerReference),
  14: list('finalizers'),
}
const metadata = one('metadata', objectMeta)
const reference: Message = { 1: one('kind'), 2: one('namespace'), 3: one('name'), 4: one('uid'), 5: one('apiVersion') }
const resourceAttributes: Message = { 1: one('namespace'), 2: one('verb'), 3: one('group'), 4: one('version'), 5: one('resource'), 6: one('subresource'), 7: one('name') }

/** The kinds that `kubectl create` and `kubectl auth` send in protobuf. Field numbers from the published `generated.proto` files. */
const messages: Readonly<Record<string, Message>> = {
  'v1/ConfigMap': { 1: metadata, 2: map('data'), 3: map('binaryData', 'bytes'), 4: one('immutable', 'bool') },
  'v1/Namespace': { 1: metadata, 2: one('spec', { 1: list('finalizers') }), 3: one('status', { 1: one('phase') }) },
  'v1/Secret': { 1: metadata, 2: map('data', 'bytes'), 3: one('type'), 4: map('stringData'), 5: one('immutable', 'bool') },
  'v1/ServiceAccount': { 1: metadata, 2: list('secrets', reference), 3: list('imagePullSecrets', { 1: one('name') }), 4: one('automountServiceAccountToken', 'bool') },
  'authentication.k8s.io/v1/SelfSubjectReview': { 1: metadata },
  'authorization.k8s.io/v1/SelfSubjectAccessReview': {
    1: metadata,
    2: one('spec', { 1: one('resourceAttributes', resourceAttributes), 2: one('nonResourceAttributes', { 1: one('path'), 2: one('verb') }) }),
  },
  'authorization.k8s.io/v1/SelfSubjectRulesReview': { 1: metadata, 2: one('spec', { 1: one('namespace') }) },
}

const magic = Buffer.from('k8s\0')
const envelope: Message = { 1: one('typeMeta', { 1: one('apiVersion'), 2: one('kind') }), 2: one('raw', 'bytes') }

/** An object from Kubernetes' protobuf envelope; `undefined` for a kind that is not known here. Throws a `RangeError` on broken bytes. */
export function readProtobuf(bytes: Buffer): JsonObject | undefined {
  if (!bytes.subarray(0, 4).equals(magic)) throw new RangeError('this is no Kubernetes protobuf')
  const outer = message(bytes.subarray(4), envelope)
  const typeMeta = (outer.typeMeta ?? {}) as { apiVersion?: string; kind?: string }
  const { apiVersion = '', kind = '' } = typeMeta
  const known = messages[`${apiVersion}/${kind}`]
  if (known === undefined) return undefined
  const object = message(Buffer.from(typeof outer.raw === 'string' ? outer.raw : '', 'base64'), known)
  return { apiVersion, kind, ...object }
}

function message(bytes: Buffer, fields: Message): JsonObject {
  const result: JsonObject = {}
  const reader = new Reader(bytes)
  while (!reader.done) {
    const tag = reader.varint()
    const field = fields[Math.floor(tag / 8)]
    const value = reader.value(tag % 8)
    if (field === undefined) continue
    if (field.many === 'map' && Buffer.isBuffer(value)) {
      const entry = message(value, { 1: one('key'), 2: one('value', field.type) })
      result[field.name] = { ...((result[field.name] ?? {}) as JsonObject), [String(entry.key ?? '')]: entry.value ?? '' }
    } else if (field.many === 'list') result[field.name] = [...((result[field.name] ?? []) as Json[]), decode(value, field.type) ?? null]
    else {
      const decoded = decode(value, field.type)
      // Strings that are not set are sent all the same.
      if (decoded !== undefined && decoded !== '') result[field.name] = decoded
    }
  }
  return result
}

function decode(value: number | Buffer, type: Type): Json | undefined {
  if (typeof value === 'number') return type === 'bool' ? value !== 0 : value
  if (type === 'string') return value.toString('utf8')
  if (type === 'bytes') return value.toString('base64')
  if (type === 'time') {
    const { seconds } = message(value, { 1: one('seconds', 'int') })
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
