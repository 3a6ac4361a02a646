import { statSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Command } from 'commander'
import { collect, common } from '#cli/options.ts'
import type { Common } from '#cli/options.ts'
import { safe } from '#cli/print/safe.ts'
import { painter } from '#cli/print/table.ts'
import type { Exit } from '#cli/program.ts'
import type { Surroundings } from '#cli/surroundings.ts'
import { Failure } from '#lib/failure.ts'
import { publishedHeadOf } from '#record/chain.ts'
import { publicKeyOf } from '#record/dsse.ts'
import { reportsOf, verifyExport } from '#record/export.ts'
import { exportInvalid, openFolder } from '#record/folder.ts'
import { linesOf } from '#record/lines.ts'
import { openProvenFolder, verifyProvenFolder } from '#record/proven-folder.ts'
import { verifyProven } from '#record/proven.ts'
import { examine } from '#record/verify.ts'
import type { ChainReport, Examined } from '#record/verify.ts'
import { readKeyFile, recordsOfServer } from './record-source.ts'

type Verifying = Common & { key?: string; head?: string[] }

export function recordVerifyCommand(record: Command, around: Surroundings, exit: Exit): void {
  common(record.command('verify').description('verify records, offline: all of an export, or those of a file that prove themselves; without one, all of the control plane that runs').argument('[export]', 'what `plumb record export` wrote: a folder, or a file of its format dsse'))
    .option('--key <file>', 'the public key (PEM); without it, the one that came with the records, which proves less')
    .option('--head <environment=digest>', 'a head that was published, or `environment=digest@size`: shows a tail that was cut; repeat it', collect)
    .action(async (place: string | undefined, options: Verifying) => {
      const key = options.key === undefined ? undefined : readKeyFile(options.key, around)
      const at = place === undefined ? undefined : resolve(around.cwd, place)
      if (at !== undefined && statSync(at, { throwIfNoEntry: false })?.isFile()) {
        if (!verifyFile(at, key, options, around)) exit(1)
        return
      }
      const heads = headsOf(options.head ?? [])
      const reports = at === undefined ? await verifyServer(options, around, key, heads) : await verifyFolder(at, key, heads)
      const ok = reports.every((report) => report.defects.length === 0)
      if (options.json === true) around.print(JSON.stringify({ ok, chains: reports }, null, 2))
      else for (const line of printReports(reports, around)) around.print(line)
      if (key === undefined) around.note('The key came with the records: it shows that they belong together, not whose they are. Give the key with --key.')
      if (!ok) exit(1)
    })
}

async function verifyServer(options: Common, around: Surroundings, key: string | undefined, heads: Readonly<Record<string, string>>): Promise<ChainReport[]> {
  const source = await recordsOfServer(options, around)
  const examined: Examined[] = []
  for (const { frame, pages } of source.chains) {
    const examining = examine(frame, heads[frame.environment])
    for await (const page of pages) if (!page.every((text) => examining.take(text))) break
    examined.push(examining.end())
  }
  return reportsOf(examined, [publicKeyOf(key ?? source.publicKey)], heads)
}

async function verifyFolder(dir: string, key: string | undefined, heads: Readonly<Record<string, string>>): Promise<ChainReport[]> {
  const proven = openProvenFolder(dir)
  return proven === undefined ? verifyExport(await openFolder(dir), key, heads) : verifyProvenFolder(proven, key, heads)
}

/** Records that prove themselves, one a line. Only a key that did not come with them proves anything. Failures `record-export-invalid`, `usage`. */
function verifyFile(file: string, key: string | undefined, options: Verifying, around: Surroundings): boolean {
  for (const line of linesOf(file)) {
    if (!line.startsWith('{')) throw exportInvalid(file, 'it is another file than one of records that prove themselves, of which each line is one')
    break
  }
  if (key === undefined) throw new Failure({ code: 'usage', subject: file, message: 'a record that proves itself is held against a public key', hint: 'Give it with --key.' })
  const keys = [publicKeyOf(key)]
  const bad = []
  let records = 0
  for (const line of linesOf(file)) {
    records += 1
    const { environment, seq, defects } = verifyProven(line, keys)
    if (defects.length > 0) bad.push({ line: records, environment, seq, defects })
  }
  const ok = records > 0 && bad.length === 0
  const paint = painter(around)
  if (options.json === true) around.print(JSON.stringify({ ok, records, bad }, null, 2))
  else {
    around.print(`${records} records: ${paint(ok ? 'good' : 'bad', ok ? 'passed' : records === 0 ? 'there is nothing to verify' : 'failed')}`)
    for (const { line, environment, defects } of bad) for (const defect of defects) around.print(`  line ${line}: ${safe(environment)} ${paint('bad', defect.where)} ${safe(defect.what)}`)
  }
  return ok
}

function headsOf(given: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    given.map((one) => {
      const [environment = '', head] = one.split('=')
      if (head !== undefined && publishedHeadOf(head) !== undefined) return [environment, head]
      throw new Failure({ code: 'usage', subject: `--head ${one}`, message: 'expected <environment>=sha256:<64 hexadecimal digits>, and @<size> where it is known', hint: 'Published heads are in refs/plumbline/checkpoints/<environment> of the workspace’s repository.' })
    }),
  )
}

function printReports(reports: readonly ChainReport[], around: Surroundings): string[] {
  const paint = painter(around)
  if (reports.length === 0) return ['There are no records yet.']
  return reports.flatMap((report) => [
    `${safe(report.environment)}: ${report.of === undefined ? `${report.records} records${report.pruned === 0 ? '' : `, ${report.pruned} of them pruned`}, ${report.sealed} sealed by signed checkpoints` : `${report.records} of ${report.of} records, each signed and with its proof`}: ${paint(report.defects.length === 0 ? 'good' : 'bad', report.defects.length === 0 ? 'passed' : 'failed')}`,
    ...report.defects.map((defect) => `  ${paint('bad', safe(defect.where))} ${safe(defect.what)}`),
  ])
}
