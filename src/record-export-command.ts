import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { Option } from 'commander'
import type { Command } from 'commander'
import { common, durationOption } from '#cli/options.ts'
import type { Common } from '#cli/options.ts'
import type { Surroundings } from '#cli/surroundings.ts'
import { Failure } from '#lib/failure.ts'
import { keyIdOf, publicKeyOf } from '#record/dsse.ts'
import type { Envelope } from '#record/dsse.ts'
import { verifyExport } from '#record/export.ts'
import { openFolder, reportFiles, writeFolder } from '#record/folder.ts'
import type { ExportFolder } from '#record/folder.ts'
import { htmlOf } from '#record/html.ts'
import { markdownOf } from '#record/markdown.ts'
import { writeProvenFolder } from '#record/proven-folder.ts'
import { isWanted, makeReport } from '#record/report.ts'
import type { Narrowed, Report } from '#record/report.ts'
import { readKeyFile, recordsOfServer } from './record-source.ts'

const formats = ['json', 'dsse', 'markdown', 'html'] as const

type Exporting = Common & { out: string; from?: string; format: (typeof formats)[number]; run?: string; since?: number; key?: string }

export function recordExportCommand(record: Command, around: Surroundings): void {
  common(record.command('export').description('write records as files: all that it takes to verify them elsewhere (json), each signed and with its own proof (dsse), or a report to read and attach (markdown, html)'))
    .requiredOption('--out <folder>', 'where to')
    .addOption(new Option('--format <format>', 'in what form').choices(formats).default('json'))
    .option('--from <export>', 'a folder of the format json, in place of a control plane that runs (not with dsse: a folder holds no key to sign with)')
    .option('-e, --env <environment>', 'one environment')
    .option('-m, --module <module>', 'only records about one module (not with json, whose chains are whole)')
    .option('--run <run>', 'only the record of one run (not with json)')
    .option('--since <duration>', 'only records that are no older (not with json)', durationOption)
    .option('--key <file>', 'the public key (PEM) that reports are held against; without it, the one that came with the records')
    .action(async (options: Exporting) => {
      const narrowed: Narrowed = { module: options.module, run: options.run, since: options.since === undefined ? undefined : around.now() - options.since }
      if (options.format === 'json' && Object.values(narrowed).some((one) => one !== undefined))
        throw new Failure({ code: 'usage', subject: '--format json', message: 'a chain verifies only as a whole', hint: 'Narrow it with --format dsse, whose records prove themselves, or with markdown or html.' })
      const files = await writeAs(options, narrowed, around)
      if (options.json === true) around.print(JSON.stringify({ files }, null, 2))
      else for (const file of files) around.print(file)
    })
}

async function writeAs(options: Exporting, narrowed: Narrowed, around: Surroundings): Promise<string[]> {
  const out = resolve(around.cwd, options.out)
  if (options.format === 'json' && options.from === undefined) {
    const { publicKey, chains } = await recordsOfServer(options, around, options.env)
    return writeFolder(out, publicKey, chains)
  }
  if (options.format === 'dsse') return writeSigned(out, options, narrowed, around)
  if (options.from !== undefined) return written(await openFolder(resolve(around.cwd, options.from)), out, options, narrowed, around)
  return throughFolder(options, around, (folder) => written(folder, out, options, narrowed, around))
}

async function written(all: ExportFolder, out: string, options: Exporting, narrowed: Narrowed, around: Surroundings): Promise<string[]> {
  const exported = options.env === undefined ? all : { ...all, chains: all.chains.filter((chain) => chain.environment === options.env) }
  if (options.format === 'json') {
    return writeFolder(out, exported.publicKey, exported.chains.map(({ records, ...frame }) => ({ frame, pages: pagesOf(records) })))
  }
  await mkdir(out, { recursive: true })
  const key = options.key === undefined ? undefined : readKeyFile(options.key, around)
  const report = makeReport(
    {
      title: titleOf(options),
      madeAt: around.now(),
      key: { keyId: keyIdOf(publicKeyOf(key ?? exported.publicKey)), came: key === undefined ? 'with the records' : 'from whoever made this' },
      chains: verifyExport(exported, key),
    } satisfies Pick<Report, 'title' | 'madeAt' | 'key' | 'chains'>,
    exported.chains,
    narrowed,
  )
  const file = join(out, reportFiles[options.format === 'html' ? 'html' : 'markdown'])
  await writeFile(file, options.format === 'html' ? htmlOf(report) : markdownOf(report))
  return [file]
}

async function* pagesOf(records: Iterable<string>): AsyncGenerator<string[]> {
  let page: string[] = []
  for (const record of records) {
    page.push(record)
    if (page.length < 1_000) continue
    yield page
    page = []
  }
  yield page
}

/** Each record as a DSSE envelope that the control plane signs now, with its proof beside. Failure `record-key-elsewhere`. */
async function writeSigned(out: string, options: Exporting, narrowed: Narrowed, around: Surroundings): Promise<string[]> {
  if (options.from !== undefined)
    throw new Failure({ code: 'record-key-elsewhere', subject: options.from, message: 'an export holds no key to sign records with', hint: 'Ask the control plane: leave out --from. What was exported verifies as it is, by its checkpoints.' })
  return throughFolder(options, around, async ({ chains, publicKey }, signatures) => {
    const signed = chains.map((chain) => ({ ...chain, signatures: signatures.get(chain.environment) ?? [] }))
    const isWhole = Object.values(narrowed).every((one) => one === undefined)
    return writeProvenFolder(out, publicKey, signed, isWhole ? undefined : (statement) => isWanted(statement, narrowed))
  })
}

/** However many there are, they are read from a disk, more than once, and not kept in memory; of each signature some hundred bytes are. */
async function throughFolder(options: Exporting, around: Surroundings, use: (folder: ExportFolder, signatures: ReadonlyMap<string, readonly Envelope['signatures'][number][]>) => Promise<string[]>): Promise<string[]> {
  const dir = await mkdtemp(join(tmpdir(), 'plumbline-export-'))
  try {
    const { publicKey, chains } = await recordsOfServer(options, around, options.env, options.format === 'dsse' ? 'each' : undefined)
    await writeFolder(dir, publicKey, chains)
    return await use(await openFolder(dir), new Map(chains.map(({ frame, signatures }) => [frame.environment, signatures])))
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
}

function titleOf({ run, module, env }: Exporting): string {
  return `Records${run === undefined ? '' : ` of ${run}`}${module === undefined ? '' : ` of ${module}`}${env === undefined ? '' : ` in ${env}`}`
}
