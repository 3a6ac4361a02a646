import { resolve } from 'node:path'
import type { Command } from 'commander'
import { connect } from '#cli/connect.ts'
import { collect, common } from '#cli/options.ts'
import type { Common } from '#cli/options.ts'
import { painter } from '#cli/print/table.ts'
import type { AddCommands, Exit } from '#cli/program.ts'
import type { Surroundings } from '#cli/surroundings.ts'
import { Failure } from '#lib/failure.ts'
import { readExport, verifyExport, writeExport } from '#record/export.ts'
import type { Export } from '#record/export.ts'
import type { ChainReport } from '#record/verify.ts'
import { renderCommand } from './render-command.ts'
import { validateCommand } from './validate-command.ts'

/** The commands that need no running control plane. */
export function offlineCommands(env: Readonly<Record<string, string | undefined>>): AddCommands {
  return (program, around, exit) => {
    validateCommand(program, around, exit, env)
    renderCommand(program, around, exit, env)
    recordCommands(program, around, exit)
  }
}

type Verifying = Common & { key?: string; head?: string[] }

function recordCommands(program: Command, around: Surroundings, exit: Exit): void {
  const record = program.command('record').description('run records: signed, chained, verifiable anywhere')

  common(record.command('verify').description('verify every record: of an export, offline; without one, of the control plane that runs').argument('[export]', 'a folder that `plumb record export` wrote'))
    .option('--key <file>', 'the public key (PEM); without it, the one that came with the records, which proves less')
    .option('--head <environment=digest>', 'a head that was published: shows a tail that was cut; repeat it', collect)
    .action(async (folder: string | undefined, options: Verifying) => {
      const exported = await exportOf(folder, options, around)
      const key = options.key === undefined ? undefined : around.readFile(resolve(around.cwd, options.key))
      if (options.key !== undefined && key === undefined)
        throw new Failure({ code: 'record-key-invalid', subject: options.key, message: 'the file cannot be read', hint: 'It is `keys/record.pub.pem` in the control plane’s folder.' })
      const reports = verifyExport(exported, key, headsOf(options.head ?? []))
      const ok = reports.every((report) => report.defects.length === 0)
      if (options.json === true) around.print(JSON.stringify({ ok, chains: reports }, null, 2))
      else for (const line of printReports(reports, around)) around.print(line)
      if (key === undefined) around.note('The key came with the records: it shows that they belong together, not whose they are. Give the key with --key.')
      if (!ok) exit(1)
    })

  common(record.command('export').description('write every record, the checkpoints and the public key as files'))
    .requiredOption('--out <folder>', 'where to')
    .option('-e, --env <environment>', 'one environment')
    .action(async (options: Common & { out: string }) => {
      const exported = await connect(options, around).client.exportRecords({ environment: options.env })
      const files = await writeExport(resolve(around.cwd, options.out), exported)
      if (options.json === true) around.print(JSON.stringify({ files }, null, 2))
      else for (const file of files) around.print(file)
    })
}

async function exportOf(folder: string | undefined, options: Common, around: Surroundings): Promise<Export> {
  return folder === undefined ? connect(options, around).client.exportRecords() : readExport(resolve(around.cwd, folder))
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
    `${report.environment}: ${report.records} records, ${report.sealed} sealed by signed checkpoints: ${paint(report.defects.length === 0 ? 'good' : 'bad', report.defects.length === 0 ? 'passed' : 'failed')}`,
    ...report.defects.map((defect) => `  ${paint('bad', defect.where)} ${defect.what}`),
  ])
}
