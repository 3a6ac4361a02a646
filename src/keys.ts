import { randomBytes } from 'node:crypto'
import { chmod, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { keepFile } from './keep-file.ts'
import { openRecordKeys } from './record-keys.ts'
import type { RecordKeys } from './record-keys.ts'

/** What the installation alone knows. Kept in files of mode 0600, outside the store: who takes the store has none of it. */
export type Keys = {
  readonly record: RecordKeys
  /** Of the digests that stand in for secrets. */
  readonly digest: Buffer
  readonly webhook: string
}

/** Opens the keys of a folder; what is not there yet is made. `path`: where a signer's program is looked for. */
export async function openKeys(dir: string, path = ''): Promise<Keys> {
  await mkdir(dir, { recursive: true, mode: 0o700 })
  await chmod(dir, 0o700)
  const secret = (name: string): Promise<string> => keepFile(join(dir, name), () => `${randomBytes(32).toString('base64url')}\n`)
  return {
    record: await openRecordKeys(dir, path),
    digest: Buffer.from((await secret('digest.key')).trim(), 'base64url'),
    webhook: (await secret('webhook.key')).trim(),
  }
}
