import { resolve } from 'node:path'
import type { Command } from 'commander'
import { connect } from '#cli/connect.ts'
import { collect, common } from '#cli/options.ts'
import type { Common } from '#cli/options.ts'
import { painter } from '#cli/print/table.ts'
import type { Exit } from '#cli/program.ts'
import type { Surroundings } from '#cli/surroundings.ts'
import { Failure } from '#lib/failure.ts'
import { publicKeyOf } from '#record/dsse.ts'
import { reportsOf, verifyExport } from '#record/export.ts'
import { openFolder, writeFolder } from '#record/folder.ts'
import { examine } from '#record/verify.ts'
import type { ChainReport, Examined } from '#record/verify.ts'
import { recordsOfServer } from './record-source.ts'

type Verifying = Common & { key?: string; head?: string[] }

export function recordCommands(program: Command, around: Surroundings, exit: Exit): void {
  const record = program.command('record').description('records of runs, verdicts and findings: signed, chained, verifiable anywhere')

  common(record.command('verify').description('verify every record: of an export, offline; without one, of the control plane that runs').argument('[export]', 'a folder that `plumb record export` wrote'))
    .option('--key <file>', 'the public key (PEM); without it, the one that came with the records, which proves less')
    .option('--head <environment=digest>', 'a head that was published: shows a tail that was cut; repeat it', collect)
    .action(async (folder: string | undefined, options: Verifying) => {
      const key = options.key === undefined ? undefined : around.readFile(resolve(around.cwd, options.key))
      if (options.key !== undefined && key === undefined)
        throw new Failure({ code: 'record-key-invalid', subject: options.key, message: 'the file cannot be read', hint: 'It is `keys/record.pub.pem` in the control plane’s folder.' })
      const heads = headsOf(options.head ?? [])
      const reports = folder === undefined ? await verifyServer(options, around, key, heads) : verifyExport(await openFolder(resolve(around.cwd, folder)), key, heads)
      const ok = reports.every((report) => report.defects.length === 0)
      if (options.json === true) around.print(JSON.stringify({ ok, chains: reports }, null, 2))
      else for (const line of printReports(reports, around)) around.print(line)
      if (key === undefined) around.note('The key came with the records: it shows that they belong together, not whose they are. Give the key with --key.')
      if (!ok) exit(1)
    })

  common(record.command('export').description('write every record, the checkpoints and the public key as files'))
    .requiredOption('--out <folder>', 'where to')
    .option('-e, --env <environment>', 'one environment')
    .action(async (options: Common & { out: string; env?: string }) => {
      const { publicKey, chains } = await recordsOfServer(options, around, options.env)
      const files = await writeFolder(resolve(around.cwd, options.out), publicKey, chains)
      if (options.json === true) around.print(JSON.stringify({ files }, null, 2))
      else for (const file of files) around.print(file)
    })

  common(record.command('rotate-key').description('replace the key that signs records: the old one signs for the new one, which is made, or is what next.json in the folder of keys names'))
    .requiredOption('--reason <text>', 'why; kept in the records')
    .action(async (options: Common & { reason: string }) => {
      const rotated = await connect(options, around).client.rotateRecordKey({ reason: options.reason })
      if (options.json === true) return around.print(JSON.stringify(rotated, null, 2))
      around.print(`${rotated.to} signs from now on, in place of ${rotated.from}: recorded in ${rotated.environments.length === 0 ? 'no chain yet' : rotated.environments.join(', ')}`)
      around.print('Who has the old public key can go on with it: `plumb record verify` follows the records from the one to the other.')
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

function headsOf(given: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    given.map((one) => {
      const [environment = '', digest] = one.split('=')
      if (digest !== undefined && /^sha256:[0-9a-f]{64}$/.test(digest)) return [environment, digest]
      throw new Failure({ code: 'usage', subject: `--head ${one}`, message: 'expected <environment>=sha256:<64 hexadecimal digits>', hint: 'Published heads are in refs/plumbline/checkpoints/<environment> of the workspace’s repository.' })
    }),
  )
}

function printReports(reports: readonly ChainReport[], around: Surroundings): string[] {
  const paint = painter(around.colours)
  if (reports.length === 0) return ['There are no records yet.']
  return reports.flatMap((report) => [
    `${report.environment}: ${report.records} records${report.pruned === 0 ? '' : `, ${report.pruned} of them pruned`}, ${report.sealed} sealed by signed checkpoints: ${paint(report.defects.length === 0 ? 'good' : 'bad', report.defects.length === 0 ? 'passed' : 'failed')}`,
    ...report.defects.map((defect) => `  ${paint('bad', defect.where)} ${defect.what}`),
  ])
}
