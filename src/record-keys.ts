import { existsSync } from 'node:fs'
import { open, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { Failure } from '#lib/failure.ts'
import { commandSigner } from '#record/command-signer.ts'
import { newKeyPair, signerOf } from '#record/dsse.ts'
import type { Signer } from '#record/dsse.ts'
import { keepFile } from './keep-file.ts'

/**
 * The key that signs records, in a folder: `signer.json` says which it is, `record.pem` is it where there is no such file. The next one is staged as
 * `next.json` and takes its place by one rename, so that after any crash it is the one or the other.
 */
export type RecordKeys = {
  readonly signer: Signer
  /** The key that is to follow: the one that the operator staged, or a new one. */
  stage(): Promise<Signer>
  /** The staged key is the one from now on; the private half of the one before it is gone. */
  promote(): Promise<void>
  /** After a crash between the record of a replacement and `promote`: finishes it where the staged key is the one that signs by now. */
  settle(signing: readonly string[]): Promise<void>
}

const document = z.union([
  z.strictObject({ key: z.string().regex(/^[\w.-]+\.pem$/, 'expected the name of a file in the folder of keys') }),
  z.strictObject({ command: z.tuple([z.string().min(1)], z.string()), publicKey: z.string().regex(/^[\w.-]+\.pem$/, 'expected the name of a file in the folder of keys'), timeoutMs: z.int().min(100).max(60_000).default(10_000) }),
])

export async function openRecordKeys(dir: string, path: string): Promise<RecordKeys> {
  const [current, next] = [join(dir, 'signer.json'), join(dir, 'next.json')]
  if (!existsSync(current)) await keepFile(join(dir, 'record.pem'), () => newKeyPair().privatePem)
  let signer = await read(dir, existsSync(current) ? current : undefined, path)
  const publish = (): Promise<void> => writeFile(join(dir, 'record.pub.pem'), signer.publicKey)
  await publish()
  const promote = async (): Promise<void> => {
    const before = await keyFile(current)
    await rename(next, current)
    await syncFolder(dir)
    signer = await read(dir, current, path)
    await publish()
    if (before !== undefined && before !== (await keyFile(current))) await rm(join(dir, before), { force: true })
  }
  return {
    get signer() {
      return signer
    },
    stage: async () => {
      if (!existsSync(next)) {
        const { privatePem } = newKeyPair()
        const key = `record-${signerOf(privatePem).keyId.slice(7, 15)}.pem`
        await keepFile(join(dir, key), () => privatePem)
        await writeFile(next, `${JSON.stringify({ key })}\n`, { mode: 0o600, flag: 'wx', flush: true })
        await syncFolder(dir)
      }
      return read(dir, next, path)
    },
    promote,
    settle: async (signing) => {
      if (existsSync(next) && !signing.includes(signer.keyId) && signing.includes((await read(dir, next, path)).keyId)) await promote()
    },
  }
}

/** Failures `record-key-invalid`, `configuration-invalid`. */
async function read(dir: string, file: string | undefined, path: string): Promise<Signer> {
  if (file === undefined) return signerOf(await readFile(join(dir, 'record.pem'), 'utf8'))
  const parsed = document.safeParse(JSON.parse(await readFile(file, 'utf8').catch(() => 'null')) ?? {})
  if (!parsed.success) throw new Failure({ code: 'configuration-invalid', subject: file, message: z.prettifyError(parsed.error), hint: 'It is {"key": "FILE.pem"} or {"command": ["PROGRAM", …], "publicKey": "FILE.pem"}.' })
  const named = (name: string): Promise<string> =>
    readFile(join(dir, name), 'utf8').catch((error: unknown) => {
      throw new Failure({ code: 'record-key-invalid', subject: join(dir, name), message: 'the file cannot be read', hint: `${file} names it.`, cause: error })
    })
  if ('key' in parsed.data) return signerOf(await named(parsed.data.key))
  return commandSigner({ argv: parsed.data.command, publicKey: await named(parsed.data.publicKey), timeoutMs: parsed.data.timeoutMs, env: { PATH: path } })
}

/** The private key's file of the current signer, where it has one here. */
async function keyFile(current: string): Promise<string | undefined> {
  if (!existsSync(current)) return 'record.pem'
  return (JSON.parse(await readFile(current, 'utf8')) as { key?: string }).key
}

/** A rename is on the disk once its folder is. */
async function syncFolder(dir: string): Promise<void> {
  const folder = await open(dir, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}
