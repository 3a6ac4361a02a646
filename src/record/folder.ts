import { existsSync } from 'node:fs'
import { appendFile, mkdir, readFile, readdir, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { z } from 'zod'
import { Failure } from '#lib/failure.ts'
import type { ChainFrame } from './chain.ts'
import { linesOf } from './lines.ts'

/** A folder of exported records: `public-key.pem` and, for each environment, `<environment>/chain.json` (all but the records) and `records.ndjson`. */
export type ExportFolder = { readonly publicKey: string; readonly chains: readonly (ChainFrame & { readonly records: Iterable<string> })[] }

const envelope = z.object({ payloadType: z.string(), payload: z.string(), signatures: z.array(z.object({ keyid: z.string(), sig: z.string() })) })
const digest = z.string().regex(/^sha256:[0-9a-f]{64}$/)
/** A chain as `chain.json` has it: all but its records. */
export const frame = z.object({
  environment: z.string(),
  start: z.object({ size: z.int().min(1), head: digest, roots: z.array(z.string().regex(/^[0-9a-f]{64}$/)).max(60) }).nullable(),
  rotations: z.array(z.object({ record: z.string(), checkpoint: envelope })),
  checkpoints: z.array(envelope),
})

/** Writes an export, the records of each chain page by page. Resolves to the files' paths. */
export async function writeFolder(dir: string, publicKey: string, chains: readonly { readonly frame: ChainFrame; readonly pages: AsyncIterable<readonly string[]> }[]): Promise<string[]> {
  await mkdir(dir, { recursive: true })
  const files = [join(dir, 'public-key.pem')]
  await writeFile(join(dir, 'public-key.pem'), publicKey)
  for (const { frame: { environment, start = null, rotations = [], checkpoints }, pages } of chains) {
    requireName(environment)
    const [about, records] = [join(dir, environment, 'chain.json'), join(dir, environment, 'records.ndjson')]
    await mkdir(join(dir, environment), { recursive: true })
    await writeFile(about, `${JSON.stringify({ environment, start, rotations, checkpoints }, null, 1)}\n`)
    await writeFile(records, '')
    for await (const page of pages) await appendFile(records, page.map((record) => `${record}\n`).join(''))
    files.push(about, records)
  }
  return files
}

/** Opens what `writeFolder` wrote; records are read when they are asked for, as often as they are. Failure `record-export-invalid`. */
export async function openFolder(dir: string): Promise<ExportFolder> {
  try {
    const publicKey = await readFile(join(dir, 'public-key.pem'), 'utf8')
    const folders = (await readdir(dir, { withFileTypes: true })).filter((entry) => entry.isDirectory()).map((entry) => entry.name).sort()
    const chains = folders.map(async (environment) => {
      const records = join(dir, environment, 'records.ndjson')
      if (!existsSync(records)) throw new Error(`there is no ${join(environment, 'records.ndjson')}`)
      const read = frame.parse(JSON.parse(await readFile(join(dir, environment, 'chain.json'), 'utf8')))
      return { ...read, environment, records: { [Symbol.iterator]: () => linesOf(records) } }
    })
    return { publicKey, chains: await Promise.all(chains) }
  } catch (error) {
    throw exportInvalid(dir, error)
  }
}

export function exportInvalid(dir: string, error: unknown): Failure {
  return new Failure({
    code: 'record-export-invalid',
    subject: dir,
    message: `this is not an export of records: ${whyNot(dir, error)}`,
    hint: 'Make one with `plumb record export --out DIR`.',
    cause: error,
  })
}

/** What reports are written to: they are for reading, and hold nothing that could be verified. */
export const reportFiles = { html: 'records.html', markdown: 'records.md' } as const

function whyNot(dir: string, error: unknown): string {
  if (error instanceof z.ZodError) return z.prettifyError(error)
  if (!(error instanceof Error) || !('path' in error) || (error as NodeJS.ErrnoException).code !== 'ENOENT') return error instanceof Error ? error.message : String(error)
  if (!existsSync(dir)) return 'there is nothing of that name'
  const report = Object.values(reportFiles).find((name) => existsSync(join(dir, name)))
  return report === undefined ? `there is no ${relative(dir, String(error.path))} in it` : `it has ${report}, a report to read, and not the records themselves`
}

/** No name of an environment leads out of the folder. Failure `record-export-invalid`. */
export function requireName(environment: string): void {
  if (!/^[a-z0-9][a-z0-9-]*$/.test(environment)) throw new Failure({ code: 'record-export-invalid', subject: environment, message: 'no environment is named so', hint: 'Is --server right?' })
}
