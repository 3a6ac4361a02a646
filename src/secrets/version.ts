import { createHmac } from 'node:crypto'

/** A version for a value whose source has none. It may be recorded, so it must not tell the value. */
export type VersionOf = (value: string) => string

/** Versions by a keyed digest: without the installation's key, not even a guess can be checked against one. */
export function keyedVersions(key: Uint8Array): VersionOf {
  return (value) => `k-${createHmac('sha256', key).update(value).digest('hex').slice(0, 16)}`
}
