import type { Command } from 'commander'
import { connect } from '#cli/connect.ts'
import { common } from '#cli/options.ts'
import type { Common } from '#cli/options.ts'
import type { Exit } from '#cli/program.ts'
import type { Surroundings } from '#cli/surroundings.ts'
import { recordExportCommand } from './record-export-command.ts'
import { recordVerifyCommand } from './record-verify-command.ts'

/** What is done with records; verifying and writing reports of an export need no control plane. */
export function recordCommands(program: Command, around: Surroundings, exit: Exit): void {
  const record = program.command('record').description('records of runs, verdicts and findings: signed, chained, verifiable anywhere')
  recordVerifyCommand(record, around, exit)
  recordExportCommand(record, around)

  common(record.command('rotate-key').description('replace the key that signs records: the old one signs for the new one, which is made, or is what next.json in the folder of keys names'))
    .requiredOption('--reason <text>', 'why; kept in the records')
    .action(async (options: Common & { reason: string }) => {
      const rotated = await connect(options, around).client.rotateRecordKey({ reason: options.reason })
      if (options.json === true) return around.print(JSON.stringify(rotated, null, 2))
      around.print(`${rotated.to} signs from now on, in place of ${rotated.from}: recorded in ${rotated.environments.length === 0 ? 'no chain yet' : rotated.environments.join(', ')}`)
      around.print('Who has the old public key can go on with it: `plumb record verify` follows the records from the one to the other.')
    })
}
