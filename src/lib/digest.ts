import { hash } from 'node:crypto'
import { canonicalJson } from './json.ts'

/** `sha256:` and 64 hexadecimal digits. */
export type Digest = `sha256:${string}`

export function digestOfBytes(bytes: string | Uint8Array): Digest {
  return `sha256:${hash('sha256', bytes, 'hex')}`
}

/** The digest of a value's canonical JSON: equal values have equal digests, whatever their key order. */
export function digestOf(value: unknown): Digest {
  return digestOfBytes(canonicalJson(value))
}
