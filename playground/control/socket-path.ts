import { join } from 'node:path'
import { digestOf } from '#lib/digest.ts'

const longestPath = 100 // a socket's address holds 108 bytes on Linux, 104 on macOS

/** Where the playground of a folder listens for `break`, `mend` and `reset`. Where the folder's path is too long for a socket's address, in /tmp. */
export function controlSocketOf(dir: string): string {
  const path = join(dir, 'control.sock')
  return Buffer.byteLength(path) <= longestPath ? path : `/tmp/plumb-${digestOf(dir).slice(7, 23)}.sock`
}
