import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Failure } from '#lib/failure.ts'
import { publicKeyOf } from './dsse.ts'
import type { Envelope } from './dsse.ts'
import { verifyChain } from './verify.ts'
import type { ChainReport } from './verify.ts'

/** Everything that it takes to verify the records elsewhere. `publicKey` is PEM. */
export type Export = {
  publicKey: string
  chains: { environment: string; records: string[]; checkpoints: Envelope[] }[]
}

/** Writes `public-key.pem` and, for each environment, `<environment>/records.ndjson` and `checkpoints.ndjson`. Returns the files' paths. */
export async function writeExport(dir: string, exported: Export): Promise<string[]> {
  const files: [string, string][] = [[join(dir, 'public-key.pem'), exported.publicKey]]
  for (const chain of exported.chains) {
    files.push([join(dir, chain.environment, 'records.ndjson'), chain.records.map((record) => `${record}\n`).join('')])
    files.push([join(dir, chain.environment, 'checkpoints.ndjson'), chain.checkpoints.map((one) => `${JSON.stringify(one)}\n`).join('')])
  }
  for (const [file, text] of files) {
    await mkdir(join(file, '..'), { recursive: true })
    await writeFile(file, text)
  }
  return files.map(([file]) => file)
}

/** Reads what `writeExport` wrote. Failure `record-export-invalid`. */
export async function readExport(dir: string): Promise<Export> {
  try {
    const publicKey = await readFile(join(dir, 'public-key.pem'), 'utf8')
    const folders = (await readdir(dir, { withFileTypes: true })).filter((entry) => entry.isDirectory()).map((entry) => entry.name).sort()
    const chains = await Promise.all(
      folders.map(async (environment) => ({
        environment,
        records: lines(await readFile(join(dir, environment, 'records.ndjson'), 'utf8')),
        checkpoints: lines(await readFile(join(dir, environment, 'checkpoints.ndjson'), 'utf8')).map((line) => JSON.parse(line) as Envelope),
      })),
    )
    return { publicKey, chains }
  } catch (error) {
    throw new Failure({
      code: 'record-export-invalid',
      subject: dir,
      message: `this is not an export of records: ${error instanceof Error ? error.message : String(error)}`,
      hint: 'Make one with `plumb record export --out DIR`.',
      cause: error,
    })
  }
}

/** Verifies every chain. `publicKeyPem` in place of the export's own key: a key that came with the records proves only that they belong together. */
export function verifyExport(exported: Export, publicKeyPem?: string, heads: Readonly<Record<string, string>> = {}): ChainReport[] {
  const keys = [publicKeyOf(publicKeyPem ?? exported.publicKey)]
  const reports = exported.chains.map((chain) => verifyChain(chain, keys, heads[chain.environment]))
  const missing = Object.keys(heads).filter((environment) => !exported.chains.some((chain) => chain.environment === environment))
  return [
    ...reports,
    ...missing.map((environment) => ({
      environment,
      records: 0,
      sealed: 0,
      head: null,
      defects: [{ where: 'the chain', what: `is missing: the head ${heads[environment]} of it was published` }],
    })),
  ]
}

function lines(text: string): string[] {
  return text.split('\n').filter((line) => line !== '')
}
