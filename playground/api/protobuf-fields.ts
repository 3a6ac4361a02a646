import { readFileSync } from 'node:fs'
import type { Field, Message, Type } from './protobuf-messages.ts'

const scalars: ReadonlySet<string> = new Set(['string', 'bytes', 'bool', 'flag', 'int', 'count', 'time', 'int-or-string', 'quantity'] satisfies Type[])
const suffixes = { '[]': 'list', '{}': 'map' } as const

/**
 * `protobuf-fields.json` has a PodSpec's messages, metadata's, and what else a Job holds, as `number name type`: a text where no type stands, a list with `[]`, a map with `{}`,
 * and `...` for what has no name of its own in JSON. Numbers and names are those of Kubernetes 1.36's `generated.proto` files (Apache-2.0).
 */
const texts = JSON.parse(readFileSync(new URL('protobuf-fields.json', import.meta.url), 'utf8')) as Readonly<Record<string, string>>
const read = new Map<string, Message>()

export function messageOf(name: string): Message {
  const known = read.get(name)
  if (known !== undefined) return known
  const text = texts[name]
  if (text === undefined) throw new Error(`protobuf-fields.json has no ${name}`)
  const message: Message = Object.fromEntries(text.split(', ').map(fieldOf))
  read.set(name, message)
  return message
}

function fieldOf(text: string): [number: number, field: Field] {
  const [number, name = '', written = 'string'] = text.split(' ')
  const [, base = '', suffix] = /^([\w-]+)(\[\]|\{\})?$/.exec(written) ?? []
  const type = scalars.has(base) ? (base as Type) : messageOf(base)
  if (name === '...') return [Number(number), { name: '', type, many: 'inline' }]
  return [Number(number), suffix === undefined ? { name, type } : { name, type, many: suffixes[suffix as keyof typeof suffixes] }]
}
