import { randomBytes } from 'node:crypto'
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { newKeyPair, publicPemOf } from '#record/dsse.ts'

/** What the installation alone knows. Kept in files of mode 0600, outside the store: who takes the store has neither. */
export type Keys = {
  /** Ed25519, PEM: signs checkpoints. */
  readonly recordPem: string
  /** Of the digests that stand in for secrets. */
  readonly digest: Buffer
  readonly webhook: string
}

/** Opens the keys of a folder; what is not there yet is made. */
export async function openKeys(dir: string): Promise<Keys> {
  await mkdir(dir, { recursive: true, mode: 0o700 })
  await chmod(dir, 0o700)
  const recordPem = await keep(join(dir, 'record.pem'), () => newKeyPair().privatePem)
  await writeFile(join(dir, 'record.pub.pem'), publicPemOf(recordPem))
  const secret = (name: string): Promise<string> => keep(join(dir, name), () => `${randomBytes(32).toString('base64url')}\n`)
  return {
    recordPem,
    digest: Buffer.from((await secret('digest.key')).trim(), 'base64url'),
    webhook: (await secret('webhook.key')).trim(),
  }
}

async function keep(file: string, make: () => string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
  const value = make()
  await writeFile(file, value, { mode: 0o600, flag: 'wx', flush: true })
  return value
}
